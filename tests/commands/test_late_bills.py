"""A bill that is whole some minutes after the clip: said at the end of a run, and read by the next run or fetch."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from runner.clock import format_utc
from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

BOARD = "storyboards/film.yaml"
FILM = """\
storyboard: 1
assets:
  waltz: {video: "https://cdn.example.com/waltz.mp4", seconds: 2}
shots:
  - {id: SH010, model: seedance2-5, prompt: "She dances like @waltz"}
"""
WHOLE, FIRST = (5 + 2) * 35, 5 * 35


def success_was(film: ContentRepo, ago: timedelta) -> None:
    """Puts the success of every task into the past, as far as the ledger knows."""
    ended_at = format_utc(datetime.now(UTC) - ago)
    with sqlite3.connect(film.state / "ledger.db") as db:
        for serial, folded in db.execute("SELECT serial, folded FROM attempt").fetchall():
            *rest, state = folded.split("\n")
            changed = json.dumps({**json.loads(state), "ended_at": ended_at})
            db.execute("UPDATE attempt SET folded = ? WHERE serial = ?", ("\n".join([*rest, changed]), serial))
    db.close()


def billed(film: ContentRepo, there: Host) -> float:
    total: float = film.storyboard("spend", BOARD, "--json", **there.env).json["total"]["billed"]
    return total


@pytest.fixture
def ordered(paid_film: ContentRepo, host: Callable[..., Host]) -> Host:
    """A host, with one clip that is made and whose bill is not whole."""
    paid_film.write("storyboard.toml", '[providers.kinovi]\nedition = "2026-10"\n')
    paid_film.write(BOARD, FILM)
    there = host("--edition", "2026-10", "--local-materials")
    made = paid_film.storyboard("run", BOARD, "--no-cut", "--max-credits", str(WHOLE), **there.env)
    assert made.code == 0, made.out + made.err
    assert f"bill not final: SH010 ({FIRST} so far, {WHOLE} expected)" in made.out
    assert billed(paid_film, there) == FIRST
    return there


@pytest.mark.parametrize("command", ["run", "fetch"])
def test_the_next_command_reads_the_whole_bill(paid_film: ContentRepo, ordered: Host, command: str) -> None:
    ordered.advance(600)
    success_was(paid_film, timedelta(minutes=10))

    said = paid_film.storyboard(command, BOARD, **ordered.env)

    assert said.code == 0, said.out + said.err
    assert "bill not final" not in said.out
    assert billed(paid_film, ordered) == ordered.state["charged"] == WHOLE
    assert ordered.state["creates"] == 1


def test_a_bill_that_is_not_due_is_not_asked_for(paid_film: ContentRepo, ordered: Host) -> None:
    before = sum(ordered.state["answers"].values())
    for command in ("run", "fetch"):
        assert paid_film.storyboard(command, BOARD, **ordered.env).code == 0
    # The only request since then is the one that asked for the state.
    assert sum(ordered.state["answers"].values()) - before == 1
