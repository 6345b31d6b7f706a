"""Specification of an animatic: plain values that travel as JSON to the drawing process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from runner.lazy_dataclass import dataclass

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
ReferenceKind = Literal["image", "video", "audio"]


@dataclass(frozen=True, slots=True)
class Reference:
    """One material of a request in reference mode."""

    kind: ReferenceKind
    label: str
    """Name in the prompt: `image1`, `video2`, `audio1`."""
    path: Path | None = None
    """The file on this machine; None for a remote material, which is drawn as its address."""
    address: str = ""
    name: str = ""
    """The file's name without its ending, which may tell what it shows."""


@dataclass(frozen=True, slots=True)
class AnimaticSpec:
    """One clip to draw: the same spec gives the same bytes on one machine."""

    model: str
    prompt: str
    """The prompt as it was sent: the source of light and camera."""
    seconds: int
    width: int
    """Pixels of the finished clip: a multiple of 2."""
    height: int
    first: Path | None = None
    """The opening picture of the clip."""
    last: Path | None = None
    """The closing picture of the clip."""
    first_address: str = ""
    """Address of a first frame that is not on this machine; the address itself is drawn."""
    last_address: str = ""
    references: tuple[Reference, ...] = ()
    variation: int = 0
    """0 for the first task with this body, then 1, 2, …: another tint and another move."""
    sound: bool = True
    """False leaves the clip without a sound track."""
    shot: str = ""
    """The shot's own part of the prompt, the source of place, people and action; empty: the whole prompt."""
    caption: str = ""
    """The shot's own prompt as its author wrote it; empty: the prompt."""
    scene: str = ""
    """The name of the shot's scene, and on further lines the prompts of its other shots."""

    @property
    def story(self) -> str:
        """The text that tells what is seen."""
        return self.shot or self.prompt

    @property
    def shown_text(self) -> str:
        """The text that is printed."""
        return self.caption or self.prompt


def to_json(spec: AnimaticSpec) -> dict[str, Json]:
    """The spec as plain JSON; `from_json` gives an equal spec back."""
    return {
        "model": spec.model,
        "prompt": spec.prompt,
        "seconds": spec.seconds,
        "width": spec.width,
        "height": spec.height,
        "first": _text(spec.first),
        "last": _text(spec.last),
        "first_address": spec.first_address,
        "last_address": spec.last_address,
        "references": [_reference_json(reference) for reference in spec.references],
        "variation": spec.variation,
        "sound": spec.sound,
        "shot": spec.shot,
        "caption": spec.caption,
        "scene": spec.scene,
    }


def from_json(value: Mapping[str, Json]) -> AnimaticSpec:
    """The spec that `to_json` wrote, an earlier version's as well; KeyError or TypeError for anything else."""
    references = value["references"]
    if not isinstance(references, list):
        raise TypeError("references: a list is expected")
    return AnimaticSpec(
        model=_string(value["model"]),
        prompt=_string(value["prompt"]),
        seconds=_number(value["seconds"]),
        width=_number(value["width"]),
        height=_number(value["height"]),
        first=_path(value["first"]),
        last=_path(value["last"]),
        first_address=_string(value["first_address"]),
        last_address=_string(value["last_address"]),
        references=tuple(_reference(item) for item in references),
        variation=_number(value["variation"]),
        sound=value["sound"] is not False,
        shot=_string(value.get("shot", "")),
        caption=_string(value.get("caption", "")),
        scene=_string(value.get("scene", "")),
    )


def _reference_json(reference: Reference) -> dict[str, Json]:
    return {
        "kind": reference.kind,
        "label": reference.label,
        "path": _text(reference.path),
        "address": reference.address,
        "name": reference.name,
    }


def _reference(value: Json) -> Reference:
    if not isinstance(value, dict):
        raise TypeError("a reference is an object")
    kind = value["kind"]
    value = {"name": "", **value}
    if kind not in ("image", "video", "audio"):
        raise TypeError(f"no kind of material: {kind!r}")
    # Spelled out for the type checker, which does not narrow a string by `in`.
    material_kind: ReferenceKind = "image" if kind == "image" else "video" if kind == "video" else "audio"
    label, address, name = (_string(value[key]) for key in ("label", "address", "name"))
    return Reference(material_kind, label, _path(value["path"]), address, name)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(value: Json) -> Path | None:
    return None if value is None else Path(_string(value))


def _string(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is expected, not {value!r}")
    return value


def _number(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number is expected, not {value!r}")
    return value
