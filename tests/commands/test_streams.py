"""Standard streams that are closed, full, or left by their reader: the exit code is true, nothing is lost."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo
from tests.commands.conftest import Host

BOARD = "storyboards/film.yaml"
NO_ANSWER = "faults: 1\nrules:\n  - {on: create, times: 1, do: {answer: none}}\n"
CLOSED = ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-")
ENDINGS: list[tuple[tuple[str, ...], int]] = [
    (("--version",), 0),
    (("--help",), 0),
    (("plan",), 0),
    (("plan", "--json", "--exit-code"), 8),
    (("validate", "no-such-file.yaml"), 3),
    (("no-such-command",), 2),
    (("prices",), 0),
    (("schema",), 0),
]
CLOSINGS = [
    pytest.param(closed, words, code, marks=() if (place + number) % 3 == 0 else pytest.mark.long)
    for place, closed in enumerate(CLOSED)
    for number, (words, code) in enumerate(ENDINGS)
]
"""Each way of closing with each ending; `make test` takes a third, in which every way and every ending is."""


def in_shell(film: ContentRepo, line: str, *words: str, **env: str) -> CommandResult:
    """The command with the streams that a line of bash gives it; `"$@"` stands for the command."""
    done = subprocess.run(
        ["bash", "-c", line, "-", sys.executable, "-m", "runner", *words],
        cwd=film.root,
        env=film.env(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("closed", "words", "code"), CLOSINGS)
def test_a_closed_stream_leaves_the_exit_code(
    film: ContentRepo, closed: str, words: tuple[str, ...], code: int
) -> None:
    said = in_shell(film, f'exec "$@" {closed}', *words)
    assert said.code == code, said.err
    assert "defect" not in said.err
    assert "Traceback" not in said.out + said.err


@pytest.mark.parametrize(("words", "code"), ENDINGS)
def test_a_reader_that_leaves_early_leaves_the_exit_code(film: ContentRepo, words: tuple[str, ...], code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as abandoned:
        done = subprocess.run(
            [sys.executable, "-m", "runner", *words], cwd=film.root, env=film.env(), stdin=subprocess.DEVNULL,
            stdout=abandoned, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("words", "code"), ENDINGS)
def test_output_that_is_full_is_exit_3_unless_the_command_failed(
    film: ContentRepo, words: tuple[str, ...], code: int
) -> None:
    said = in_shell(film, 'exec "$@" >/dev/full', *words)
    assert said.code == (3 if code in (0, 8) else code)
    assert "a defect of storyboard" not in said.err
    assert "Traceback" not in said.err
    if code in (0, 8):
        assert "standard output cannot be written (No space left on device)" in said.err


def test_messages_that_are_full_leave_the_exit_code(film: ContentRepo) -> None:
    for words, code in ENDINGS:
        assert in_shell(film, 'exec "$@" 2>/dev/full', *words).code == code


@pytest.mark.parametrize(
    ("streams", "form"),
    [
        (">&-", ()),
        ("<&- >&- 2>&-", ("--json",)),
        ("2>/dev/full", ()),
        pytest.param(">&-", ("--json",), marks=pytest.mark.long),
        pytest.param("<&- >&- 2>&-", (), marks=pytest.mark.long),
        pytest.param("2>/dev/full", ("--json",), marks=pytest.mark.long),
    ],
)
def test_a_paid_run_with_poor_streams_makes_and_records_all(
    paid_film: ContentRepo, host: Callable[..., Host], streams: str, form: tuple[str, ...]
) -> None:
    there = host()
    assert in_shell(paid_film, f'exec "$@" {streams}', "run", BOARD, "--yes", *form, **there.env).code == 0
    assert len(paid_film.clips()) == 2
    assert paid_film.storyboard("run", BOARD, "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_paid_run_whose_output_is_full_makes_all_and_is_exit_3(
    paid_film: ContentRepo, host: Callable[..., Host], form: tuple[str, ...]
) -> None:
    there = host()
    said = in_shell(paid_film, 'exec "$@" >/dev/full', "run", BOARD, "--yes", *form, **there.env)
    assert said.code == 3
    assert "standard output cannot be written" in said.err
    assert len(paid_film.clips()) == 2
    assert paid_film.storyboard("run", BOARD, "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


@pytest.mark.parametrize("streams", [">&-", ">/dev/full", "<&- >&- 2>&-"])
def test_an_unsettled_attempt_is_exit_6_whatever_the_streams(
    paid_film: ContentRepo, host: Callable[..., Host], streams: str
) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", NO_ANSWER)))
    words = ("run", BOARD, "--yes", "--select", "quay")
    assert in_shell(paid_film, f'exec "$@" {streams}', *words, **there.env).code == 6
    assert paid_film.storyboard("status", "--json", **there.env).json["totals"]["unsettled"] == 1
