"""What an animatic is asked for: plain values that travel as JSON to the process that draws."""

from collections.abc import Mapping
from pathlib import Path

from runner.lazy_dataclass import dataclass
from runner.requests.request import JsonValue, Kind


@dataclass(frozen=True, slots=True)
class Reference:
    """One material of a request in reference mode."""

    kind: Kind
    label: str
    """As the prompt names it: `image1`, `video2`, `audio1`."""
    path: Path | None = None
    """The file on this machine; None for what lies elsewhere, which is drawn as its address."""
    address: str = ""


@dataclass(frozen=True, slots=True)
class AnimaticSpec:
    """One clip to draw: the same order gives the same bytes on one machine."""

    model: str
    prompt: str
    seconds: int
    width: int
    """Pixels of the finished clip, as asked: a multiple of 2."""
    height: int
    first: Path | None = None
    """The picture that the clip opens with."""
    last: Path | None = None
    """The picture that the clip ends with."""
    first_address: str = ""
    """Where the first frame lies when it is not on this machine; it is drawn as this address."""
    last_address: str = ""
    references: tuple[Reference, ...] = ()
    variation: int = 0
    """0 for the first task with this body, then 1, 2, …: another tint and another move."""
    sound: bool = True
    """False leaves the clip without a sound track, as a request for none does."""


def to_json(order: AnimaticSpec) -> dict[str, JsonValue]:
    """The order as plain JSON; `from_json` gives an equal one back."""
    return {
        "model": order.model,
        "prompt": order.prompt,
        "seconds": order.seconds,
        "width": order.width,
        "height": order.height,
        "first": _text(order.first),
        "last": _text(order.last),
        "first_address": order.first_address,
        "last_address": order.last_address,
        "references": [_reference_json(reference) for reference in order.references],
        "variation": order.variation,
        "sound": order.sound,
    }


def from_json(form: Mapping[str, JsonValue]) -> AnimaticSpec:
    """The order that `to_json` wrote; KeyError or TypeError for anything else, since nobody but us writes it."""
    references = form["references"]
    if not isinstance(references, list):
        raise TypeError("references: a list is expected")
    return AnimaticSpec(
        model=_string(form["model"]),
        prompt=_string(form["prompt"]),
        seconds=_number(form["seconds"]),
        width=_number(form["width"]),
        height=_number(form["height"]),
        first=_path(form["first"]),
        last=_path(form["last"]),
        first_address=_string(form["first_address"]),
        last_address=_string(form["last_address"]),
        references=tuple(_reference(item) for item in references),
        variation=_number(form["variation"]),
        sound=form["sound"] is not False,
    )


def _reference_json(reference: Reference) -> dict[str, JsonValue]:
    return {
        "kind": reference.kind,
        "label": reference.label,
        "path": _text(reference.path),
        "address": reference.address,
    }


def _reference(form: JsonValue) -> Reference:
    if not isinstance(form, dict):
        raise TypeError("a reference is an object")
    kind = form["kind"]
    if kind not in ("image", "video", "audio"):
        raise TypeError(f"no kind of material: {kind!r}")
    # Spelled out for the type checker, which does not narrow a string by `in`.
    known: Kind = "image" if kind == "image" else "video" if kind == "video" else "audio"
    return Reference(known, _string(form["label"]), _path(form["path"]), _string(form["address"]))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(value: JsonValue) -> Path | None:
    return None if value is None else Path(_string(value))


def _string(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is expected, not {value!r}")
    return value


def _number(value: JsonValue) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number is expected, not {value!r}")
    return value
