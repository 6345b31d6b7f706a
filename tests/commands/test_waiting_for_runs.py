"""A request that a living run of another repository has ordered is waited for; one order, and both have the clip."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.builders.content_repo import ContentRepo
from tests.builders.running_commands import RunningCommand
from tests.commands.conftest import Host
from tests.commands.test_repository_names import FILM, QUAY, another
from tests.waiting import wait_until

CLIP = "renders/film/kinovi/clips/quay/take-1.mp4"
Start = Callable[..., Host]


def beside_a_run(film: ContentRepo, there: Host, *words: str) -> tuple[ContentRepo, dict[str, str], RunningCommand]:
    """Another repository, the environment that it shares with the film, and the film's run, which has its task."""
    running = film.start(*QUAY, *words, **there.env)
    wait_until(lambda: there.state["creates"] == 1, "the first run has ordered")
    return another(film), there.env | {"STORYBOARD_STATE": str(film.state)}, running


def ended(running: RunningCommand) -> int:
    running.communicate(timeout=60)
    return running.wait()


def take_of(film: ContentRepo, env: dict[str, str]) -> dict[str, Any]:
    plan = film.storyboard("plan", FILM, "--select", "quay", "--json", **env).json
    take: dict[str, Any] = plan["storyboards"][0]["shots"][0]["takes"][0]
    return take


def test_one_order_and_both_repositories_have_the_clip(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="4")
    spot, env, running = beside_a_run(paid_film, there)
    take = take_of(spot, env)
    assert (take["action"], take["waits_for"], take["credits"]) == ("wait", "run", 0)
    assert "the run of ../film makes it" in str(take["reason"])
    waited = spot.storyboard(*QUAY, **env)
    assert waited.code == 0, waited.err
    assert "quay take 1 waits: the run of ../film makes it" in waited.err
    assert ended(running) == 0
    assert (spot.root / CLIP).read_bytes() == (paid_film.root / CLIP).read_bytes()
    assert there.state["creates"] == 1
    assert take_of(spot, env)["action"] == "keep"


def test_without_waiting_it_is_left_to_the_next_run(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="4")
    spot, env, running = beside_a_run(paid_film, there)
    left = spot.storyboard(*QUAY, "--no-wait", **env)
    assert left.code == 9, left.err
    assert "the run of ../film makes it" in left.out
    assert ended(running) == 0
    assert spot.storyboard(*QUAY, **env).code == 0
    assert there.state["creates"] == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_when_that_run_ends_this_one_collects_the_task(
    paid_film: ContentRepo, host: Start, end: signal.Signals
) -> None:
    there = host(seconds="4")
    spot, env, running = beside_a_run(paid_film, there)
    waiting = spot.start(*QUAY, **env)
    said = waiting.stderr
    assert said is not None
    wait_until(lambda: "waits: the run of ../film makes it" in said.readline(), "the second run waits")
    running.send_signal(end)
    assert ended(waiting) == 0
    ended(running)
    assert (spot.root / CLIP).exists()
    assert paid_film.storyboard(*QUAY, **env).code == 0
    assert (spot.root / CLIP).read_bytes() == (paid_film.root / CLIP).read_bytes()
    assert there.state["creates"] == 1


def test_two_runs_that_begin_at_once_order_once(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="1")
    spot = another(paid_film)
    env = there.env | {"STORYBOARD_STATE": str(paid_film.state)}
    runs = [film.start(*QUAY, **env) for film in (paid_film, spot)]
    assert [ended(run) for run in runs] == [0, 0]
    assert there.state["creates"] == 1
    assert (spot.root / CLIP).read_bytes() == (paid_film.root / CLIP).read_bytes()


def test_what_that_run_could_not_make_is_not_ordered_without_a_yes(paid_film: ContentRepo, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: task, times: 1, do: {error: text}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)), seconds="3")
    spot, env, running = beside_a_run(paid_film, there)
    assert spot.storyboard(*QUAY, **env).code == 1
    assert ended(running) == 1
    assert there.state["creates"] == 1
