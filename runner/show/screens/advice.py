"""What to do about a take that the provider refused or failed, in a few words; and which field or material it means."""

import re
from collections.abc import Callable, Iterable, Sequence

from runner.attempts.history import Attempt, AttemptState
from runner.diagnostics.problem import Place
from runner.editions.edition import Edition
from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.providers.kinovi.request_body import field_at, material_at
from runner.providers.kinovi.task_record import failure_class
from runner.requests.request import Kind, LocalFile
from runner.show.text.escape import escape_terminal, one_line

FieldLocator = Callable[[Shot, str], Place | None]
"""Where a field of a shot is said, by its name (`materials.1` is its second); None when nobody can tell."""
_STAYS = "it is not sent again until it changes"
_MOST_NAMED = 4
_MOST_ERRORS = 6
_ALL: tuple[Kind, ...] = ("image", "video", "audio")
_KINDS: dict[str, tuple[Kind, ...]] = {"image": ("image",), "picture": ("image",), "video": ("video",)}
_MATERIAL_WORDS: dict[str, tuple[Kind, ...]] = {
    **_KINDS,
    **dict.fromkeys(("photo", "frame", "face", "person"), ("image", "video")),
    **dict.fromkeys(("audio", "sound", "music"), ("audio",)),
    **dict.fromkeys(("upload", "media", "material", "reference", "file", "urls?\\b"), _ALL),
}
_FIELD_WORDS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "text", "content"),
    "duration": ("duration", "seconds?\\b", "length"),
    "resolution": ("resolution", "outputResolution"),
    "upscale": ("upscal",),
    "aspect_ratio": ("aspect", "ratio\\b"),
    "model": ("model",),
    "mode": ("mode\\b",),
    "seed": ("seed\\b",),
}
"""Our fields, and how a refusal may call them."""
_CALLED = {"prompt": "the prompt"}


def no_location(shot: Shot, field: str) -> Place | None:
    """Looks nothing up: the shot's own place has to do."""
    return None


def advice(attempt: Attempt | None, shot: Shot | None = None, places: FieldLocator = no_location) -> str:
    """By what the provider said: what to change, and whether it is sent again; with a shot, which material and line."""
    if attempt is None:
        return "the next run tries again"
    about = _Subject(attempt.message, shot, places)
    failure = attempt.failure
    if attempt.state is AttemptState.REFUSED and failure is None:
        failure = failure_class(attempt.message)  # the words of a task, said of the request already
    if failure == "face":
        instead = about.materials(("image", "video"), " in place of ")
        return f"give a drawn picture{instead}, or leave the person out; {_STAYS}"
    if failure == "moderation":
        return f"change {about.shown()}; {_STAYS}"
    if attempt.state is AttemptState.REFUSED:
        meant = "" if any(path for path, _ in attempt.errors) else about.meant()
        return f"it can mean {meant}; {_STAYS}" if meant else f"{_STAYS}, or --again"
    if failure == "review":
        return "the clip did not pass the provider's review; the next run tries again"
    return "the next run tries again"


@dataclass(frozen=True, slots=True)
class _Subject:
    """What words can be about, of all that a shot asks for: each with the line where the user said it."""

    said: str
    shot: Shot | None
    places: FieldLocator

    def shown(self) -> str:
        """What moderation means: `uploaded image violates …` is about pictures, `input text violates …` the prompt."""
        for word, kinds in _KINDS.items():
            if self._says(word):
                return self.materials(kinds, "") or "what it shows"
        if self._says("text", "prompt"):
            return " or ".join(self._fields(("prompt",))) or "the prompt"
        every = _some([*self._fields(("prompt",)), *self._materials(_ALL)])
        return "what it says or shows" + (f": {every}" if every else "")

    def meant(self) -> str:
        """The fields and materials of the request that a refusal names in its own words."""
        named = [name for name, words in _FIELD_WORDS.items() if self._says(*words)]
        kinds = dict.fromkeys(kind for word, found in _MATERIAL_WORDS.items() if self._says(word) for kind in found)
        return _some([*self._fields(named), *self._materials(tuple(kinds))])

    def materials(self, kinds: tuple[Kind, ...], lead: str) -> str:
        """The shot's materials of these kinds, as the user calls them, after a lead; "" when there are none."""
        found = _some(self._materials(kinds))
        return f"{lead}{found}" if found else ""

    def _says(self, *words: str) -> bool:
        return any(re.search(rf"\b{word}", self.said, re.IGNORECASE) for word in words)

    def _materials(self, kinds: tuple[Kind, ...]) -> list[str]:
        """Each once: `maria (storyboards/assets/maria.png), storyboards/film.yaml:9`."""
        if self.shot is None:
            return []
        found: dict[str, str] = {}
        for number, material in enumerate(self.shot.request.materials):
            if material.kind in kinds:
                name = material_name(self.shot, number)
                found.setdefault(name, self._at(name, f"materials.{number}"))
        return list(found.values())

    def _fields(self, names: Iterable[str]) -> list[str]:
        if self.shot is None:
            return []
        request = self.shot.request
        asked = {"duration": request.seconds} | {name: getattr(request, name, None) for name in _FIELD_WORDS}
        return [self._at(_CALLED.get(name, name), name) for name in names if asked.get(name) or name == "duration"]

    def _at(self, name: str, field: str) -> str:
        place = self.places(self.shot, field) if self.shot is not None else None
        return name if place is None else f"{name} ({escape_terminal(place.file)}:{place.line})"


def _some(names: Sequence[str]) -> str:
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return " or ".join([*names[:_MOST_NAMED], *more])


def material_name(shot: Shot, number: int) -> str:
    """The name that the user wrote for one of its materials, and the file if it is one and the name does not say so."""
    material = shot.request.materials[number]
    name = shot.names[number] if number < len(shot.names) else ""
    what = material.path if isinstance(material, LocalFile) else getattr(material, "url", "") or str(material)
    if not name:
        return escape_terminal(what)
    return escape_terminal(f"{name} ({what})" if isinstance(material, LocalFile) and name not in what else name)


def field_errors(attempt: Attempt | None, shot: Shot, edition: Edition, places: FieldLocator) -> list[str]:
    """What the provider's `errors[]` are about, each in our words: `resolution (storyboards/film.yaml:4): "…"`."""
    errors = attempt.errors if attempt is not None else ()
    lines = [_pointed(path, said, shot, edition, places) for path, said in errors if path]
    more = [f"and {len(lines) - _MOST_ERRORS} more"] if len(lines) > _MOST_ERRORS else []
    return [*dict.fromkeys(lines[:_MOST_ERRORS]), *more]


def _pointed(path: str, said: str, shot: Shot, edition: Edition, places: FieldLocator) -> str:
    ours, number = field_at(path, edition), material_at(path, shot.request, edition)
    name = ours or f"`{one_line(path, 80)}`"
    fields: tuple[str, ...] = (ours or "inputs",)
    if number is not None:
        name, fields = material_name(shot, number), (f"materials.{number}",)
    elif ours == "materials":
        fields = ("first_frame", "references", "prompt")
    place = next((found for field in fields if (found := places(shot, field)) is not None), shot.place)
    return f'{name} ({escape_terminal(place.file)}:{place.line}): "{one_line(said, 200)}"'
