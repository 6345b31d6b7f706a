"""A body of createTask held against the pages: what was asked for, or every finding with its path. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import urlsplit

from runner.diagnostics.problem import closest_match
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue, Kind, Mode
from runner.sandbox.api import rulebook as page
from runner.sandbox.api.rulebook import Rulebook, frame_size

_MENTION = re.compile(r"(?<![A-Za-z0-9._+\-])@+(image|video|audio)(\d+)", re.IGNORECASE | re.ASCII)
_ENDINGS: Mapping[str, Kind] = {
    ".jpg": "image",
    ".jpeg": "image",
    ".png": "image",
    ".webp": "image",
    ".mp4": "video",
    ".mp3": "audio",
    ".wav": "audio",
    ".m4a": "audio",
    ".aac": "audio",
    ".flac": "audio",
    ".ogg": "audio",
    ".oga": "audio",
    ".opus": "audio",
}
_MANY_WORDS = {"image": "images", "video": "videos", "audio": "audio files"}


@dataclass(frozen=True, slots=True)
class RequestError:
    """One thing that is wrong with a body, and where."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Material:
    """One address of a request, and what is known of what lies there."""

    address: str
    kind: Kind
    upload: str | None = None
    """The id of the upload that it names; None lies elsewhere and is never fetched."""
    sha256: str = ""
    seconds: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class RequestRejected:
    """An address that cannot be used, and why."""

    words: str


AddressLookup = Callable[[str], Material | RequestRejected | None]
"""What lies at an address of the sandbox itself; None when the address lies elsewhere."""


@dataclass(frozen=True, slots=True)
class ValidRequest:
    """A body that breaks no rule, with every default filled in."""

    model: str
    mode: Mode
    prompt: str
    seconds: int
    width: int
    height: int
    credits: int
    materials: tuple[Material, ...]
    seed: int | None
    sound: bool
    callback: str | None


@dataclass(slots=True)
class _Reader:
    """The findings so far are the one thing that changes while a body is read."""

    pages: Rulebook
    look: AddressLookup
    found: list[RequestError] = field(default_factory=list)

    def wrong(self, path: str, message: str) -> None:
        self.found.append(RequestError(path, message))


def validate(body: JsonValue, pages: Rulebook, look: AddressLookup) -> ValidRequest | list[RequestError]:
    """What a body asks for by these pages, or all that is wrong with it."""
    reader = _Reader(pages, look)
    if not isinstance(body, dict):
        return [RequestError("", "the body must be a JSON object")]
    _unknown(reader, body, frozenset(("model", "inputs", "callBackUrl")), "")
    model = _model(reader, body.get("model"))
    callback = _callback(reader, body.get("callBackUrl"))
    inputs = body.get("inputs")
    if not isinstance(inputs, dict):
        reader.wrong("inputs", "inputs is required and must be an object")
        return reader.found
    _unknown(reader, inputs, pages.fields, "inputs.")
    materials = _materials(reader, inputs)
    mode = _mode(reader, inputs)
    _limits(reader, mode, materials)
    seconds = _seconds(reader, inputs.get("duration"))
    prompt = _prompt(reader, inputs.get("prompt"), mode)
    _mentions(reader, prompt, mode, materials)
    resolution, upscale = _resolution(reader, inputs, model, mode)
    ratio = _ratio(reader, inputs, materials)
    seed, sound = _later_fields(reader, inputs)
    if reader.found:
        return reader.found
    width, height = frame_size("4k" if upscale else resolution, ratio)
    credits = rate(pages, model, resolution, upscale, any(item.kind == "video" for item in materials)) * seconds
    return ValidRequest(model, mode, prompt, seconds, width, height, credits, tuple(materials), seed, sound, callback)


def rate(pages: Rulebook, model: str, resolution: str, upscale: bool, with_video: bool) -> int:
    """Credits for each second; KeyError for what the pages do not sell."""
    table = {**pages.rates, **pages.rates_with_video} if with_video else pages.rates
    return table[model, resolution] + ((pages.upscale_rate or 0) if upscale else 0)


def _unknown(reader: _Reader, given: Mapping[str, JsonValue], known: frozenset[str], under: str) -> None:
    for name in given:
        if name in known:
            continue
        near = closest_match(name, known)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(sorted(known))}"
        reader.wrong(f"{under}{name}", f"unknown field; {hint}")


def _model(reader: _Reader, value: JsonValue) -> str:
    models = reader.pages.models
    if isinstance(value, str) and value in models:
        return models[value]
    words = "model is required" if value is None else "no such model"
    reader.wrong("model", f"{words}; one of {', '.join(models)}")
    return page.PRO


def _callback(reader: _Reader, value: JsonValue) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= 2000 and _is_web(value):
        return value
    reader.wrong("callBackUrl", "must be an http or https address")
    return None


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f]", address)


def _materials(reader: _Reader, inputs: Mapping[str, JsonValue]) -> list[Material]:
    pages = reader.pages
    shelves: list[tuple[str, frozenset[Kind]]] = [
        (pages.images, frozenset(("image", "video")) if pages.videos == pages.images else frozenset(("image",)))
    ]
    if pages.videos and pages.videos != pages.images:
        shelves.append((pages.videos, frozenset(("video",))))
    shelves.append(("audioUrls", frozenset(("audio",))))
    found: list[Material] = []
    for name, kinds in shelves:
        if name not in pages.fields or inputs.get(name) is None:
            continue
        found += _shelf(reader, name, inputs[name], kinds)
    return found


def _shelf(reader: _Reader, name: str, value: JsonValue, kinds: frozenset[Kind]) -> list[Material]:
    path = f"inputs.{name}"
    if not isinstance(value, list) or not value:
        reader.wrong(path, "must be a list of at least one address")
        return []
    found = []
    for number, address in enumerate(value[:100]):
        material = _material(reader, f"{path}[{number}]", address, kinds)
        if material is not None:
            found.append(material)
    if len(value) > 100:
        reader.wrong(path, f"{len(value)} addresses; no list is that long")
    return found


def _material(reader: _Reader, path: str, address: JsonValue, kinds: frozenset[Kind]) -> Material | None:
    wanted = " or ".join(sorted(kinds))
    if not isinstance(address, str) or len(address) > 2000 or not _is_web(address):
        reader.wrong(path, f"invalid {wanted} URL: must be a publicly accessible http or https address")
        return None
    seen = reader.look(address)
    if isinstance(seen, RequestRejected):
        reader.wrong(path, f"invalid {wanted} URL: {seen.words}")
        return None
    if seen is None:
        ending = re.search(r"\.[a-z0-9]{2,5}$", urlsplit(address).path.lower())
        kind = _ENDINGS.get(ending[0]) if ending else _unnamed(kinds)
        seen = None if kind is None else Material(address, kind)
    if seen is None or seen.kind not in kinds:
        takes = {"image": "JPEG, PNG or WebP", "video": "MP4", "audio": "MP3, WAV or another common audio format"}
        reader.wrong(path, "wrong kind of file: must be " + ", or ".join(takes[kind] for kind in sorted(kinds)))
        return None
    return seen


def _unnamed(kinds: frozenset[Kind]) -> Kind:
    """An address without an ending: taken for what its list holds, and for a picture where it may hold two."""
    return next((kind for kind in ("image", "video") if kind in kinds), "audio")


def _mode(reader: _Reader, inputs: Mapping[str, JsonValue]) -> Mode:
    value = inputs.get("mode", "keyframe")
    if "mode" in reader.pages.fields and value not in ("keyframe", "reference"):
        reader.wrong("inputs.mode", "must be keyframe or reference")
    if value == "reference" and "mode" in reader.pages.fields:
        return "reference"
    # By what was given, not by what was good: a bad address must not make the prompt look missing.
    return "keyframe" if inputs.get(reader.pages.images) or inputs.get(reader.pages.videos) else "text"


def _limits(reader: _Reader, mode: Mode, materials: list[Material]) -> None:
    images, videos, audio = ([item for item in materials if item.kind == kind] for kind in ("image", "video", "audio"))
    pages = reader.pages
    shelf, films = f"inputs.{pages.images}", f"inputs.{pages.videos or pages.images}"
    if mode != "reference":
        if audio:
            reader.wrong("inputs.audioUrls", "only supported in reference mode")
        if videos:
            reader.wrong(films, "videos are only supported in reference mode")
        if len(images) > page.FRAMES:
            reader.wrong(shelf, f"maximum {page.FRAMES} images in keyframe mode, here are {len(images)}")
        return
    if not images and not videos:
        reader.wrong(shelf, "reference mode needs at least one image or video")
    for path, most, items in (
        (shelf, page.IMAGES, images),
        (films, page.VIDEOS, videos),
        ("inputs.audioUrls", page.AUDIO, audio),
    ):
        if len(items) > most:
            reader.wrong(path, f"maximum {most} {_MANY_WORDS[items[0].kind]}, here are {len(items)}")
    _lengths(reader, films, videos, audio)


def _lengths(reader: _Reader, films: str, videos: list[Material], audio: list[Material]) -> None:
    most = page.MATERIAL_SECONDS
    for number, item in enumerate(videos, 1):
        if item.seconds is not None and item.seconds > most + 0.05:
            reader.wrong(films, f"video {number} lasts {item.seconds:.1f} s; each may last {most} s")
    together = [("inputs.audioUrls", audio, "audio files")]
    if reader.pages.videos_share_seconds:
        together.append((films, videos, "videos"))
    for path, items, words in together:
        total = sum(item.seconds or 0 for item in items)
        if total > most + 0.05:
            reader.wrong(path, f"the {words} last {total:.1f} s in total; together they may last {most} s")


def _seconds(reader: _Reader, value: JsonValue) -> int:
    low, high = page.SECONDS
    if value is None:
        return page.DEFAULT_SECONDS
    form = reader.pages.duration
    shape = {"text": r"\d{1,2}", "suffixed": r"\d{1,2}s"}.get(form)
    number: int | None = None
    if shape is not None and isinstance(value, str) and re.fullmatch(shape, value, re.ASCII) and value[0] != "0":
        number = int(value.rstrip("s"))
    if form == "whole" and isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or not low <= number <= high:
        quoted = {"text": f'a string from "{low}" to "{high}"', "suffixed": f'a string from "{low}s" to "{high}s"'}
        reader.wrong("inputs.duration", f"must be {quoted.get(form, f'a whole number from {low} to {high}')}")
        return page.DEFAULT_SECONDS
    return number


def _prompt(reader: _Reader, value: JsonValue, mode: Mode) -> str:
    needed = reader.pages.prompt_always or mode != "keyframe"
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        reader.wrong("inputs.prompt", "missing prompt: required" if needed else "must be a string")
        return ""
    if len(value) > reader.pages.prompt_letters:
        most = reader.pages.prompt_letters
        reader.wrong("inputs.prompt", f"maximum {most} characters, here are {len(value)}")
    return value


def _mentions(reader: _Reader, prompt: str, mode: Mode, materials: list[Material]) -> None:
    for kind, number in dict.fromkeys((found[1].lower(), int(found[2])) for found in _MENTION.finditer(prompt)):
        have = sum(1 for item in materials if item.kind == kind) if mode == "reference" else 0
        if 1 <= number <= have:
            continue
        why = f"the request has {have} {_MANY_WORDS[kind]}" if mode == "reference" else "mentions need mode: reference"
        reader.wrong("inputs.prompt", f"@{kind}{number} has no material: {why}")


def _resolution(reader: _Reader, inputs: Mapping[str, JsonValue], model: str, mode: Mode) -> tuple[str, bool]:
    pages = reader.pages
    if "resolution" in pages.fields:
        if inputs.get("resolution", "1280x720") != "1280x720":
            reader.wrong("inputs.resolution", 'must be "1280x720"')
        return "720p", False
    value = inputs.get("outputResolution")
    sold = [name for sold_model, name in pages.rates if sold_model == model]
    if value is None:
        value = _unsaid_resolution(model, mode)
    if not isinstance(value, str) or value not in sold:
        reader.wrong("inputs.outputResolution", f"must be one of {', '.join(sold)} for {model}")
        value = "720p"
    upscale = inputs.get("upscaleResolution")
    if upscale is not None and upscale != "4k" and pages.upscale_rate is not None:
        reader.wrong("inputs.upscaleResolution", "must be 4k")
    return value, upscale == "4k"


def _unsaid_resolution(model: str, mode: Mode) -> Literal["1080p", "720p"]:
    """1080p is the default, but fast has none, and reference mode is sold at 40 credits a second without saying it."""
    return "1080p" if model == page.PRO and mode != "reference" else "720p"


def _ratio(reader: _Reader, inputs: Mapping[str, JsonValue], materials: list[Material]) -> tuple[int, int]:
    if "aspectRatio" in reader.pages.fields:
        value = inputs.get("aspectRatio")
        if value is not None and (not isinstance(value, str) or value not in page.RATIOS):
            reader.wrong("inputs.aspectRatio", f"must be one of {', '.join(page.RATIOS)}")
            value = None
        return page.RATIOS["16:9" if value is None else str(value)]
    if inputs.get("resolution") is None and materials and materials[0].width and materials[0].height:
        shape = materials[0].width / materials[0].height
        return min(page.RATIOS.values(), key=lambda ratio: abs(ratio[0] / ratio[1] - shape))
    return page.RATIOS["16:9"]


def _later_fields(reader: _Reader, inputs: Mapping[str, JsonValue]) -> tuple[int | None, bool]:
    seed, sound = inputs.get("seed"), inputs.get("generate_audio", True)
    whole = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**32
    if "seed" in reader.pages.fields and seed is not None and not whole:
        reader.wrong("inputs.seed", "must be a whole number from 0 to 4294967295")
    if "generate_audio" in reader.pages.fields and not isinstance(sound, bool):
        reader.wrong("inputs.generate_audio", "must be true or false")
    return (seed if isinstance(seed, int) else None), sound is not False
