"""From an entry to a finished shot: what it starts from, what overrides what, and where each value came from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runner.language import schema
from runner.language.document import Document, Fields, Origin, Path, Value
from runner.language.matrix import Choice, Combination, appended, axes, combinations
from runner.language.source import plain
from runner.language.template import MARK, Fault, Scope, Template, Templates, Variable
from runner.problems import Problem, Problems

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_NUMBERS = frozenset(("duration", "takes", "seed"))
_TRUTHS = frozenset(("skip", "audio"))
_UNRENDERED = frozenset(("inputs", "vars", "prompt", "wrap"))
_LABELS = frozenset(("title",))


@dataclass(frozen=True, slots=True)
class Layer:
    """Fields that are merged into a shot, and where they stand."""

    origin: Origin
    fields: Mapping[str, Value]
    what: str
    """`defaults`, `shot`, `matrix format: tall`, `profile draft`."""
    direct: bool = False
    """True when the origin is the value itself: an item of an axis."""

    def of(self, field: str) -> Origin:
        return self.origin if self.direct else self.origin / field


@dataclass(slots=True)
class Draft:
    """A shot on its way: merged, not yet rendered."""

    entry: Origin
    layers: tuple[Layer, ...]
    raw: dict[str, Value]
    combination: Combination
    scope: Scope
    id: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    """Rendered and checked fields."""
    broken: set[str] = field(default_factory=set)
    """Fields that something was said about; nothing more is said of them."""

    def layer(self, name: str) -> Layer | None:
        """The layer that a field's value came from; for a mapping, the last that says it."""
        return next((layer for layer in reversed(self.layers) if name in layer.fields), None)

    def origin(self, name: str, *keys: str | int) -> Origin:
        """Where a field's value stands; for a key of a mapping, where that key was said last; else the entry."""
        for layer in reversed(self.layers):
            value = layer.fields.get(name)
            if name not in layer.fields or (keys and isinstance(value, dict) and keys[0] not in value):
                continue
            made = layer.of(name)
            for key in keys:
                made = made / key
            return made
        return self.entry


@dataclass(frozen=True, slots=True)
class Ground:
    """What all shots of a storyboard start from."""

    document: Document
    defaults: tuple[Layer, ...]
    profile: tuple[Layer, ...]
    variables: Mapping[str, Variable]
    templates: Templates
    problems: Problems
    broken: frozenset[Path]


def merge(layers: Sequence[Layer]) -> dict[str, Value]:
    """The fields of several layers: a scalar or a list replaces, a mapping merges one level deep, null removes."""
    made: dict[str, Value] = {}
    for layer in layers:
        for name, value in layer.fields.items():
            if value is None:
                made.pop(name, None)
            elif isinstance(value, dict):
                before = made.get(name)
                made[name] = _merged(before if isinstance(before, dict) else {}, value, name)
            elif name[:2] != "x-":
                made[name] = value
    return made


def _merged(before: Mapping[str, Value], value: Mapping[str, Value], name: str) -> dict[str, Value]:
    made = dict(before)
    for key, item in value.items():
        # A variable that is null hides the storyboard's too; it is a problem only where it is used.
        if item is None and name != "vars":
            made.pop(key, None)
        elif not (name == "vars" and key.startswith("x-")):
            made[key] = item
    return made


def expand(ground: Ground) -> list[Draft]:
    """Every shot of a storyboard, in the file's order, with its id; entries that cannot be expanded are left out."""
    shots = ground.document.root.get("shots")
    found: list[Draft] = []
    start = merge(ground.defaults)
    start_variables = _variables(start, ground.defaults)
    for index, entry in enumerate(shots if isinstance(shots, list) else ()):
        if not isinstance(entry, Fields):
            continue
        origin = Origin(ground.document, ("shots", index))
        if ("shots", index, "matrix") in ground.broken or "id" not in entry:
            continue
        if "matrix" in entry:
            found += _from_matrix(ground, origin, entry)
        else:
            draft = _draft(ground, origin, entry, start, start_variables)
            if draft is not None:
                found.append(draft)
    return found


def _draft(
    ground: Ground, origin: Origin, entry: Fields, start: dict[str, Value], variables: Mapping[str, Variable]
) -> Draft | None:
    """A shot without a matrix: most of all shots, so it is made with as little work as can be."""
    layers = (*ground.defaults, Layer(origin, entry, "shot"), *ground.profile)
    raw = start.copy()
    for name, value in entry.items():
        if value is None:
            raw.pop(name, None)
        elif type(value) is Fields or isinstance(value, dict):
            before = raw.get(name)
            raw[name] = _merged(before if isinstance(before, dict) else {}, value, name)
        elif name[:2] != "x-":
            raw[name] = value
    if ground.profile:
        raw = merge(layers)
    if raw.get("vars") is not start.get("vars"):
        variables = _variables(raw, layers)
    draft = Draft(origin, layers, raw, (), Scope((ground.variables, variables)))
    return _identified(draft, ground)


def _from_matrix(ground: Ground, origin: Origin, entry: Fields) -> Iterator[Draft]:
    problems = ground.problems
    before = len(problems.found)
    found = axes(origin / "matrix", problems)
    made = combinations(origin / "matrix", found, problems) if found else []
    if not found and len(problems.found) == before:
        problems.add(Problem("empty", (origin / "matrix").key_place(), "`matrix` has no axis", "name: [value, …]"))
    _check_variables(origin, entry, ground, {axis.name for axis in found})
    used: set[str] = set()
    drafts: list[Draft] = []
    for combination in made:
        pieces = tuple(_piece(choice) for choice in combination if choice.fields)
        layers = (*ground.defaults, Layer(origin, entry, "shot"), *pieces, *ground.profile)
        raw = merge(layers)
        raw.pop("matrix", None)
        chosen = {choice.axis: Variable(choice.value, None, literal=True) for choice in combination}
        scope = Scope((ground.variables, _variables(raw, layers), chosen))
        draft = _identified(Draft(origin, layers, raw, combination, scope), ground)
        if draft is not None:
            drafts.append(draft)
        used |= _named(raw, scope, ground.templates)
    for axis in found if made else ():
        if not axis.sets and axis.name not in used:
            message = f"the axis `{axis.name}` changes nothing but the id: its clips would all be the same"
            hint = f"use {{{{ {axis.name} }}}} in the prompt, or give its values fields"
            problems.add(Problem("matrix-idle-axis", axis.origin.key_place(), message, hint))
    yield from drafts


def _piece(choice: Choice) -> Layer:
    return Layer(
        choice.origin, choice.fields, f"matrix {choice.axis}: {choice.text}", choice.origin.path[-1] != choice.value
    )


def _check_variables(origin: Origin, entry: Fields, ground: Ground, names: set[str]) -> None:
    said = entry.get("vars")
    for name in said if isinstance(said, dict) else ():
        if name in names:
            message = f"`{name}` is an axis of this shot's matrix and one of its variables"
            hint = "name one of the two otherwise"
            ground.problems.add(Problem("matrix-variable", (origin / "vars" / name).key_place(), message, hint))


def _variables(raw: Mapping[str, Value], layers: Sequence[Layer]) -> Mapping[str, Variable]:
    said = raw.get("vars")
    if not isinstance(said, dict):
        return {}
    return {name: Variable(value, _said_in(layers, name)) for name, value in said.items()}


class _said_in:  # noqa: N801 - a function that remembers what it was asked
    """Where a variable of a shot was said last; looked up only when it is asked for."""

    __slots__ = ("layers", "name")

    def __init__(self, layers: Sequence[Layer], name: str) -> None:
        self.layers = layers
        self.name = name

    def __call__(self) -> Origin:
        for layer in reversed(self.layers):
            said = layer.fields.get("vars")
            if isinstance(said, dict) and self.name in said:
                return layer.of("vars") / self.name
        return self.layers[-1].origin


def _named(raw: Mapping[str, Value], scope: Scope, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, through variables too; its id does not count."""
    found: set[str] = set()
    waiting = [value for name, value in raw.items() if name not in ("id", "vars", "inputs")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if MARK.search(value):
                for name in templates.read(value).names - found:
                    found.add(name)
                    variable = scope.find(name)
                    if variable is not None and not variable.literal:
                        waiting.append(variable.value)
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
    return found


def used_names(draft: Draft, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, its id among them."""
    said = draft.raw.get("id")
    own = templates.read(said).names if isinstance(said, str) and MARK.search(said) else frozenset()
    return _named(draft.raw, draft.scope, templates) | own


def _identified(draft: Draft, ground: Ground) -> Draft | None:
    """The draft with its id and with `shot` in its scope; None when the id cannot be used."""
    said = draft.raw.pop("id", None)
    origin = draft.origin("id")
    text = said if isinstance(said, str) else ""
    if MARK.search(text):
        try:
            text = ground.templates.render(text, draft.scope, lambda: origin)
        except Fault as fault:
            ground.problems.add(fault.problem)
            return None
    elif draft.combination:
        text += appended(draft.combination)
    wrong = bad_id(text)
    if wrong:
        rendered = "" if text == said else f"this comes to `{text}`: "
        ground.problems.add(Problem("id-form", origin.place(), rendered + wrong[0], wrong[1]))
        return None
    draft.id = text
    draft.raw["id"] = said
    scene = draft.raw.get("scene")
    if isinstance(scene, str) and MARK.search(scene):
        draft.scope.rendered["shot"] = {"id": text}
        scene = _read("scene", render_field(draft, "scene", scene, ground))
        draft.values["scene"] = scene
    draft.scope.rendered["shot"] = {"id": text, "scene": scene}
    return draft


def bad_id(text: str) -> tuple[str, str] | None:
    """Why a text cannot name a shot and its files, and what to do; None when it can."""
    if not text:
        return "an id has at least one character", ""
    if len(text) > 64:
        return f"an id has at most 64 characters, and this has {len(text)}", "shorten it"
    if not _ID.match(text):
        hint = "letters and digits of ASCII, . _ - and first a letter or digit; {{ name | slug }} makes such text"
        return "this cannot name a shot and its files", hint
    if _RESERVED.match(text):
        return (
            f"Windows keeps the name {text.split('.')[0]} for itself",
            "choose another, so that the files fit on every disk",
        )
    if ".." in text or text.endswith("."):
        return "an id holds no two points in a row and ends in none", "remove the point"
    if text.lower().endswith((".first_frame", ".last_frame")):
        return "this looks like a frame of a shot", "choose an id that does not end so"
    if re.match(r"(?:image|video|audio)\d+\Z", text, re.IGNORECASE):
        return "this looks like a position among the references", "choose another id"
    return None


def render_field(draft: Draft, name: str, text: str, ground: Ground, *keys: int) -> str | None:
    """A field's text, rendered; what is wrong is noted, and None returned."""
    try:
        return ground.templates.render(text, draft.scope, lambda: draft.origin(name, *keys))
    except Fault as fault:
        ground.problems.add(_for_shot(fault.problem, draft))
        draft.broken.add(name)
        return None


def _for_shot(problem: Problem, draft: Draft) -> Problem:
    from dataclasses import replace

    return replace(problem, shots=(*problem.shots, draft.id))


def finish(draft: Draft, ground: Ground) -> None:
    """Renders every field but the prompt and checks the finished shot against the schema."""
    values = draft.values
    for name, value in draft.raw.items():
        if name in _UNRENDERED or name == "id" or name in values:
            continue
        if type(value) is str:
            if "{" in value and MARK.search(value):
                value = _read(name, render_field(draft, name, value, ground))
                if value is None:
                    continue
        elif type(value) is not bool and isinstance(value, float):
            value = _whole(value) if name != "title" else draft.origin(name).written()
        elif isinstance(value, list):
            value = _items(draft, name, value, ground)
        elif name == "title":
            value = str(value)
        values[name] = value
    if not schema.fits(values, "finished"):
        for finding in schema.findings(values, "finished"):
            _note_finding(draft, finding, ground)


def _whole(value: float) -> Value:
    return int(value) if value.is_integer() else value


def _read(name: str, text: str | None) -> Value:
    """A rendered text as the field's kind of value; nothing is null."""
    if text is None or not (bare := text.strip()):
        return None
    if name in _NUMBERS or name in _TRUTHS:
        return plain(bare)
    return bare


def _items(draft: Draft, name: str, items: list[Value], ground: Ground) -> list[Value]:
    made: list[Value] = []
    for index, item in enumerate(items):
        if isinstance(item, str):
            if MARK.search(item):
                item = _read(name, render_field(draft, name, item, ground, index))
                if item is None:
                    continue
        elif isinstance(item, float) and name == "tags":
            item = draft.origin(name, index).written()
        elif isinstance(item, int) and name == "tags":
            item = str(item)
        made.append(item)
    return made


def _note_finding(draft: Draft, finding: "schema.Finding", ground: Ground) -> None:
    name = str(finding.path[0]) if finding.path else ""
    if name in draft.broken:
        return
    draft.broken.add(name)
    draft.values.pop(name, None)
    said = draft.origin(name)
    place = said.place() if isinstance(said.value, str | int | float | list) else said.key_place()
    ground.problems.add(
        Problem(finding.code, place, finding.message, finding.hint, shots=(draft.id,), related=said.detours())
    )


def prompt_text(draft: Draft, ground: Ground) -> tuple[str | None, str | None]:
    """The prompt before and after `wrap`, rendered, mentions still as written."""
    said = draft.raw.get("prompt")
    if not isinstance(said, str):
        return None, None
    bare: str | None = said
    if "{" in said and MARK.search(said):
        bare = render_field(draft, "prompt", said, ground)
    if bare is None or not bare.strip():
        return None, None
    wrap = draft.raw.get("wrap")
    if not isinstance(wrap, str):
        return bare, bare
    template = ground.templates.read(wrap)
    if "prompt" not in template.names and template.wrong is None:
        hint = "write {{ prompt }} where the shot's own prompt belongs"
        ground.problems.add(
            Problem(
                "wrap-without-prompt",
                draft.origin("wrap").place(),
                "this wrap leaves the prompt out",
                hint,
                shots=(draft.id,),
            )
        )
        draft.broken.add("prompt")
        return bare, bare
    draft.scope.rendered["prompt"] = bare
    wrapped = render_field(draft, "wrap", wrap, ground)
    if wrapped is None:
        draft.broken.add("prompt")
    return bare, wrapped


def template_of(draft: Draft, ground: Ground, name: str) -> Template | None:
    said = draft.raw.get(name)
    return ground.templates.read(said) if isinstance(said, str) else None
