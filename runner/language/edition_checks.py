"""What the edition of the API allows, checked for each finished shot before anything is spent."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.diagnostics.problem import Problem
from runner.language.yaml.document import NodeRef
from runner.requests.request import Kind, LocalFile, Request, TakeReference

if TYPE_CHECKING:
    from runner.language.request_builder import RequestBuilder
    from runner.language.symbols import UsedMaterial

_RANGE = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d+)?) ?s? ?[-–—] ?(\d{1,3}(?:\.\d+)?) ?s ?[:：]\Z")
_SECONDS = re.compile(r"s ?[:：]")
_RATIO_FAR = 1.5
_OURS = {"images": "references", "videos": "references", "audio_files": "references", "frames": "first_frame"}


def check(composer: "RequestBuilder", request: Request) -> None:
    """Notes what the edition refuses, and what it takes but is probably not meant."""
    asked = (
        request.model,
        request.resolution,
        request.upscale,
        request.seed,
        request.audio,
        request.seconds,
        request.aspect_ratio,
    )
    if asked not in composer.cast.checked_combinations or composer.draft.broken or request.inputs:
        before = len(composer.ground.problems.items)
        _fields(composer, request)
        if len(composer.ground.problems.items) == before:
            composer.cast.checked_combinations.add(asked)
    _prompt(composer, request)
    if request.materials:
        _counts(composer, request)
        _lengths(composer, request)
        _shapes(composer, request)
        _unmentioned(composer, request)


def _fields(composer: "RequestBuilder", request: Request) -> None:
    edition, draft = composer.cast.edition, composer.draft
    limits, broken = edition.limits, draft.broken
    if not broken & {"model", "resolution"}:
        known = edition.resolutions(request.model)
        if request.model not in edition.models.values():
            composer.note(
                "edition-field",
                draft.origin("model"),
                f"the edition {edition.name} does not know the model {request.model}",
            )
        elif request.resolution not in known:
            _resolution(composer, request, known)
    if request.upscale is not None and "upscale" not in limits.fields:
        hint = "write resolution: 4k" if "4k" in edition.resolutions(request.model) else "leave it out"
        composer.note(
            "edition-field", draft.origin("upscale"), f"the edition {edition.name} does not know `upscale`", hint
        )
    for name in ("seed", "audio"):
        if getattr(request, name) is not None and name not in limits.fields:
            hint = "leave it out, or choose an edition that knows it in storyboard.toml"
            composer.note(
                "edition-field", draft.origin(name), f"the edition {edition.name} does not know `{name}`", hint
            )
    if not limits.seconds[0] <= request.seconds <= limits.seconds[1] and "duration" not in broken:
        message = f"`duration` is {request.seconds}, but clips have {limits.seconds[0]} to {limits.seconds[1]} seconds"
        composer.note("wrong-value", draft.origin("duration"), message)
    for key, _ in request.inputs:
        field = next((name for name, form in edition.field_encoding.items() if form.get("key") == key), None)
        if field is not None:
            message = f"`{key}` of `inputs` is what the field `{_OURS.get(field, field)}` says already"
            composer.note(
                "inputs-field", draft.origin("inputs", key), message, f"write {_OURS.get(field, field)} instead"
            )
    if request.aspect_ratio is None and "aspect_ratio" not in broken:
        message = "`aspect_ratio: auto` leaves the shape of the clip to the server"
        composer.warn(
            "aspect-auto", draft.origin("aspect_ratio"), message, f"say one of {', '.join(limits.aspect_ratios)}"
        )


def _resolution(composer: "RequestBuilder", request: Request, known: tuple[str, ...]) -> None:
    draft = composer.draft
    said = draft.origin("resolution") if "resolution" in draft.raw else draft.origin("model")
    message = f"{request.model} makes no {request.resolution}"
    hint = f"it makes {' and '.join(known)}"
    if request.resolution == "4k" and "upscale" in composer.cast.edition.limits.fields:
        hint = "write upscale: 4k beside a lower resolution"
    composer.note("resolution", said, message, hint)


def _prompt(composer: "RequestBuilder", request: Request) -> None:
    limits, draft = composer.cast.edition.limits, composer.draft
    if request.prompt is None:
        if draft.broken & {"prompt", "wrap"} or composer.failed:
            return
        if request.mode in limits.prompt_required:
            said = draft.origin("prompt") if "prompt" in draft.raw else draft.entry
            message = "the prompt of this shot is empty" if "prompt" in draft.raw else "this shot has no `prompt`"
            composer.note(
                "prompt-missing",
                said,
                message,
                "say what the clip shows; only a shot with a first_frame may go without",
            )
        elif request.mode == "keyframe":
            composer.warn(
                "prompt-empty",
                draft.entry,
                "this shot has frames but no prompt",
                "a prompt guides the motion and improves the result",
            )
        return
    length = len(request.prompt)
    if length <= limits.prompt // 2:
        if "s:" in request.prompt or "s :" in request.prompt or "：" in request.prompt:
            _timeline(composer, request, draft.origin("prompt") if "prompt" in draft.raw else draft.entry)
        return
    said = draft.origin("prompt") if "prompt" in draft.raw else draft.entry
    if length > limits.prompt:
        message = f"the prompt of this shot has {length:,} characters as sent; at most {limits.prompt:,} are allowed"
        composer.note(
            "prompt-length", said, message, f"shorten it by {length - limits.prompt:,}; wrap and words of assets count"
        )
    elif (units := len(request.prompt.encode("utf-16-le")) // 2) > limits.prompt:
        message = f"the prompt has {length:,} characters, but {units:,} UTF-16 units; the provider may count those"
        composer.warn("prompt-units", said, message, f"shorten it to {limits.prompt:,} units to be sure")
    _timeline(composer, request, said)


def _timeline(composer: "RequestBuilder", request: Request, said: NodeRef) -> None:
    prompt = request.prompt or ""
    # Looked for from its end: a prompt has few `s:`, and many digits or none.
    windows = [prompt[max(0, found.start() - 20) : found.end()] for found in _SECONDS.finditer(prompt)]
    ends = [(float(found[2]), found) for window in windows if (found := _RANGE.search(window))]
    if not ends:
        return
    end, found = max(ends, key=lambda one: one[0])
    if end <= request.seconds:
        return
    value = said.value if isinstance(said.value, str) else ""
    text = found.group().strip()
    index = value.find(text)
    place = said.place(index, len(text)) if index >= 0 else said.place()
    message = f"the timeline of this prompt goes to {end:g} s, but the clip has {request.seconds} s"
    hint = (
        f"write duration: {int(-(-end // 1))}"
        if end <= composer.cast.edition.limits.seconds[1]
        else "shorten the timeline"
    )
    composer.ground.problems.add(Problem("timeline", place, message, hint, "warning", shots=(composer.draft.id,)))


def _counts(composer: "RequestBuilder", request: Request) -> None:
    limits = composer.cast.edition.limits
    if request.mode == "keyframe":
        return
    if request.materials[0].kind == "audio" and all(material.kind == "audio" for material in request.materials):
        message, hint = "audio cannot be the only material", "mention an image or a video beside it"
        composer.note_about("audio-alone", composer.used[0], message, hint)
    if len(composer.used) <= min(limits.images, limits.videos, limits.audio):
        return
    allowed: dict[Kind, int] = {"image": limits.images, "video": limits.videos, "audio": limits.audio}
    plural = {"image": "images", "video": "videos", "audio": "audio files"}
    for kind, most in allowed.items():
        names = [one for one in composer.used if one.material.kind == kind]
        if len(names) > most:
            listed = ", ".join(dict.fromkeys(one.name for one in names))
            message = f"this shot sends {len(names)} {plural[kind]}; at most {most} are allowed"
            composer.note_about("too-many-materials", names[most], message, f"they are {listed}")


def _lengths(composer: "RequestBuilder", request: Request) -> None:
    limits = composer.cast.edition.limits
    for material in request.materials:
        if material.kind != "image":
            break
    else:
        return
    total: dict[str, Decimal] = {"video": Decimal(0), "audio": Decimal(0)}
    for one in composer.used:
        material = one.material
        seconds = None if isinstance(material, TakeReference) else material.seconds
        if material.kind == "image":
            continue
        if seconds is None:
            if not isinstance(material, TakeReference):
                message = f"nobody knows how long `{one.name}` is: it is remote, and nothing is downloaded to look"
                composer.warn_about("seconds-unknown", one, message, "say `seconds` in its asset")
            continue
        total[material.kind] += seconds
        if material.kind == "video" and seconds > limits.video_seconds:
            message = f"`{one.name}` has {seconds.normalize():f} seconds; a video has at most {limits.video_seconds}"
            composer.note_about("video-length", one, message, "cut it")
    if total["audio"] > limits.audio_seconds:
        message = (
            f"the audio of this shot has {total['audio'].normalize():f} seconds in all; {limits.audio_seconds} at most"
        )
        composer.note_about("audio-length", _first(composer, "audio"), message, "cut it")
    both = limits.videos_seconds or limits.videos_seconds_warn
    if both is not None and total["video"] > both and sum(m.kind == "video" for m in request.materials) > 1:
        message = f"the videos of this shot have {total['video'].normalize():f} seconds in all"
        if limits.videos_seconds:
            composer.note_about(
                "video-length", _first(composer, "video"), f"{message}; at most {both} are allowed", "cut them"
            )
        else:
            composer.warn_about(
                "videos-length", _first(composer, "video"), f"{message}; some pages of the provider allow {both}", ""
            )


def _first(composer: "RequestBuilder", kind: Kind) -> "UsedMaterial":
    return next(one for one in composer.used if one.material.kind == kind)


def _shapes(composer: "RequestBuilder", request: Request) -> None:
    if request.aspect_ratio is None:
        return
    for one in composer.used:
        material = one.material
        if not isinstance(material, LocalFile) or material.kind != "image" or not material.width or not material.height:
            continue
        across, down = map(int, request.aspect_ratio.split(":"))
        ratio = (material.width / material.height) / (across / down)
        if max(ratio, 1 / ratio) > _RATIO_FAR:
            message = f"`{one.name}` is {material.width} × {material.height}, and the shot is {request.aspect_ratio}"
            composer.warn_about(
                "shape", one, message, "the provider crops or stretches it: give a picture of about that shape"
            )


def _unmentioned(composer: "RequestBuilder", request: Request) -> None:
    """Those that came after the prompt's own: the references that it does not mention."""
    if request.mode != "reference" or composer.mentioned == len(composer.used):
        return
    for index in range(composer.mentioned, len(composer.used)):
        one = composer.used[index]
        number = sum(other.material.kind == one.material.kind for other in composer.used[: index + 1])
        message = f"the prompt does not mention the reference `{one.name}`"
        hint = f"it is sent as @{one.material.kind}{number}, and the model decides what it is for"
        composer.warn_about("unmentioned", one, message, hint)
