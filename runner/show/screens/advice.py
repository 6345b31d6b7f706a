"""Advice on a refused or failed take: the way out, and the field or material that the provider's message concerns."""

import re
from collections.abc import Callable, Iterable, Sequence

from runner.attempts.attempt import Attempt, AttemptState
from runner.diagnostics.problem import Place
from runner.editions.edition import Edition
from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern
from runner.providers.api import provider_api
from runner.requests.request import Kind, LocalFile, Material
from runner.show.text.escape import escape_terminal, one_line

FieldLocator = Callable[[Shot, str], Place | None]
"""The place of a shot's field in the storyboard, by the field's name (`materials.1` is the second); None if unknown."""
_NOT_RESENT = "it is not sent again until it changes"
# Materials in one advice, which is a line of the closing.
_MOST_NAMED = 4
# Entries of `errors[]`, a line each: a request that is wrong altogether can have one for each field.
_MOST_ERRORS = 6
_ALL_KINDS: tuple[Kind, ...] = ("image", "video", "audio")
# Words for one kind of material, as in `Uploaded image violates platform rules`.
_KINDS: dict[str, tuple[Kind, ...]] = {
    "image": ("image",),
    "picture": ("image",),
    "video": ("video",),
    "audio": ("audio",),
}
# A material as the provider's messages count it, from 1 within its kind: `Reference image 1`.
_NUMBERED = lazy_pattern(r"\b(image|picture|video|audio) ?#?(\d{1,3})\b", re.IGNORECASE)
# The provider's text begins so, in whatever case.
_NOT_FETCHED = "failed to download your reference"
_MATERIAL_WORDS: dict[str, tuple[Kind, ...]] = {
    **_KINDS,
    **dict.fromkeys(("photo", "frame", "face", "person"), ("image", "video")),
    **dict.fromkeys(("audio", "sound", "music"), ("audio",)),
    **dict.fromkeys(("upload", "media", "material", "reference", "file", "urls?\\b"), _ALL_KINDS),
}
# Patterns by which a refusal may name each field of the language.
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
# `change the prompt` is a sentence; the other fields are named as the file spells them.
_FIELD_LABELS = {"prompt": "the prompt"}


def no_location(shot: Shot, field: str) -> Place | None:
    """Locate no field: the shot's own place is shown instead."""
    return None


def advice(attempt: Attempt | None, provider: str, shot: Shot | None = None, locate: FieldLocator = no_location) -> str:
    """Advice on the change to make, by the provider's message, and on sending again; with a shot, names materials."""
    if attempt is None:
        return "the next run tries again"
    subject = _Subject(attempt.message, shot, locate)
    failure = attempt.failure
    if attempt.state is AttemptState.REFUSED and failure is None:
        # A refused request may bear the message of a failed task.
        failure = provider_api(provider).failure_class(attempt.message)
    if failure == "face":
        materials = subject.materials(("image", "video"), " in place of ")
        return f"give a drawn picture{materials}, or leave the person out; {_NOT_RESENT}"
    # Before moderation, in whose class the provider's table has it: another prompt or picture would not help.
    if _NOT_FETCHED in attempt.message.casefold():
        return f"the provider could not fetch {subject.moderated_parts()}; {_NOT_RESENT}, or --again"
    if failure == "moderation":
        return f"change {subject.moderated_parts()}; {_NOT_RESENT}"
    if attempt.state is AttemptState.REFUSED:
        # Fields that `errors[]` names follow on lines of their own; a guess by words could only contradict them.
        named_parts = "" if any(path for path, _ in attempt.errors) else subject.named_parts()
        return f"it may concern {named_parts}; {_NOT_RESENT}" if named_parts else f"{_NOT_RESENT}, or --again"
    if failure == "review":
        return "the clip did not pass the provider's review; the next run tries again"
    return "the next run tries again"


def material_advice(shot: Shot, material: Material, locate: FieldLocator) -> str:
    """The asset of a material that could not be published, with its line, and what the next run does."""
    number = shot.request.materials.index(material)
    place = locate(shot, f"materials.{number}")
    where = f" ({escape_terminal(place.file)}:{place.line})" if place is not None else ""
    name = shot.names[number] if number < len(shot.names) else ""
    asset = f"it is @{escape_terminal(name)}{where}; " if name else ""
    return f"{asset}no credit was spent, and the next run tries again"


@dataclass(frozen=True, slots=True)
class _Subject:
    """Fields and materials of a shot that a message may concern, each with its line in the storyboard."""

    message: str
    shot: Shot | None
    locate: FieldLocator

    def moderated_parts(self) -> str:
        """Parts that moderation rejects: `uploaded image violates …` means images, `input text …` the prompt."""
        # The first word that occurs: such a message is about one kind.
        for word, kinds in _KINDS.items():
            if self._mentions(word):
                return self.materials(kinds, "") or "what it shows"
        if self._mentions("text", "prompt"):
            return " or ".join(self._fields(("prompt",))) or "the prompt"
        parts = _short_list([*self._fields(("prompt",)), *self._materials(_ALL_KINDS)])
        return "what it says or shows" + (f": {parts}" if parts else "")

    def named_parts(self) -> str:
        """Fields and materials of the request that the refusal mentions."""
        fields = [name for name, patterns in _FIELD_WORDS.items() if self._mentions(*patterns)]
        kinds = dict.fromkeys(
            kind for word, word_kinds in _MATERIAL_WORDS.items() if self._mentions(word) for kind in word_kinds
        )
        return _short_list([*self._fields(fields), *self._materials(tuple(kinds))])

    def materials(self, kinds: tuple[Kind, ...], lead: str) -> str:
        """The shot's materials of these kinds by the user's names, after `lead`; "" when there are none."""
        names = _short_list(self._materials(kinds))
        return f"{lead}{names}" if names else ""

    def _mentions(self, *patterns: str) -> bool:
        # The end of a word is open, for `images` and `aspectRatio`; where it must not be, the pattern closes it.
        return any(re.search(rf"\b{pattern}", self.message, re.IGNORECASE) for pattern in patterns)

    def _materials(self, kinds: tuple[Kind, ...]) -> list[str]:
        """Materials of these kinds, each once: `maria (storyboards/assets/maria.png), storyboards/film.yaml:9`.

        Those that the message counts (`Reference image 1`) stand for all others of the shot.
        """
        if self.shot is None:
            return []
        names: dict[str, str] = {}
        counted = self._counted(self.shot)
        for number, material in enumerate(self.shot.request.materials):
            if material.kind in kinds and (not counted or number in counted):
                name = material_name(self.shot, number)
                names.setdefault(name, self._at(name, f"materials.{number}"))
        return list(names.values())

    def _counted(self, shot: Shot) -> frozenset[int]:
        """Numbers of the shot's materials that the message counts, as far as the shot has them."""
        counted = {(kind.lower(), int(number)) for kind, number in _NUMBERED.findall(self.message)}
        numbers = set()
        counts = dict.fromkeys(_ALL_KINDS, 0)
        for number, material in enumerate(shot.request.materials):
            counts[material.kind] += 1
            if any(material.kind in _KINDS[kind] and count == counts[material.kind] for kind, count in counted):
                numbers.add(number)
        return frozenset(numbers)

    def _fields(self, names: Iterable[str]) -> list[str]:
        if self.shot is None:
            return []
        request = self.shot.request
        values = {name: getattr(request, name, None) for name in _FIELD_WORDS} | {"duration": request.seconds}
        return [self._at(_FIELD_LABELS.get(name, name), name) for name in names if values.get(name)]

    def _at(self, name: str, field: str) -> str:
        place = self.locate(self.shot, field) if self.shot is not None else None
        return name if place is None else f"{name} ({escape_terminal(place.file)}:{place.line})"


def _short_list(names: Sequence[str]) -> str:
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return " or ".join([*names[:_MOST_NAMED], *more])


def material_name(shot: Shot, number: int) -> str:
    """The user's name for the shot's material of this number, with its file unless the name contains it."""
    material = shot.request.materials[number]
    name = shot.names[number] if number < len(shot.names) else ""
    source = material.name if isinstance(material, LocalFile) else getattr(material, "url", "") or str(material)
    if not name:
        return escape_terminal(source)
    return escape_terminal(f"{name} ({source})" if isinstance(material, LocalFile) and name not in source else name)


def field_errors(
    attempt: Attempt | None, provider: str, shot: Shot, edition: Edition, locate: FieldLocator
) -> list[str]:
    """The provider's `errors[]` by the language's own field names: `resolution (storyboards/film.yaml:4): "…"`."""
    errors = attempt.errors if attempt is not None else ()
    lines = [_field_error(path, message, provider, shot, edition, locate) for path, message in errors if path]
    more = [f"and {len(lines) - _MOST_ERRORS} more"] if len(lines) > _MOST_ERRORS else []
    return [*dict.fromkeys(lines[:_MOST_ERRORS]), *more]


def _field_error(path: str, message: str, provider: str, shot: Shot, edition: Edition, locate: FieldLocator) -> str:
    api = provider_api(provider)
    field, number = api.field_at(path, edition), api.material_at(path, shot.request, edition)
    name = field or f"`{one_line(path, 80)}`"
    fields: tuple[str, ...] = (field or "inputs",)
    if number is not None:
        name, fields = material_name(shot, number), (f"materials.{number}",)
    elif field == "materials":
        # The provider's path has no number: the first of these fields that the shot has is where materials come from.
        fields = ("first_frame", "references", "prompt")
    place = next((location for candidate in fields if (location := locate(shot, candidate)) is not None), shot.place)
    return f'{name} ({escape_terminal(place.file)}:{place.line}): "{one_line(message, 200)}"'
