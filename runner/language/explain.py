"""Explanation of a shot: each value with its source, and the prompt at each step until it is sent."""

from collections.abc import Sequence
from pathlib import Path as FilePath

from runner.attempts.film import ShotKey
from runner.diagnostics.problem import Place
from runner.language.compile_options import CompileOptions
from runner.language.compiler import open_compilation, read_documents
from runner.language.expansion import used_names
from runner.language.model import Shot
from runner.language.request_builder import build_shot
from runner.language.shot_draft import ShotDraft, prompt_text, render_fields
from runner.language.storyboard_ir import StoryboardIR, expand_documents
from runner.language.templates.environment import text_of
from runner.language.templates.scope import TemplateFailure
from runner.language.yaml.document import Value
from runner.lazy_dataclass import dataclass, replace

# As a reader looks: what the shot is, how it is made, what goes into it; prompt and wrap are long and come last.
_ORDER = """
    id title scene tags notes mode model resolution duration seconds in aspect_ratio upscale seed audio takes skip
    first_frame last_frame references inputs wrap prompt
"""


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """A field or variable of a finished shot: its name, its value as text, and its source."""

    name: str
    value: str
    where: str
    """`shot`, `defaults`, `matrix format: tall`, `profile draft`, `vars`, `--var`, `the format's default`."""
    place: Place | None
    """None for a value that is not from a file."""
    overrides: tuple[Place, ...] = ()
    """Places of the values that this value overrides."""


@dataclass(frozen=True, slots=True)
class ShotExplanation:
    """The values that `plan --explain` shows of a shot."""

    shot: Shot
    fields: tuple[ExplainedValue, ...]
    variables: tuple[ExplainedValue, ...]
    """Variables that the shot's templates use."""
    written: str | None
    """The prompt as written in the file."""
    wrap: str | None
    rendered: str | None
    """The prompt in its wrap after templates, mentions still as written."""
    sent: str | None
    materials: tuple[tuple[str, str, str], ...]
    """Position in the request (`@image1`, `first frame`), the user's name, and the path, address or take."""
    sources: tuple[Place, ...] = ()
    """Place of each of the request's materials: in its asset, else at its mention."""
    prompt_at: Place | None = None


def explain_shot(
    files: Sequence[FilePath], root: FilePath, options: CompileOptions, shot: ShotKey
) -> ShotExplanation | None:
    """Explain the shot with an id in a film, whose profile counts; None for an unknown or invalid shot."""
    film, name = shot
    with open_compilation(root, replace(options, profile=film.profile)) as compilation:
        for ir in expand_documents(read_documents(files, compilation), compilation):
            for draft in ir.drafts:
                if ir.document.name == film.storyboard and draft.id == name:
                    return _explain_draft(ir, draft)
    return None


def _explain_draft(ir: StoryboardIR, draft: ShotDraft) -> ShotExplanation | None:
    render_fields(draft, ir.scope)
    built = build_shot(draft, ir.scope, ir.symbols)
    if (shot := built.shot) is None:
        return None
    _, rendered = prompt_text(draft, ir.scope)
    written, wrap = draft.raw.get("prompt"), draft.raw.get("wrap")
    return ShotExplanation(
        shot=shot,
        fields=tuple(_fields(draft, shot)),
        variables=tuple(_variables(ir, draft)),
        written=written if isinstance(written, str) else None,
        wrap=wrap if isinstance(wrap, str) else None,
        rendered=rendered.strip() if rendered else None,
        sent=shot.request.prompt,
        materials=tuple(_materials(shot)),
        sources=tuple((used.source or draft.origin(*used.where)).place() for used in built.materials),
        prompt_at=draft.origin("prompt").place() if draft.layer("prompt") is not None else None,
    )


def _fields(draft: ShotDraft, shot: Shot) -> list[ExplainedValue]:
    explained: list[ExplainedValue] = []
    request = shot.request
    defaults = {
        "model": request.model,
        "resolution": request.resolution,
        "duration": str(request.seconds),
        "aspect_ratio": request.aspect_ratio or "",
        "takes": str(shot.takes),
    }
    for name in _ORDER.split():
        value = shot.id if name == "id" else draft.values.get(name, draft.raw.get(name))
        if name in ("wrap", "prompt"):
            value = draft.raw.get(name)
        layers = [layer for layer in draft.layers if name in layer.fields]
        if value is None and name in defaults:
            follows = name == "duration" and shot.film_seconds is not None
            source = "follows from `seconds`" if follows else "the format's default"
            explained.append(ExplainedValue(name, defaults[name], source, None))
        elif value is not None and layers:
            text = shot.request.model if name == "model" else _text(value)
            overridden = tuple(layer.of(name).place() for layer in layers[:-1])
            explained.append(ExplainedValue(name, text, layers[-1].what, layers[-1].of(name).place(), overridden))
    return explained


def _variables(ir: StoryboardIR, draft: ShotDraft) -> list[ExplainedValue]:
    explained: list[ExplainedValue] = []
    axes = {axis_value.axis: axis_value for axis_value in draft.combination}
    for name in sorted(used_names(draft, ir.scope.templates) | ir.scope.asset_variables):
        variable = draft.scope.find(name)
        if variable is None:
            continue
        try:
            value = ir.scope.templates.value(name, draft.scope, lambda: draft.entry.place())
        # A variable in the words of an asset that this shot does not mention may fail in its scope.
        except TemplateFailure:
            continue
        if name in axes:
            explained.append(ExplainedValue(name, _text(value), f"axis {name}", axes[name].origin.place()))
        elif variable.origin is None:
            explained.append(ExplainedValue(name, _text(value), "--var", None))
        else:
            origin = variable.origin()
            layer = next(
                (
                    candidate
                    for candidate in reversed(draft.layers)
                    if name in _mapping_or_empty(candidate.fields.get("vars"))
                ),
                None,
            )
            explained.append(ExplainedValue(name, _text(value), layer.what if layer else "vars", origin.place()))
    return explained


def _mapping_or_empty(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _materials(shot: Shot) -> list[tuple[str, str, str]]:
    counts: dict[str, int] = {}
    materials: list[tuple[str, str, str]] = []
    for number, (material, name) in enumerate(zip(shot.request.materials, shot.names, strict=True)):
        counts[material.kind] = counts.get(material.kind, 0) + 1
        position = f"@{material.kind}{counts[material.kind]}"
        if shot.request.mode == "keyframe":
            position = ("first frame", "last frame")[number]
        source = getattr(material, "name", None) or getattr(material, "url", None) or str(material)
        materials.append((position, name, source))
    return materials


def _text(value: Value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else text_of(value)
