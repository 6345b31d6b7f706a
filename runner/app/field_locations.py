"""Where a shot's fields are said: what the provider refuses is told with its file and line."""

from collections.abc import Mapping

from runner.app.session import Session
from runner.diagnostics.problem import CommandError, Place
from runner.language.model import Shot
from runner.show.screens.advice import FieldLocator

_MOST = 5
"""Shots that are looked up; each reads the storyboards again."""


def field_locator(session: Session) -> FieldLocator:
    """Looks fields up by name; none for a shot that was changed while the run worked."""
    known: dict[tuple[str, str], Mapping[str, Place]] = {}

    def place(shot: Shot, field: str) -> Place | None:
        name = (shot.storyboard, shot.id)
        if name not in known and len(known) < _MOST:
            known[name] = _fields(session, shot)
        return known.get(name, {}).get(field)

    return place


def _fields(session: Session, shot: Shot) -> Mapping[str, Place]:
    from runner.language.explain import explain_shot

    try:
        found = explain_shot(session.files, session.settings.root, session.options, shot.storyboard, shot.id)
    except CommandError:
        return {}
    if found is None or found.shot.request != shot.request:
        return {}
    fields = {said.name: said.place for said in found.fields if said.place is not None}
    if found.prompt_at is not None:
        fields["prompt"] = found.prompt_at
    return fields | {f"materials.{number}": place for number, place in enumerate(found.sources)}
