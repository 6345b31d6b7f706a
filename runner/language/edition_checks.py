"""Checks of a shot's request against the limits of the API edition, before anything is spent."""

from collections.abc import Sequence
from decimal import Decimal

from runner.diagnostics.problem import closest_match
from runner.editions.edition import NAMES, Edition, load
from runner.editions.model import Limits
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import MisfitFrame, SymbolTable, UsedMaterial
from runner.language.yaml.document import NodeRef
from runner.lazy_pattern import lazy_pattern
from runner.requests.decimals import decimal_text
from runner.requests.request import Kind, LocalFile, Request, TakeReference

# A time range at the head of a line of a timeline: `6-8s:`, `0–2.5 s：`, with any dash and either colon.
_RANGE = lazy_pattern(r"(?<![\d.])(\d{1,3}(?:\.\d+)?) ?s? ?[-–—] ?(\d{1,3}(?:\.\d+)?) ?s ?[:：]\Z")
_RANGE_END = lazy_pattern(r"s ?[:：]")
# Factor between two shapes beyond which a crop or stretch is worth a warning: a 4:3 picture for 16:9 passes.
_MAX_RATIO_DIFFERENCE = 1.5
# The edition's encoding names what is sent; these are the fields that a user writes for it.
_FIELD_NAMES = {"images": "references", "videos": "references", "audio_files": "references", "frames": "first_frame"}


def check(
    reporter: ShotReporter, symbols: SymbolTable, request: Request, materials: Sequence[UsedMaterial], mentioned: int
) -> None:
    """Report what the edition refuses, and warn about what it accepts but is probably a mistake.

    `materials` are those of the request with their names, of which the prompt mentions the first `mentioned`.
    """
    edition = symbols.edition
    combination = (
        request.model,
        request.resolution,
        request.upscale,
        request.seed,
        request.audio,
        request.seconds,
        request.aspect_ratio,
    )
    # Many shots have few combinations; broken fields and `inputs` are a matter of the one shot.
    if combination not in symbols.checked_combinations or reporter.draft.broken or request.inputs:
        problem_count = len(reporter.scope.problems.items)
        _check_fields(reporter, edition, request)
        # Only a combination without a message is passed over from now on: the next shot that has it is to be named too.
        if len(reporter.scope.problems.items) == problem_count:
            symbols.checked_combinations.add(combination)
    _check_prompt(reporter, edition, request)
    if request.materials:
        _check_counts(reporter, edition, request, materials)
        _check_lengths(reporter, edition, request, materials)
        _check_shapes(reporter, symbols, request, materials)
        if request.mode == "reference":
            _warn_unmentioned(reporter, materials, mentioned)


def _limits(edition: Edition, request: Request) -> Limits:
    return edition.model(request.model).limits


def _check_fields(reporter: ShotReporter, edition: Edition, request: Request) -> None:
    draft = reporter.draft
    limits, broken = _limits(edition, request), draft.broken
    if not broken & {"model", "resolution"}:
        resolutions = edition.resolutions(request.model)
        if request.model not in edition.models.values():
            _reject_model(reporter, edition, request.model)
        elif request.resolution not in resolutions:
            _check_resolution(reporter, edition, request, resolutions)
    if request.upscale is not None and "upscale" not in limits.fields:
        hint = "write resolution: 4k" if "4k" in edition.resolutions(request.model) else "leave `upscale` out"
        reporter.note(
            "edition-field", draft.origin("upscale"), f"the edition {edition.name} does not support `upscale`", hint
        )
    for name in ("seed", "audio"):
        if getattr(request, name) is not None and name not in limits.fields:
            hint = f"leave `{name}` out, or choose an edition that supports it in storyboard.toml"
            reporter.note(
                "edition-field", draft.origin(name), f"the edition {edition.name} does not support `{name}`", hint
            )
    if not limits.seconds[0] <= request.seconds <= limits.seconds[1] and "duration" not in broken:
        message = f"`duration` is {request.seconds}, but clips have {limits.seconds[0]} to {limits.seconds[1]} seconds"
        reporter.note("wrong-value", draft.origin("duration"), message)
    for key, _ in request.inputs:
        field = next((name for name, encoding in edition.field_encoding.items() if encoding.get("key") == key), None)
        if field is not None:
            message = f"`{key}` of `inputs` has a field of its own: `{_FIELD_NAMES.get(field, field)}`"
            reporter.note(
                "inputs-field", draft.origin("inputs", key), message, f"write {_FIELD_NAMES.get(field, field)} instead"
            )
    if request.aspect_ratio is None and "aspect_ratio" not in broken:
        message = "`aspect_ratio: auto` leaves the shape of the clip to the server"
        reporter.warn(
            "aspect-auto", draft.origin("aspect_ratio"), message, f"choose one of {', '.join(limits.aspect_ratios)}"
        )


def _reject_model(reporter: ShotReporter, edition: Edition, model: str) -> None:
    """Report a model that another edition has, or none."""
    node = reporter.draft.origin("model")
    names = list(edition.models)
    if editions := [name for name in NAMES if model in load(name).models]:
        message = f"the edition {edition.name} does not support the model {model}"
        reporter.note("edition-field", node, message, f'write edition = "{editions[0]}" in storyboard.toml')
        return
    near = closest_match(model, names)
    message = f'`model` is "{model}", but must be {", ".join(names[:-1])} or {names[-1]}'
    reporter.note("wrong-value", node, message, f"did you mean {near}?" if near else "")


def _check_resolution(reporter: ShotReporter, edition: Edition, request: Request, resolutions: tuple[str, ...]) -> None:
    draft = reporter.draft
    # A default resolution stands nowhere in the file: it is the model that does not go with it.
    node = draft.origin("resolution") if "resolution" in draft.raw else draft.origin("model")
    message = f"the model {request.model} does not offer {request.resolution}"
    hint = f"choose {' or '.join(resolutions)}"
    if request.resolution == "4k" and "upscale" in _limits(edition, request).fields:
        hint = "write upscale: 4k with a lower resolution"
    reporter.note("resolution", node, message, hint)


def _check_prompt(reporter: ShotReporter, edition: Edition, request: Request) -> None:
    limits, draft = _limits(edition, request), reporter.draft
    if request.prompt is None:
        if draft.broken & {"prompt", "wrap"} or reporter.failed:
            # The prompt may be missing because of the problem that is reported already.
            return
        if request.mode in limits.prompt_required:
            node = draft.origin("prompt") if "prompt" in draft.raw else draft.entry
            message = "the prompt of this shot is empty" if "prompt" in draft.raw else "this shot has no `prompt`"
            reporter.note(
                "prompt-missing",
                node,
                message,
                "describe the clip; only a shot with a first_frame may omit the prompt",
            )
        elif request.mode == "keyframe":
            reporter.warn(
                "prompt-empty",
                draft.entry,
                "this shot has frames but no prompt",
                "a prompt guides the motion and improves the result",
            )
        return
    # A prompt file is no YAML: git's marks in it would be sent as they stand, and the clip paid for.
    if "<<<<<<< " in request.prompt and ">>>>>>> " in request.prompt:
        node = draft.origin("prompt") if "prompt" in draft.raw else draft.entry
        hint = (
            "keep what is right in the file that the prompt includes, and remove the lines <<<<<<<, ======= and >>>>>>>"
        )
        reporter.note("conflict-marks", node, "this prompt has the marks of a merge that git could not make", hint)
    length = len(request.prompt)
    # A code point is at most two UTF-16 units: up to half the limit neither count can be too high.
    if length <= limits.prompt // 2:
        if "s:" in request.prompt or "s :" in request.prompt or "：" in request.prompt:
            _check_timeline(
                reporter, edition, request, draft.origin("prompt") if "prompt" in draft.raw else draft.entry
            )
        return
    node = draft.origin("prompt") if "prompt" in draft.raw else draft.entry
    if length > limits.prompt:
        message = f"the prompt of this shot has {length:,} characters as sent; at most {limits.prompt:,} are allowed"
        hint = f"shorten it by {length - limits.prompt:,}; the wrap and the words of assets count"
        reporter.note("prompt-length", node, message, hint)
    elif (units := len(request.prompt.encode("utf-16-le")) // 2) > limits.prompt:
        # The provider's pages do not say which of the two a character is.
        message = f"the prompt has {length:,} characters, but {units:,} UTF-16 units, which the provider may count"
        reporter.warn("prompt-units", node, message, f"shorten it to {limits.prompt:,} units to be sure")
    _check_timeline(reporter, edition, request, node)


def _check_timeline(reporter: ShotReporter, edition: Edition, request: Request, node: NodeRef) -> None:
    prompt = request.prompt or ""
    # The search starts at the end of a range: a prompt has few `s:`, and many digits or none.
    # 20 characters hold the longest range that anybody writes: `100.25 s – 104.75 s:`.
    windows = [prompt[max(0, match.start() - 20) : match.end()] for match in _RANGE_END.finditer(prompt)]
    ends = [(float(match[2]), match) for window in windows if (match := _RANGE.search(window))]
    if not ends:
        return
    end, match = max(ends, key=lambda pair: pair[0])
    if end <= request.seconds:
        return
    value = node.value if isinstance(node.value, str) else ""
    text = match.group().strip()
    index = value.find(text)
    place = node.place(index, len(text)) if index >= 0 else node.place()
    message = f"the timeline of this prompt goes to {end:g} s, but the clip lasts {request.seconds} s"
    hint = (
        f"write duration: {int(-(-end // 1))}"
        if end <= _limits(edition, request).seconds[1]
        else "shorten the timeline"
    )
    reporter.warn_at("timeline", place, message, hint)


def _check_counts(
    reporter: ShotReporter, edition: Edition, request: Request, materials: Sequence[UsedMaterial]
) -> None:
    limits = _limits(edition, request)
    if request.mode == "keyframe":
        return
    if request.materials[0].kind == "audio" and all(material.kind == "audio" for material in request.materials):
        message, hint = "audio cannot be the only material", "mention an image or a video as well"
        reporter.note_about("audio-alone", materials[0], message, hint)
    # So few cannot be too many of any kind.
    if len(materials) <= min(limits.images, limits.videos, limits.audio):
        return
    allowed: dict[Kind, int] = {"image": limits.images, "video": limits.videos, "audio": limits.audio}
    plural = {"image": "images", "video": "videos", "audio": "audio files"}
    for kind, maximum in allowed.items():
        used_of_kind = [used for used in materials if used.material.kind == kind]
        if len(used_of_kind) > maximum:
            listed = ", ".join(dict.fromkeys(used.name for used in used_of_kind))
            message = f"this shot sends {len(used_of_kind)} {plural[kind]}; at most {maximum} are allowed"
            reporter.note_about(
                "too-many-materials", used_of_kind[maximum], message, f"the {plural[kind]} are {listed}"
            )


def _check_lengths(
    reporter: ShotReporter, edition: Edition, request: Request, materials: Sequence[UsedMaterial]
) -> None:
    limits = _limits(edition, request)
    for material in request.materials:
        if material.kind != "image":
            break
    else:
        return
    total: dict[str, Decimal] = {"video": Decimal(0), "audio": Decimal(0)}
    for used in materials:
        material = used.material
        seconds = None if isinstance(material, TakeReference) else material.seconds
        if material.kind == "image":
            continue
        if seconds is None:
            if not isinstance(material, TakeReference):
                message = f"the length of `{used.name}` is unknown: remote media are not downloaded to be measured"
                reporter.warn_about("seconds-unknown", used, message, "set `seconds` in its asset")
            continue
        total[material.kind] += seconds
        if material.kind == "video":
            _check_video_length(reporter, used, seconds, limits)
    if total["audio"] > limits.audio_seconds:
        length = decimal_text(total["audio"])
        message = f"the audio of this shot has {length} seconds in all; at most {limits.audio_seconds} are allowed"
        reporter.note_about("audio-length", _first_of_kind(materials, "audio"), message, "shorten the audio")
    # The provider's pages allow 15 seconds for each video, or for all together: an edition says which is a problem.
    maximum = limits.videos_seconds or limits.videos_seconds_warn
    if (
        maximum is not None
        and total["video"] > maximum
        # A single video is `_check_video_length`'s.
        and sum(material.kind == "video" for material in request.materials) > 1
    ):
        message = f"the videos of this shot have {decimal_text(total['video'])} seconds in all"
        if limits.videos_seconds:
            reporter.note_about(
                "video-length",
                _first_of_kind(materials, "video"),
                f"{message}; at most {maximum} are allowed",
                "shorten the videos",
            )
        else:
            reporter.warn_about(
                "videos-length",
                _first_of_kind(materials, "video"),
                f"{message}; some pages of the provider's documentation allow only {maximum}",
                "",
            )


def _check_video_length(reporter: ShotReporter, used: UsedMaterial, seconds: Decimal, limits: Limits) -> None:
    shortest, longest = limits.video_seconds
    if seconds > longest:
        message = f"`{used.name}` has {decimal_text(seconds)} seconds; a video has at most {longest}"
        reporter.note_about("video-length", used, message, "shorten the video")
    elif seconds < shortest:
        message = f"`{used.name}` has {decimal_text(seconds)} seconds; a video has at least {shortest}"
        reporter.note_about("video-length", used, message, "use a longer video")


def _first_of_kind(materials: Sequence[UsedMaterial], kind: Kind) -> UsedMaterial:
    return next(used for used in materials if used.material.kind == kind)


def _check_shapes(
    reporter: ShotReporter, symbols: SymbolTable, request: Request, materials: Sequence[UsedMaterial]
) -> None:
    """Note frames whose shape is far from the shot's; a reference has no shape that the clip would take over."""
    if request.aspect_ratio is None or request.mode != "keyframe":
        return
    for used in materials:
        material = used.material
        if not isinstance(material, LocalFile) or material.kind != "image" or not material.width or not material.height:
            continue
        ratio_width, ratio_height = map(int, request.aspect_ratio.split(":"))
        ratio = (material.width / material.height) / (ratio_width / ratio_height)
        if max(ratio, 1 / ratio) > _MAX_RATIO_DIFFERENCE:
            frame = MisfitFrame(material.path, used.name, material.width, material.height, reporter.place(used))
            symbols.add_misfit(frame, request.aspect_ratio, reporter.draft.id)


def _warn_unmentioned(reporter: ShotReporter, materials: Sequence[UsedMaterial], mentioned: int) -> None:
    """Warn about references that the prompt does not mention: they follow the mentioned ones."""
    for index in range(mentioned, len(materials)):
        used = materials[index]
        number = sum(other.material.kind == used.material.kind for other in materials[: index + 1])
        message = f"the prompt does not mention the reference `{used.name}`"
        hint = f"the reference is sent as @{used.material.kind}{number}, and the model decides how to use it"
        reporter.warn_about("unmentioned", used, message, hint)
