"""A request in its neutral form, independent of any edition of the API, and the fingerprint of a take."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Literal, NamedTuple

from runner.lazy_dataclass import dataclass
from runner.requests.decimals import decimal_text

if TYPE_CHECKING:
    import hashlib

Kind = Literal["image", "video", "audio"]
Mode = Literal["text", "keyframe", "reference"]
TakePart = Literal["clip", "first_frame", "last_frame"]
JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a sound or a video, or a frame of a video; from its start to its end where both are None."""

    start: Decimal = Decimal(0)
    """Seconds from the beginning of the file."""
    seconds: Decimal | None = None
    """None: to the end of the file."""
    frame: Literal["first_frame", "last_frame"] | None = None
    """The one picture of the part that is sent; None for the whole part."""

    def __str__(self) -> str:
        """The stored form: `12+8`, `12+8.last_frame`, `last_frame`."""
        # Stored in manifests and hashed in fingerprints: one part must always be the same text.
        length = "" if self.seconds is None else f"+{decimal_text(self.seconds)}"
        span = f"{decimal_text(self.start)}{length}" if self.start or length else ""
        return ".".join(filter(None, (span, self.frame)))

    @property
    def text(self) -> str:
        """The part in words: `12 s to 20 s`, `last frame`, `first frame from 3 s on`."""
        end = "" if self.seconds is None else f" to {decimal_text(self.start + self.seconds)} s"
        span = f"{decimal_text(self.start)} s{end or ' to its end'}" if self.start or end else ""
        return " of ".join(filter(None, ((self.frame or "").replace("_", " "), span)))


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the repository; identified by its content, so that moving the file changes no fingerprint."""

    path: str
    """Path from the repository's top, with `/`."""
    sha256: str
    """Of the whole file, also where a part of it is sent."""
    kind: Kind
    bytes: int
    """Of the whole file."""
    width: int | None = None
    height: int | None = None
    seconds: Decimal | None = None
    """Length of what is sent."""
    part: FilePart | None = None
    """The part that is cut out and sent; None for the whole file."""

    @property
    def name(self) -> str:
        """The path, and the part where one is sent: `assets/score.mp3 (12 s to 20 s)`."""
        return self.path if self.part is None else f"{self.path} ({self.part.text})"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A public https address; never downloaded, so its length is the storyboard's `seconds`."""

    url: str
    kind: Kind
    seconds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TakeReference:
    """A clip of another shot of the same storyboard, or a frame of that clip."""

    shot: str
    part: TakePart
    take: int | None = None
    """The pinned take; None follows the pick."""

    @property
    def kind(self) -> Kind:
        return "video" if self.part == "clip" else "image"

    def __str__(self) -> str:
        pin = "" if self.take is None else f"#{self.take}"
        return f"@{self.shot}{pin}" + ("" if self.part == "clip" else f".{self.part}")


Material = LocalFile | RemoteFile | TakeReference


@dataclass(frozen=True, slots=True)
class ResolvedTake:
    """The take that a `TakeReference` resolves to."""

    shot: str
    take: int
    fingerprint: str


class Request(NamedTuple):
    """The request of a task in neutral terms; an edition encodes it as a request body."""

    model: str
    resolution: str
    seconds: int
    aspect_ratio: str | None
    """None leaves it to the server (`auto`)."""
    mode: Mode
    prompt: str | None
    """Text as sent: mentions replaced by positions, stripped."""
    materials: tuple[Material, ...] = ()
    """Materials in the order of the request: first and last frame, or references by first mention."""
    upscale: str | None = None
    seed: int | None = None
    audio: bool | None = None
    inputs: tuple[tuple[str, JsonValue], ...] = ()
    """Fields passed through unchanged, sorted by key."""

    @property
    def from_takes(self) -> tuple[TakeReference, ...]:
        if not self.materials:
            return ()
        return tuple([material for material in self.materials if type(material) is TakeReference])

    @property
    def has_video(self) -> bool:
        return bool(self.materials) and any(material.kind == "video" for material in self.materials)


Resolve = Callable[[TakeReference], ResolvedTake]


def neutral_form(request: Request, take: int, resolve: Resolve) -> dict[str, JsonValue]:
    """Return the request as stored in manifest and ledger: files by hash and path, upstream takes by fingerprint."""
    form: dict[str, JsonValue] = {
        "model": request.model,
        "resolution": request.resolution,
        "seconds": request.seconds,
        "mode": request.mode,
        "take": take,
    }
    # What is not set is left out: a field that a later version adds changes no fingerprint of today's takes.
    if request.aspect_ratio is not None:
        form["aspect_ratio"] = request.aspect_ratio
    if request.prompt is not None:
        form["prompt"] = request.prompt
    if request.upscale is not None:
        form["upscale"] = request.upscale
    if request.seed is not None:
        form["seed"] = request.seed
    if request.audio is not None:
        form["audio"] = request.audio
    if request.materials:
        form["materials"] = [_neutral_material(material, resolve) for material in request.materials]
    if request.inputs:
        form["inputs"] = dict(request.inputs)
    return form


def _neutral_material(material: Material, resolve: Resolve) -> dict[str, JsonValue]:
    match material:
        case LocalFile():
            # With the path, for the people who read a manifest; the fingerprint leaves it out.
            part: dict[str, JsonValue] = {} if material.part is None else {"part": str(material.part)}
            return {"kind": material.kind, "sha256": material.sha256, "path": material.path, **part}
        case RemoteFile():
            return {"kind": material.kind, "url": material.url}
        case TakeReference():
            # The very take: another pick upstream is another clip, and so another request.
            upstream = resolve(material)
            return {
                "kind": material.kind,
                "part": material.part,
                "shot": upstream.shot,
                "take": upstream.take,
                "fingerprint": upstream.fingerprint,
            }


def fingerprint(form: Mapping[str, JsonValue]) -> str:
    """Return the SHA-256 (hex) of a neutral form without file paths, shot names and white space: these may change."""
    normalized = dict(form)
    if isinstance(prompt := normalized.get("prompt"), str):
        # Another wrapping of the same words must not be paid again.
        normalized["prompt"] = " ".join(prompt.split())
    if isinstance(materials := normalized.get("materials"), list):
        normalized["materials"] = [
            {key: value for key, value in material.items() if key not in ("path", "shot")}
            for material in materials
            if isinstance(material, dict)
        ]
    return _sha256()(canonical_json(normalized).encode()).hexdigest()


@cache
def _sha256() -> "Callable[[bytes], hashlib._Hash]":
    # Imported at the first fingerprint: it loads OpenSSL.
    from hashlib import sha256

    return sha256


def fingerprint_fast(request: Request, take: int, resolve: Resolve) -> str:
    """Return `fingerprint(neutral_form(…))` in a quarter of the time: a plan computes the fingerprint of every take."""
    # Inputs have keys of any name, for which the order of the parts below is not fixed.
    if request.inputs:
        return fingerprint(neutral_form(request, take, resolve))
    # The parts below stand in the order of their keys, as `canonical_json` sorts them.
    leading_settings = (request.aspect_ratio, request.audio, request.mode, request.model)
    shape, mode_and_model, output, upscale = _canonical_parts(
        *leading_settings, request.resolution, request.seconds, request.seed, request.upscale
    )
    materials = prompt = ""
    if request.materials:
        forms = [_canonical_material(material, resolve) for material in request.materials]
        materials = f'"materials":[{",".join(forms)}],'
    if request.prompt is not None:
        prompt = f'"prompt":{encode_basestring_ascii(" ".join(request.prompt.split()))},'
    text = f'{{{shape}{materials}{mode_and_model}{prompt}{output}"take":{take}{upscale}}}'
    return _sha256()(text.encode()).hexdigest()


# Typed: to a cache True and 1 are one key, and in JSON they are two.
@lru_cache(maxsize=4096, typed=True)
def _canonical_parts(
    aspect_ratio: str | None,
    audio: bool | None,
    mode: Mode,
    model: str,
    resolution: str,
    seconds: int,
    seed: int | None,
    upscale: str | None,
) -> tuple[str, str, str, str]:
    """Canonical JSON fragments around materials, prompt and take; cached, since many takes share them."""

    def inner(fields: Mapping[str, JsonValue]) -> str:
        return canonical_json({name: value for name, value in fields.items() if value is not None})[1:-1]

    shape, extra = inner({"aspect_ratio": aspect_ratio, "audio": audio}), inner({"upscale": upscale})
    output = inner({"resolution": resolution, "seconds": seconds, "seed": seed})
    return shape and f"{shape},", f"{inner({'mode': mode, 'model': model})},", f"{output},", extra and f",{extra}"


def _canonical_material(material: Material, resolve: Resolve) -> str:
    match material:
        case LocalFile():
            cut = "" if material.part is None else f'"part":"{material.part}",'
            # Without the path, as in `fingerprint`: a renamed file is the same material.
            return f'{{"kind":"{material.kind}",{cut}"sha256":"{material.sha256}"}}'
        case RemoteFile():
            return f'{{"kind":"{material.kind}","url":{encode_basestring_ascii(material.url)}}}'
        case TakeReference():
            upstream = resolve(material)
            up_fingerprint, kind, part = upstream.fingerprint, material.kind, material.part
            return f'{{"fingerprint":"{up_fingerprint}","kind":"{kind}","part":"{part}","take":{upstream.take}}}'


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys, no spaces and only ASCII: the same value gives the same bytes everywhere."""
    return _canonical(value)


# These bytes are hashed: another form of them would make every clip of every user anew.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def credits_json(credits: Decimal | None) -> int | float | None:
    """Return credits for JSON: an integer for a whole number, else a float; None for an unknown price."""
    if credits is None:
        return None
    return int(credits) if credits == credits.to_integral_value() else float(credits)


def usd_text(usd: Decimal | None) -> str | None:
    """Return dollars as exact decimals with at least two places: `1.00`, `0.075`."""
    if usd is None:
        return None
    text = decimal_text(usd)
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')}"
