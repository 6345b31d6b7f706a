"""What to do about a take that the provider refused or failed, in a few words; and which field or material it means."""

from collections.abc import Callable

from runner.edition.edition import Edition
from runner.edition.wire import field_of, material_at
from runner.history import Attempt, State
from runner.language.board import Shot
from runner.problems import Place
from runner.request import Kind, LocalFile
from runner.show.clean import clean, words

Places = Callable[[Shot, str], Place | None]
"""Where a field of a shot is said, by its name (`materials.1` is its second); None when nobody can tell."""
_STAYS = "it is not sent again until it changes"
_MOST_NAMED = 4
_MOST_ERRORS = 6
_KINDS: dict[str, tuple[Kind, ...]] = {"image": ("image",), "picture": ("image",), "video": ("video",)}


def nowhere(shot: Shot, field: str) -> Place | None:
    """Looks nothing up: the shot's own place has to do."""
    return None


def advice(attempt: Attempt | None, shot: Shot | None = None) -> str:
    """By what the provider said: what to change, and whether it is sent again; with a shot, in which material."""
    failure = attempt.failure if attempt is not None else None
    if failure == "face":
        instead = _named(shot, ("image", "video"), " in place of ")
        return f"give a drawn picture{instead}, or leave the person out; {_STAYS}"
    if failure == "moderation":
        return f"change {_what(attempt.words if attempt is not None else '', shot)}; {_STAYS}"
    if attempt is not None and attempt.state is State.REFUSED:
        return _STAYS
    if failure == "review":
        return "the clip did not pass the provider's review; the next run tries again"
    return "the next run tries again"


def _what(said: str, shot: Shot | None) -> str:
    """What the words are about: `uploaded image violates …` is about pictures, `input text violates …` the prompt."""
    folded = said.casefold()
    for word, kinds in _KINDS.items():
        if word in folded:
            return _named(shot, kinds, "") or "what it shows"
    return "the prompt" if "text" in folded or "prompt" in folded else "what it says or shows"


def _named(shot: Shot | None, kinds: tuple[Kind, ...], lead: str) -> str:
    """The shot's materials of these kinds, as the user calls them: `maria (storyboards/assets/maria.png) or door`."""
    if shot is None:
        return ""
    found = [number for number, material in enumerate(shot.request.materials) if material.kind in kinds]
    names = list(dict.fromkeys(material_name(shot, number) for number in found))
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return f"{lead}{' or '.join([*names[:_MOST_NAMED], *more])}" if names else ""


def material_name(shot: Shot, number: int) -> str:
    """The name that the user wrote for one of its materials, and the file if it is one and the name does not say so."""
    material = shot.request.materials[number]
    name = shot.names[number] if number < len(shot.names) else ""
    what = material.path if isinstance(material, LocalFile) else getattr(material, "url", "") or str(material)
    if not name:
        return clean(what)
    return clean(f"{name} ({what})" if isinstance(material, LocalFile) and name not in what else name)


def pointed(attempt: Attempt | None, shot: Shot, edition: Edition, places: Places) -> list[str]:
    """What the provider's `errors[]` are about, each in our words: `resolution (storyboards/film.yaml:4): "…"`."""
    errors = attempt.errors if attempt is not None else ()
    lines = [_pointed(path, said, shot, edition, places) for path, said in errors if path]
    more = [f"and {len(lines) - _MOST_ERRORS} more"] if len(lines) > _MOST_ERRORS else []
    return [*dict.fromkeys(lines[:_MOST_ERRORS]), *more]


def _pointed(path: str, said: str, shot: Shot, edition: Edition, places: Places) -> str:
    ours, number = field_of(path, edition), material_at(path, shot.request, edition)
    name = ours or f"`{words(path, 80)}`"
    fields: tuple[str, ...] = (ours or "inputs",)
    if number is not None:
        name, fields = material_name(shot, number), (f"materials.{number}",)
    elif ours == "materials":
        fields = ("first_frame", "references", "prompt")
    place = next((found for field in fields if (found := places(shot, field)) is not None), shot.place)
    return f'{name} ({clean(place.file)}:{place.line}): "{words(said, 200)}"'
