"""Cleanup at the start of a server: deletes expired files and records when no other server is running."""

from collections.abc import Callable
from pathlib import Path

from runner.sandbox import rulebook
from runner.sandbox.state.journal import Journal, Line

# Once a day: to look through all clips takes time at each start.
_INTERVAL_SECONDS = 86400
COMPACT_FROM = 4 << 20
"""Bytes from which a journal is compacted; a smaller one is read in no time."""


def clean_up(folder: Path, now: float, is_alone: Callable[[], bool], compact_from: int = COMPACT_FROM) -> None:
    """Delete media, uploads and records past their retention, by the machine's own clock.

    A folder whose clock was ever set is skipped: its time may go back. `is_alone` is called while the journal is
    locked: a server registered before is seen, one registered later opens the compacted file.
    """
    journal, last_run = Journal(folder), folder / "tidied"
    try:
        with journal.locked():
            if not is_alone():
                return
            for part in folder.glob("*/*.part"):
                part.unlink(missing_ok=True)  # left by a killed process
            if last_run.exists() and now - last_run.stat().st_mtime < _INTERVAL_SECONDS:
                return
            _drop_expired(folder, journal, now, compact_from)
            last_run.touch()
    finally:
        journal.close()


def _drop_expired(folder: Path, journal: Journal, now: float, compact_from: int) -> None:
    lines = journal.read_new()
    if any(line.get("event") == "clock" for line in lines):
        return
    for line in lines:
        _drop_files(folder, line, now)
    expired = {str(line["id"]) for line in lines if line.get("event") == "task" and _is_record_expired(line, now)}
    expired |= {str(line["id"]) for line in lines if line.get("event") == "upload" and _is_upload_expired(line, now)}
    if expired and journal.size() >= compact_from:
        journal.shorten(lambda line: line.get("id") not in expired)


def _drop_files(folder: Path, line: Line, now: float) -> None:
    name, age = str(line.get("id")), now - _created_at(line, now)
    if line.get("event") == "task" and age > rulebook.MEDIA_DAYS * 86400:
        (folder / "clips" / f"{name}.mp4").unlink(missing_ok=True)
        # Last frames, by the models that have PNG and JPEG.
        for ending in (".png", ".jpg"):
            (folder / "clips" / f"{name}{ending}").unlink(missing_ok=True)
    if line.get("event") == "upload" and _is_upload_expired(line, now):
        (folder / "uploads" / f"{name}{Path(str(line.get('name'))).suffix.lower()}").unlink(missing_ok=True)


def _is_record_expired(line: Line, now: float) -> bool:
    return now - _created_at(line, now) > rulebook.RECORD_DAYS * 86400


def _is_upload_expired(line: Line, now: float) -> bool:
    """Whether an upload has expired, with a day of grace: a waiting task may still draw it."""
    return now - _created_at(line, now) > 2 * rulebook.UPLOAD_HOURS * 3600


def _created_at(line: Line, now: float) -> float:
    created_at = line.get("made")
    return created_at if isinstance(created_at, int | float) else now
