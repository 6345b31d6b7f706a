"""Paid tasks that nobody asks for now, beside Ctrl-C, a silent host, a refused key and a renamed storyboard."""

import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.builders.running_commands import RunningCommand
from tests.commands.conftest import Host
from tests.waiting import wait_until

FILM = "storyboards/film.yaml"
RUN = ("run", FILM, "--yes", "--select", "quay")
LOST = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
Start = Callable[..., Host]


def changed(film: ContentRepo, before: str = "Sunrise", after: str = "Noon") -> None:
    film.write(FILM, (film.root / FILM).read_text().replace(before, after))


def left_behind(film: ContentRepo, there: Host, wording: Sequence[str] = ("Sunrise",)) -> None:
    """A task for each of these words, which have ended; the storyboard says something else now."""
    for now, then in zip(wording, [*wording[1:], "Noon"], strict=True):
        assert film.storyboard(*RUN, "--no-wait", **there.env).code == 9
        changed(film, now, then)
        there.advance(120)
        there.wait_for_tasks()


def part_of(film: ContentRepo) -> Path:
    """The part file of a download, once there is one."""
    wait_until(lambda: list(film.root.rglob(".*.part")), "a download begins")
    return next(film.root.rglob(".*.part"))


def one_line(text: str) -> str:
    return " ".join(text.split())


def ended(process: RunningCommand) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.wait(), one_line(out), one_line(err)


def test_a_ctrl_c_while_an_earlier_clip_comes_ends_the_run_with_it(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="60")
    left_behind(paid_film, there)
    there.set_faults({"on": "media", "do": {"rate": 4000}})
    process = paid_film.start(*nothing_left_to_make(paid_film), **there.env)
    part_of(paid_film)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert (code, there.state["creates"], len(paid_film.clips())) == (130, 1, 1)
    assert "(earlier version): paid before; its clip was fetched" in err


def test_a_ctrl_c_while_an_earlier_task_is_polled_buys_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="60")
    left_behind(paid_film, there)
    there.set_faults({"on": "poll", "do": {"stall": 2}})
    process = paid_film.start("run", FILM, "--yes", **there.env)
    wait_until(lambda: there.state["faults"][0]["happened"] == 2, "host and key are checked, then the task is polled")
    process.send_signal(signal.SIGINT)
    code, out, _ = ended(process)
    assert (code, there.state["creates"]) == (130, 1)
    assert "earlier version quay take 1, task_" in out


def test_a_ctrl_c_while_host_and_key_are_asked_buys_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    there.set_faults({"on": "poll", "times": 1, "do": {"stall": 2}})
    process = paid_film.start("run", FILM, "--yes", **there.env)
    assert process.stderr is not None
    assert "start" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, _, _ = ended(process)
    assert (code, there.state["creates"]) == (130, 0)


def test_a_second_ctrl_c_leaves_at_once_while_a_clip_comes_and_the_next_run_goes_on(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host(seconds="60")
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    there.advance(120)
    there.set_faults({"on": "media", "do": {"rate": 100}})
    process = paid_film.start(*RUN, **there.env)
    part = part_of(paid_film)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("stopping: "):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    code, out, _ = ended(process)
    assert code == 130
    assert "exit 130: interrupted" in out
    assert part.exists()
    there.set_faults()
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert there.state["creates"] == 1


@pytest.mark.parametrize("gone", ["renamed", "deleted"])
def test_a_clip_of_a_storyboard_that_is_gone_is_shown_and_brought(
    paid_film: ContentRepo, host: Start, gone: str
) -> None:
    there, movie = host(seconds="0.5"), "storyboards/movie.yaml"
    left_behind(paid_film, there)
    text = (paid_film.root / FILM).read_text()
    (paid_film.root / FILM).unlink()
    paid_film.write(movie, text if gone == "renamed" else text.replace("The quay", "Another").replace("id: ", "id: a-"))
    assert "earlier version quay take 1 (" in (said := one_line(paid_film.storyboard("status", **there.env).out))
    assert "of storyboards/film.yaml, which no longer exists: 60 credits" in said
    [beside] = paid_film.storyboard("status", "--json", **there.env).json["earlier_versions"]
    assert (beside["storyboard"], beside["shot"], beside["status"]) == (FILM, "quay", "running")
    assert paid_film.storyboard("run", movie, "--no-cut", "--yes", **there.env).code == 0
    assert [path for path in paid_film.clips() if path.startswith("renders/film/kinovi/clips/quay/earlier/")] != []
    assert paid_film.storyboard("status", "--json", **there.env).json["earlier_versions"] == []
    assert there.state["creates"] == 3


def test_a_silent_host_holds_up_the_plan_not_at_all_and_the_run_once(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="60")
    left_behind(paid_film, there, ("Sunrise", "Dusk", "Night"))
    there.set_faults({"on": "poll", "times": 1, "do": {"stall": 300}}, {"on": "poll", "do": {"status": 503}})
    process = paid_film.start(*RUN, **there.env)
    assert process.stderr is not None
    ready, _, _ = select.select([process.stderr], [], [], 15)
    process.send_signal(signal.SIGINT)
    _, _, err = ended(process)
    assert ready, "not a word while the host is silent"
    assert "start" in err


def test_a_poll_that_was_not_answered_is_repeated_by_the_same_run(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="0.2")
    left_behind(paid_film, there, ("Sunrise", "Dusk", "Night"))
    there.set_faults({"on": "poll", "times": 2, "do": {"status": 503}})
    code, _, err = ended(paid_film.start(*RUN, "--concurrency", "5", **there.env))
    assert code == 0, err
    assert len(paid_film.clips()) == there.state["creates"] == 4


def test_earlier_tasks_that_keep_every_slot_are_asked_again_by_the_same_run(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host(seconds="0.2")
    left_behind(paid_film, there, ("Sunrise", "Dusk", "Night"))
    there.set_faults({"on": "poll", "times": 1, "do": {"status": 503}})
    code, _, err = ended(paid_film.start(*RUN, **there.env))
    assert (code, len(paid_film.clips())) == (0, 4), err


def nothing_left_to_make(film: ContentRepo) -> tuple[str, ...]:
    film.write(FILM, (film.root / FILM).read_text().replace("  - id: quay\n", "  - id: quay\n    skip: true\n"))
    return ("run", FILM, "--max-credits", "0", "--select", "quay")


@pytest.mark.parametrize("flag", ["--no-wait", "without a key"])
def test_a_task_of_earlier_words_is_told_and_waits_however_the_run_is_asked(
    paid_film: ContentRepo, host: Start, flag: str
) -> None:
    there = host(seconds="60")
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    run = nothing_left_to_make(paid_film)
    env = there.env | ({"SEEDANCE_API_KEY": ""} if flag == "without a key" else {})
    said = paid_film.storyboard(*run, *([flag] if flag.startswith("--") else []), **env)
    assert said.code == 9, said.err
    assert "earlier version quay take 1, task_" in one_line(said.out)
    assert said.out.startswith("The quay ")


def test_a_key_that_is_refused_at_an_earlier_task_ends_with_5(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="60")
    left_behind(paid_film, there)
    run = nothing_left_to_make(paid_film)
    there.set_faults({"on": "poll", "do": {"status": 401, "message": "bad key"}})
    said = paid_film.storyboard(*run, **there.env)
    assert said.code == 5, said.err
    assert "SEEDANCE_API_KEY" in said.out


def test_doubt_of_earlier_words_ends_with_6_until_it_is_settled(paid_film: ContentRepo, host: Start) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", LOST)))
    assert paid_film.storyboard(*RUN, **there.env).code == 6
    run = nothing_left_to_make(paid_film)
    said = paid_film.storyboard(*run, **there.env)
    assert said.code == 6, said.err
    assert "exit 6: one is unsettled" in said.out
    assert "storyboard settle film:quay#1" in one_line(said.out)
    assert paid_film.storyboard("settle", "film:quay#1", "--not-charged", **there.env).code == 0
    assert paid_film.storyboard(*run, **there.env).code == 0


def test_a_run_in_a_folder_that_was_deleted_is_told_so(paid_film: ContentRepo, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    shell = 'rmdir "$PWD"; exec "$0" -m runner run x.yaml'
    said = subprocess.run(
        ["sh", "-c", shell, sys.executable],
        cwd=folder,
        env=paid_film.env(PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in said.stderr
    assert said.stderr.startswith("storyboard: ")
    assert said.returncode == 3
