"""The places of a shot's fields in its files, for messages about what the provider refused."""

from collections.abc import Mapping

from runner.app.project import StoryboardSources
from runner.attempts.film import ShotKey
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import Place
from runner.language.model import Shot
from runner.show.screens.advice import FieldLocator

# Shots that are located; each of them compiles the storyboards again.
_MAX_SHOTS = 5


def field_locator(sources: StoryboardSources) -> FieldLocator:
    """Return a locator of fields by name; it finds none for a shot that changed during the run."""
    fields_by_shot: dict[ShotKey, Mapping[str, Place]] = {}

    def locate(shot: Shot, field: str) -> Place | None:
        name = shot.key
        if name not in fields_by_shot and len(fields_by_shot) < _MAX_SHOTS:
            fields_by_shot[name] = _fields(sources, shot)
        return fields_by_shot.get(name, {}).get(field)

    return locate


def _fields(sources: StoryboardSources, shot: Shot) -> Mapping[str, Place]:
    from runner.language.explain import explain_shot

    try:
        explanation = explain_shot(sources.files, sources.root, sources.options, shot.key)
    except Failure:
        # The storyboard was edited meanwhile: the message stands without a place.
        return {}
    # Lines of a text that changed since it was sent would point at the wrong words.
    if explanation is None or explanation.shot.request != shot.request:
        return {}
    fields = {value.name: value.place for value in explanation.fields if value.place is not None}
    if explanation.prompt_at is not None:
        fields["prompt"] = explanation.prompt_at
    return fields | {f"materials.{number}": place for number, place in enumerate(explanation.sources)}
