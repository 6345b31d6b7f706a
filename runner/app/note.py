"""A person's notes about takes: read from the manifest, and written into it."""

from runner.app.manifest_files import ManifestFiles
from runner.app.manifests import write_note
from runner.clock import SystemClock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Shot, Storyboard
from runner.timeline.shot_note import ShotNote

MOST_CHARACTERS = 4000
"""Of a note: longer ones are documents, and every clone carries the manifest that holds them."""


def notes_of(manifests: ManifestFiles, storyboard: Storyboard) -> dict[str, list[ShotNote]]:
    """The notes of the manifest by shot, as far as they have the form that this version writes."""
    manifest = manifests.read(storyboard)
    notes: dict[str, list[ShotNote]] = {}
    for entry in manifest.content["shots"] if manifest is not None else ():
        for note in entry.get("notes") or ():
            at, take, text = note.get("at"), note.get("take"), note.get("text")
            if isinstance(at, str) and isinstance(take, int) and isinstance(text, str):
                notes.setdefault(entry["id"], []).append(ShotNote(text, at, take))
    return notes


def note_take(manifests: ManifestFiles, storyboard: Storyboard, shot: Shot, take: int, text: str) -> None:
    """Add a note about a take of a storyboard's shot. Raises `CommandError` for an empty or a long text."""
    words = text.strip()
    if not words:
        raise CommandError(ExitCode.USAGE, f"the note about {shot.id} is empty: nothing was written")
    if len(words) > MOST_CHARACTERS:
        message = f"the note about {shot.id} has {len(words):,} characters; at most {MOST_CHARACTERS:,} fit"
        raise CommandError(ExitCode.USAGE, message)
    write_note(manifests, storyboard, shot.id, take, SystemClock().now(), words)
