"""Unfinished orders: what the last line advises, and the same command again, buy nothing that is ordered already."""

import re
import shlex
from collections.abc import Callable

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
RUN = ("run", FILM, "--no-cut", "--yes")


def advised(result: CommandResult) -> list[str]:
    """The arguments of the first command that the screen advises."""
    found = re.search(r"next +storyboard (.+?)(?: {2,}|\n|$)", result.out)
    assert found is not None, result.out + result.err
    return shlex.split(found[1])


def lost_answers(repo: ContentRepo, *creates: int) -> tuple[str, str]:
    """The sandbox's flags for createTask requests whose tasks are made, and whose answers never come."""
    rule = f"faults: 1\nrules:\n  - {{on: create, occurrence: {list(creates)}, do: {{made: true, answer: none}}}}\n"
    return "--faults", str(repo.write("faults.yaml", rule))


@pytest.mark.parametrize("expressions", [("quay boats",), ("*",), ("quay", "boats"), ("scene:harbour boats",)])
def test_a_retake_with_an_open_rest_is_no_new_order(
    paid_film: ContentRepo, host: Callable[..., Host], expressions: tuple[str, ...]
) -> None:
    there = host()
    retake = [word for expression in expressions for word in ("--retake", expression)]
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert paid_film.storyboard(*RUN, *retake, "--no-wait", **there.env).code == 9
    there.wait_for_tasks()
    again = paid_film.storyboard(*RUN, *retake, **there.env)
    assert (again.code, there.state["creates"]) == (0, 4), again.out + again.err
    assert len(paid_film.clips()) == 4
    new_order = paid_film.storyboard(*RUN, *retake, **there.env)
    assert (new_order.code, there.state["creates"], len(paid_film.clips())) == (0, 6, 6)


def test_after_a_retake_with_a_lost_answer_nothing_is_advised_or_bought_anew(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host(*lost_answers(paid_film, 4))
    retake = (*RUN, "--retake", "quay boats", "--concurrency", "1")
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    for _ in range(2):
        result = paid_film.storyboard(*retake, **there.env)
        assert (result.code, there.state["creates"]) == (6, 4), result.out + result.err
        assert advised(result)[0] == "settle"
        assert "storyboard run" not in result.out


def test_a_part_of_a_retake_that_was_not_ordered_is_ordered_once(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    first = paid_film.storyboard(*RUN, "--retake", "quay boats", "--no-wait", "--concurrency", "1", **there.env)
    assert (first.code, there.state["creates"]) == (9, 3), first.out + first.err
    there.wait_for_tasks()
    second = paid_film.storyboard(*[word for word in advised(first) if word != "--no-wait"], "--yes", **there.env)
    assert (second.code, there.state["creates"], len(paid_film.clips())) == (0, 4, 4), second.out + second.err


@pytest.mark.parametrize("slots", [1, 2])
def test_when_unsettled_attempts_hold_all_slots_the_next_command_is_settle(
    paid_film: ContentRepo, host: Callable[..., Host], slots: int
) -> None:
    there = host(*lost_answers(paid_film, *range(1, slots + 1)))
    shots = "".join(f"  - {{id: more{number}, prompt: Wave {number}}}\n" for number in range(2))
    paid_film.write(FILM, (paid_film.root / FILM).read_text() + shots)
    for _ in range(2):
        result = paid_film.storyboard(*RUN, "--concurrency", str(slots), **there.env)
        assert (result.code, there.state["creates"]) == (6, slots), result.out + result.err
        assert "all slots are held by unsettled attempts" in result.err
        assert re.search(r"hold all slots; without it, the first is free\s+at \d\d:\d\d", result.out), result.out
    listed = paid_film.storyboard(*advised(result), **there.env)
    assert advised(result)[0] == "settle"
    assert "quay" in listed.out
