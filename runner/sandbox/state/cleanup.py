"""What a server does before it begins: lets go of files and records whose days are over, if nobody else is there."""

from collections.abc import Callable
from pathlib import Path

from runner.sandbox.api import rulebook as page
from runner.sandbox.state.journal import Journal, Line

_EVERY = 86400
LONG = 4 << 20
"""A journal is made shorter from this many bytes on; before, it is read in no time."""


def clean_up(folder: Path, now: float, alone: Callable[[], bool], long: int = LONG) -> None:
    """Drop media, uploads and records that no request could get any more, by the machine's own clock.

    A folder whose clock was ever set is left alone: there, time may go back. `alone` is asked while nobody else can
    open the journal: who gave a sign of life before is seen, who gives one later opens the shorter file.
    """
    journal, last = Journal(folder), folder / "tidied"
    try:
        with journal.held():
            if not alone():
                return
            for part in folder.glob("*/*.part"):
                part.unlink(missing_ok=True)  # a process was killed over it
            if last.exists() and now - last.stat().st_mtime < _EVERY:
                return
            _let_go(folder, journal, now, long)
            last.touch()
    finally:
        journal.close()


def _let_go(folder: Path, journal: Journal, now: float, long: int) -> None:
    lines = journal.news()
    if any(line.get("event") == "clock" for line in lines):
        return
    for line in lines:
        _drop_files(folder, line, now)
    past = {str(line["id"]) for line in lines if line.get("event") == "task" and _is_past(line, now)}
    past |= {str(line["id"]) for line in lines if line.get("event") == "upload" and _is_spent(line, now)}
    if past and journal.size() >= long:
        journal.shorten(lambda line: line.get("id") not in past)


def _drop_files(folder: Path, line: Line, now: float) -> None:
    name, age = str(line.get("id")), now - _made(line, now)
    if line.get("event") == "task" and age > page.MEDIA_DAYS * 86400:
        (folder / "clips" / f"{name}.mp4").unlink(missing_ok=True)
        (folder / "clips" / f"{name}.png").unlink(missing_ok=True)
    if line.get("event") == "upload" and _is_spent(line, now):
        (folder / "uploads" / f"{name}{Path(str(line.get('name'))).suffix.lower()}").unlink(missing_ok=True)


def _is_past(line: Line, now: float) -> bool:
    return now - _made(line, now) > page.RECORD_DAYS * 86400


def _is_spent(line: Line, now: float) -> bool:
    """A task that waits for its clip may still draw an upload after its hours: a day more."""
    return now - _made(line, now) > 2 * page.UPLOAD_HOURS * 3600


def _made(line: Line, now: float) -> float:
    made = line.get("made")
    return made if isinstance(made, int | float) else now
