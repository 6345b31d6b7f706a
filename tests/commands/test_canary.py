"""`run --canary N` makes the first takes, shows them, and asks before the rest; unattended, they decide themselves."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

BOARD = "storyboards/film.yaml"
FIRST = "Make 1 of 2 clips first, for at most 60 credits ($0.30)? The rest is asked for then. [y/N]"
REST = "Make 1 clip for at most 60 credits ($0.30)? [y/N]"
Start = Callable[..., Host]


def prompts(there: Host) -> list[str]:
    """The prompts of the tasks that a host made, in their order."""
    return [task["prompt"] for task in there.state["tasks"]]


def faulty(host: Start, folder: Path, rule: str) -> Host:
    """A host that does something else with the picture of the quay."""
    file = folder / "faults.yaml"
    file.write_text(f"faults: 1\nrules: [{{on: task, prompt: quay, do: {rule}}}]\n")
    return host("--faults", str(file))


# -- at a terminal ------------------------------------------------------------------------------------------------


def test_the_first_take_is_asked_for_made_and_shown_before_the_rest_is_asked_for(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    screens = []
    shown = paid_film.at_question(
        ["run", BOARD, "--canary", "1", "--no-color"], "y\ny\n", lambda: screens.append(prompts(there)), there.env
    )
    assert shown.code == 0, shown.out
    assert screens == [[]]
    parts = [shown.out.index(text) for text in (FIRST, "1 clip made", "clips/quay/take-1.mp4", REST, "boats/take-1")]
    assert parts == sorted(parts)
    assert prompts(there) == ["Sunrise over the quay", "Boats leave the harbour"]


def test_declining_the_rest_leaves_it_and_names_the_command_that_goes_on(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    shown = paid_film.at_terminal("run", BOARD, "--canary", "1", typed="y\nn\n", **there.env)
    assert shown.code == 4
    assert "the rest was not ordered (--canary)" in shown.out
    assert f"storyboard run {BOARD}" in shown.out
    assert prompts(there) == ["Sunrise over the quay"]
    assert paid_film.storyboard("run", BOARD, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_declining_the_first_take_sends_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    shown = paid_film.at_terminal("run", BOARD, "--canary", "1", typed="n\n", **there.env)
    assert shown.code == 4
    assert "declined: nothing was sent" in shown.out
    assert prompts(there) == []


def test_a_take_without_a_clip_is_shown_and_the_rest_is_asked_for(
    paid_film: ContentRepo, host: Start, tmp_path: Path
) -> None:
    there = faulty(host, tmp_path, "{error: text}")
    shown = paid_film.at_terminal("run", BOARD, "--canary", "1", typed="y\ny\n", **there.env)
    assert shown.code == 1, shown.out
    assert prompts(there) == ["Sunrise over the quay", "Boats leave the harbour"]


@pytest.mark.parametrize("answered", [0, 1])
def test_ctrl_c_at_a_question_is_the_last_event_and_nothing_more_is_sent(
    paid_film: ContentRepo, host: Start, answered: int
) -> None:
    there = host()
    ended = paid_film.interrupted_at_question(["run", BOARD, "--canary", "1", "--json"], answered, there.env)
    assert ended.code == 130
    assert len(prompts(there)) == answered
    if answered:
        last = ended.events[-1]
        assert (last["event"], last["exit_code"], last["interrupted"]) == ("done", 130, True)
        assert [event["event"] for event in ended.events].count("done") == 1
        assert "the rest was not ordered (--canary)" in ended.err


# -- with consent, and nobody to ask ------------------------------------------------------------------------------


@pytest.mark.parametrize("consent", [("--yes",), ("--max-credits", "120")])
def test_with_consent_the_rest_follows_when_clip_and_bill_are_as_they_should_be(
    paid_film: ContentRepo, host: Start, consent: tuple[str, ...]
) -> None:
    there = host()
    done = paid_film.storyboard("run", BOARD, "--canary", "1", "--json", *consent, **there.env)
    assert done.code == 0, done.err
    events = [(event["event"], event.get("shot")) for event in done.events]
    assert events.index(("stored", "quay")) < events.index(("created", "boats"))
    assert [event for event, _ in events].count("done") == 1
    assert events[-1][0] == "done"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{error: text}", 1),
        ("{credits: 61}", 4),
        ("{credits: -3}", 4),
    ],
)
def test_a_first_take_that_is_not_as_it_should_be_stops_the_rest(
    paid_film: ContentRepo, host: Start, tmp_path: Path, rule: str, code: int
) -> None:
    there = faulty(host, tmp_path, rule)
    done = paid_film.storyboard("run", BOARD, "--canary", "1", "--yes", "--json", **there.env)
    assert done.code == code, done.err
    assert "the rest was not ordered (--canary)" in done.err
    assert [event["event"] for event in done.events].count("done") == 1
    assert (done.events[-1]["event"], done.events[-1]["exit_code"]) == ("done", code)
    assert prompts(there) == ["Sunrise over the quay"]


def test_a_bill_below_the_quote_is_a_note(paid_film: ContentRepo, host: Start, tmp_path: Path) -> None:
    there = faulty(host, tmp_path, "{credits: 59}")
    assert paid_film.storyboard("run", BOARD, "--no-cut", "--canary", "1", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_without_consent_nothing_is_sent(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    stopped = paid_film.storyboard("run", BOARD, "--canary", "1", **there.env)
    assert stopped.code == 4
    assert f"storyboard run {BOARD} --canary 1 --max-credits 120" in stopped.err
    assert prompts(there) == []


def test_the_ceiling_holds_for_all_that_the_command_would_order(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", BOARD, "--max-credits", "119", "--canary", "1", **there.env).code == 4
    assert prompts(there) == []


# -- orders -------------------------------------------------------------------------------------------------------


def test_a_retake_is_ordered_once_for_each_shot(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", BOARD, "--no-cut", "--yes", **there.env).code == 0
    done = paid_film.storyboard(
        "run", BOARD, "--no-cut", "--retake", "quay boats", "--canary", "1", "--yes", **there.env
    )
    assert done.code == 0, done.err
    assert sorted(prompts(there)) == ["Boats leave the harbour"] * 2 + ["Sunrise over the quay"] * 2


def test_declining_the_rest_of_retakes_names_only_what_is_open(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", BOARD, "--no-cut", "--yes", **there.env).code == 0
    words = ("run", BOARD, "--retake", "quay boats", "--canary", "1")
    shown = paid_film.at_terminal(*words, typed="y\nn\n", **there.env)
    assert f"storyboard run {BOARD} --retake boats" in shown.out
    assert there.state["creates"] == 3


def test_a_number_of_all_takes_or_more_orders_them_at_once(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    shown = paid_film.at_terminal("run", BOARD, "--canary", "2", typed="y\n", **there.env)
    assert shown.code == 0, shown.out
    assert "Make 2 clips for at most 120 credits" in shown.out


def test_the_sandbox_asks_nothing_and_goes_on(film: ContentRepo) -> None:
    assert film.storyboard("run", BOARD, "--no-cut", "--canary", "1").code == 0
    assert len(film.clips()) == 2


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_that_is_none_is_a_wrong_command_line(film: ContentRepo, number: str) -> None:
    assert film.storyboard("run", BOARD, f"--canary={number}").code == 2
