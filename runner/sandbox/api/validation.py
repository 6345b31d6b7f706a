"""Validation of a createTask body against the pages: a valid request, or every error with its path. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import urlsplit

from runner.diagnostics.problem import closest_match
from runner.lazy_dataclass import dataclass, field
from runner.lazy_pattern import lazy_pattern
from runner.requests.request import JsonValue, Kind, Mode
from runner.sandbox import rulebook
from runner.sandbox.rulebook import Bounds, LateBill, Rulebook, frame_size

_MENTION = lazy_pattern(r"(?<![A-Za-z0-9._+\-])@+(image|video|audio)(\d+)", re.IGNORECASE | re.ASCII)
_KINDS_BY_EXTENSION: Mapping[str, Kind] = {
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
_PLURALS = {"image": "images", "video": "videos", "audio": "audio files"}


@dataclass(frozen=True, slots=True)
class RequestError:
    """One error in a body, with the path of its field."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Material:
    """One material address of a request, with the facts of its upload."""

    address: str
    kind: Kind
    upload_id: str | None = None
    """Id of the upload at this address; None: a remote file, which is never fetched."""
    sha256: str = ""
    seconds: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class AddressRejected:
    """An unusable address, with the reason."""

    message: str


AddressLookup = Callable[[str], Material | AddressRejected | None]
"""Lookup of an address on the sandbox itself; None for an address elsewhere."""


@dataclass(frozen=True, slots=True)
class ValidRequest:
    """A body that breaks no rule, with every default filled in."""

    model: str
    mode: Mode
    prompt: str
    seconds: int
    width: int
    height: int
    credits: float
    """Credits that the task reserves."""
    late_credits: float | None
    """The whole bill, where it comes some time after the end of the task."""
    materials: tuple[Material, ...]
    seed: int | None
    has_sound: bool
    callback: str | None


@dataclass(slots=True)
class _Reader:
    """Reader of one body; collects the errors."""

    rules: Rulebook
    lookup: AddressLookup
    bounds: Bounds = Bounds()
    errors: list[RequestError] = field(default_factory=list)

    def reject(self, path: str, message: str) -> None:
        self.errors.append(RequestError(path, message))


def validate(body: JsonValue, rules: Rulebook, lookup: AddressLookup) -> ValidRequest | list[RequestError]:
    """The valid request of a body, or all its errors."""
    reader = _Reader(rules, lookup)
    if not isinstance(body, dict):
        return [RequestError("", "the body must be a JSON object")]
    _reject_unknown_fields(reader, body, frozenset(("model", "inputs", "callBackUrl")), "")
    model = _model(reader, body.get("model"))
    reader.bounds = rules.bounds_of(model)
    callback = _callback(reader, body.get("callBackUrl"))
    inputs = body.get("inputs")
    if not isinstance(inputs, dict):
        reader.reject("inputs", "inputs is required and must be an object")
        return reader.errors
    _reject_unknown_fields(reader, inputs, rules.fields, "inputs.")
    materials = _materials(reader, inputs)
    mode = _mode(reader, inputs)
    _check_counts(reader, mode, materials)
    seconds = _seconds(reader, inputs.get("duration"))
    prompt = _prompt(reader, inputs.get("prompt"), mode)
    _check_mentions(reader, prompt, mode, materials)
    resolution, upscale = _resolution(reader, inputs, model, mode)
    ratio = _ratio(reader, inputs, materials)
    seed, has_sound = _seed_and_sound(reader, inputs)
    if reader.errors:
        return reader.errors
    width, height = _size(rules, "4k" if upscale else resolution, ratio)
    videos = [item for item in materials if item.kind == "video"]
    credits_a_second = rate(rules, model, resolution, upscale, bool(videos))
    late_bill = rules.late_bills.get(model) if videos else None
    return ValidRequest(
        model=model,
        mode=mode,
        prompt=prompt,
        seconds=seconds,
        width=width,
        height=height,
        credits=credits_a_second * seconds,
        late_credits=None if late_bill is None else credits_a_second * (seconds + _billed(late_bill, videos, reader)),
        materials=tuple(materials),
        seed=seed,
        has_sound=has_sound,
        callback=callback,
    )


def _billed(late_bill: LateBill, videos: list[Material], reader: _Reader) -> float:
    """Seconds of reference videos that are billed; a remote one, which is never fetched, counts as the shortest."""
    shortest = reader.bounds.video_seconds[0]
    total = sum(shortest if item.seconds is None else item.seconds for item in videos)
    return min(total, late_bill.max_video_seconds)


def _size(rules: Rulebook, resolution: str, ratio: tuple[int, int]) -> tuple[int, int]:
    width, height = ratio
    if (size := rules.sizes.get((resolution, f"{width}:{height}"))) is not None:
        return size
    turned = rules.sizes.get((resolution, f"{height}:{width}"))
    return frame_size(resolution, ratio) if turned is None else (turned[1], turned[0])


def rate(rules: Rulebook, model: str, resolution: str, upscale: bool, with_video: bool) -> float:
    """Credits for each second; KeyError for a combination that the pages do not sell."""
    table = {**rules.rates, **rules.rates_with_video} if with_video else rules.rates
    return table[model, resolution] + ((rules.upscale_rate or 0) if upscale else 0)


def _reject_unknown_fields(
    reader: _Reader, fields: Mapping[str, JsonValue], allowed: frozenset[str], prefix: str
) -> None:
    for name in fields:
        if name in allowed:
            continue
        near = closest_match(name, allowed)
        hint = f"did you mean {near}?" if near else f"the fields are {', '.join(sorted(allowed))}"
        reader.reject(f"{prefix}{name}", f"unknown field; {hint}")


def _model(reader: _Reader, value: JsonValue) -> str:
    models = reader.rules.models
    if isinstance(value, str) and value in models:
        return models[value]
    problem = "model is required" if value is None else "no such model"
    reader.reject("model", f"{problem}; one of {', '.join(models)}")
    # Some model, so that the other fields are checked as well: all errors are in one answer.
    return rulebook.PRO


def _callback(reader: _Reader, value: JsonValue) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= 2000 and _is_web_address(value):
        return value
    reader.reject("callBackUrl", "must be an http or https address")
    return None


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f]", address)


def _materials(reader: _Reader, inputs: Mapping[str, JsonValue]) -> list[Material]:
    rules = reader.rules
    lists: list[tuple[str, frozenset[Kind]]] = [
        (
            rules.image_list,
            frozenset(("image", "video")) if rules.video_list == rules.image_list else frozenset(("image",)),
        )
    ]
    if rules.video_list and rules.video_list != rules.image_list:
        lists.append((rules.video_list, frozenset(("video",))))
    lists.append(("audioUrls", frozenset(("audio",))))
    materials: list[Material] = []
    for name, kinds in lists:
        if name not in rules.fields or inputs.get(name) is None:
            continue
        materials += _materials_in(reader, name, inputs[name], kinds)
    return materials


def _materials_in(reader: _Reader, name: str, value: JsonValue, kinds: frozenset[Kind]) -> list[Material]:
    path = f"inputs.{name}"
    if not isinstance(value, list) or not value:
        reader.reject(path, "must be a list of at least one address")
        return []
    materials = []
    # Each address is looked up and may be an error with its text: a list of thousands is refused by its length.
    for number, address in enumerate(value[:100]):
        material = _material(reader, f"{path}[{number}]", address, kinds)
        if material is not None:
            materials.append(material)
    if len(value) > 100:
        reader.reject(path, f"{len(value)} addresses; a list may have at most 100")
    return materials


def _material(reader: _Reader, path: str, address: JsonValue, kinds: frozenset[Kind]) -> Material | None:
    kind_names = " or ".join(sorted(kinds))
    if not isinstance(address, str) or len(address) > 2000 or not _is_web_address(address):
        reader.reject(path, f"invalid {kind_names} URL: must be a publicly accessible http or https address")
        return None
    material = reader.lookup(address)
    if isinstance(material, AddressRejected):
        reader.reject(path, f"invalid {kind_names} URL: {material.message}")
        return None
    if material is None:
        extension = re.search(r"\.[a-z0-9]{2,5}$", urlsplit(address).path.lower())
        kind = _KINDS_BY_EXTENSION.get(extension[0]) if extension else _default_kind(kinds)
        material = None if kind is None else Material(address, kind)
    if material is None or material.kind not in kinds:
        formats = {"image": "JPEG, PNG or WebP", "video": "MP4", "audio": "MP3, WAV or another common audio format"}
        reader.reject(path, "wrong kind of file: must be " + ", or ".join(formats[kind] for kind in sorted(kinds)))
        return None
    return material


def _default_kind(kinds: frozenset[Kind]) -> Kind:
    """Kind of an address without extension: the kind of its list, image where the list takes two kinds."""
    return next((kind for kind in ("image", "video") if kind in kinds), "audio")


def _mode(reader: _Reader, inputs: Mapping[str, JsonValue]) -> Mode:
    value = inputs.get("mode", "keyframe")
    if "mode" in reader.rules.fields and value not in ("keyframe", "reference"):
        reader.reject("inputs.mode", "must be keyframe or reference")
    if value == "reference" and "mode" in reader.rules.fields:
        return "reference"
    # By the given fields, not by the valid ones: a bad address must not make the prompt look missing.
    return "keyframe" if inputs.get(reader.rules.image_list) or inputs.get(reader.rules.video_list) else "text"


def _check_counts(reader: _Reader, mode: Mode, materials: list[Material]) -> None:
    images, videos, audio = ([item for item in materials if item.kind == kind] for kind in ("image", "video", "audio"))
    rules = reader.rules
    image_path, video_path = f"inputs.{rules.image_list}", f"inputs.{rules.video_list or rules.image_list}"
    if mode != "reference":
        if audio:
            reader.reject("inputs.audioUrls", "only supported in reference mode")
        if videos:
            reader.reject(video_path, "videos are only supported in reference mode")
        if len(images) > rulebook.FRAMES:
            reader.reject(image_path, f"maximum {rulebook.FRAMES} images in keyframe mode, got {len(images)}")
        return
    if not images and not videos:
        reader.reject(image_path, "reference mode needs at least one image or video")
    for path, maximum, items in (
        (image_path, reader.bounds.images, images),
        (video_path, reader.bounds.videos, videos),
        ("inputs.audioUrls", reader.bounds.audio, audio),
    ):
        if len(items) > maximum:
            reader.reject(path, f"maximum {maximum} {_PLURALS[items[0].kind]}, got {len(items)}")
    _check_durations(reader, video_path, videos, audio)


def _check_durations(reader: _Reader, video_path: str, videos: list[Material], audio: list[Material]) -> None:
    shortest, longest = reader.bounds.video_seconds
    for number, item in enumerate(videos, 1):
        # A container rounds a length to the last picture or packet.
        if item.seconds is not None and item.seconds > longest + 0.05:
            reader.reject(video_path, f"video {number} lasts {item.seconds:.1f} s; a video may last {longest} s")
        if item.seconds is not None and item.seconds < shortest - 0.05:
            reader.reject(video_path, f"video {number} lasts {item.seconds:.1f} s; a video lasts {shortest} s or more")
    totals = [("inputs.audioUrls", audio, "audio files", reader.bounds.all_audio_seconds)]
    if reader.bounds.all_video_seconds is not None:
        totals.append((video_path, videos, "videos", reader.bounds.all_video_seconds))
    for path, items, noun, maximum in totals:
        total = sum(item.seconds or 0 for item in items)
        if total > maximum + 0.05:
            reader.reject(path, f"the {noun} last {total:.1f} s in total; all together may last {maximum} s")


def _seconds(reader: _Reader, value: JsonValue) -> int:
    low, high = reader.bounds.seconds
    if value is None:
        return rulebook.DEFAULT_SECONDS
    encoding = reader.rules.duration
    pattern = {"text": r"\d{1,2}", "suffixed": r"\d{1,2}s"}.get(encoding)
    number: int | None = None
    if pattern is not None and isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) and value[0] != "0":
        number = int(value.rstrip("s"))
    if encoding == "whole" and isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or not low <= number <= high:
        allowed = {"text": f'a string from "{low}" to "{high}"', "suffixed": f'a string from "{low}s" to "{high}s"'}
        reader.reject("inputs.duration", f"must be {allowed.get(encoding, f'a whole number from {low} to {high}')}")
        return rulebook.DEFAULT_SECONDS
    return number


def _prompt(reader: _Reader, value: JsonValue, mode: Mode) -> str:
    is_required = reader.rules.prompt_required or mode != "keyframe"
    if value is None and not is_required:
        return ""
    if not isinstance(value, str) or (is_required and not value.strip()):
        reader.reject("inputs.prompt", "missing prompt: required" if is_required else "must be a string")
        return ""
    maximum = reader.bounds.max_prompt_length
    if len(value) > maximum:
        reader.reject("inputs.prompt", f"maximum {maximum} characters, got {len(value)}")
    return value


def _check_mentions(reader: _Reader, prompt: str, mode: Mode, materials: list[Material]) -> None:
    for kind, number in dict.fromkeys((match[1].lower(), int(match[2])) for match in _MENTION.finditer(prompt)):
        count = sum(1 for item in materials if item.kind == kind) if mode == "reference" else 0
        if 1 <= number <= count:
            continue
        reason = f"the request has {count} {_PLURALS[kind]}" if mode == "reference" else "mentions need mode: reference"
        reader.reject("inputs.prompt", f"@{kind}{number} has no material: {reason}")


def _resolution(reader: _Reader, inputs: Mapping[str, JsonValue], model: str, mode: Mode) -> tuple[str, bool]:
    rules = reader.rules
    if "resolution" in rules.fields:
        if inputs.get("resolution", "1280x720") != "1280x720":
            reader.reject("inputs.resolution", 'must be "1280x720"')
        return "720p", False
    value = inputs.get("outputResolution")
    available = [name for sold_model, name in rules.rates if sold_model == model]
    if value is None:
        value = _default_resolution(model, mode)
    if not isinstance(value, str) or value not in available:
        reader.reject("inputs.outputResolution", f"must be one of {', '.join(available)} for {model}")
        value = "720p"
    upscale = inputs.get("upscaleResolution")
    if upscale is not None and upscale != "4k" and rules.upscale_rate is not None:
        reader.reject("inputs.upscaleResolution", "must be 4k")
    return value, upscale == "4k"


def _default_resolution(model: str, mode: Mode) -> Literal["1080p", "720p"]:
    """1080p by default; fast and mini have none, and reference mode without a resolution is billed at 720p's rate."""
    return "1080p" if model in (rulebook.PRO, rulebook.LONG) and mode != "reference" else "720p"


def _ratio(reader: _Reader, inputs: Mapping[str, JsonValue], materials: list[Material]) -> tuple[int, int]:
    if "aspectRatio" in reader.rules.fields:
        value = inputs.get("aspectRatio")
        if value is not None and (not isinstance(value, str) or value not in rulebook.RATIOS):
            reader.reject("inputs.aspectRatio", f"must be one of {', '.join(rulebook.RATIOS)}")
            value = None
        return rulebook.RATIOS["16:9" if value is None else str(value)]
    if inputs.get("resolution") is None and materials and materials[0].width and materials[0].height:
        shape = materials[0].width / materials[0].height
        return min(rulebook.RATIOS.values(), key=lambda ratio: abs(ratio[0] / ratio[1] - shape))
    return rulebook.RATIOS["16:9"]


def _seed_and_sound(reader: _Reader, inputs: Mapping[str, JsonValue]) -> tuple[int | None, bool]:
    seed, has_sound = inputs.get("seed"), inputs.get("generate_audio", True)
    is_valid_seed = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**32
    if "seed" in reader.rules.fields and seed is not None and not is_valid_seed:
        reader.reject("inputs.seed", "must be a whole number from 0 to 4294967295")
    if "generate_audio" in reader.rules.fields and not isinstance(has_sound, bool):
        reader.reject("inputs.generate_audio", "must be true or false")
    return (seed if isinstance(seed, int) else None), has_sound is not False
