"""What can only be seen across the shots of a storyboard: names, circles, equal requests, what nobody uses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runner.diagnostics.problem import Place, Problem, closest_match
from runner.language.expansion import used_names
from runner.language.materials import Asset, MediaCache, check_unused, fold_name
from runner.language.mentions import is_name, reference_position
from runner.language.model import Shot
from runner.language.shot_draft import ShotDraft, StoryboardScope
from runner.language.templates.errors import line_place
from runner.language.templates.scope import RESERVED, has_template
from runner.language.yaml.document import Document, NodeRef, Path, Value
from runner.requests.request import canonical_json

_MAX_NAMES_IN_CIRCLES = 50_000
VariableKey = tuple[str, Path, str]
"""A variable by the file and the mapping that say it."""


def check_ids(drafts: Sequence[ShotDraft], scope: StoryboardScope) -> None:
    """Ids differ by more than case; the second of two that do not is unknown from here on."""
    first_by_id: dict[str, ShotDraft] = {}
    for draft in drafts:
        if not draft.has_usable_id:
            continue
        first = first_by_id.setdefault(draft.id.lower(), draft)
        if first is draft:
            continue
        draft.has_usable_id = False
        draft.broken.add("id")
        other_spelling = "" if first.id == draft.id else f" (there as `{first.id}`; ids differ by more than case)"
        message, hint = f"the id `{draft.id}` is taken{other_spelling}", "every shot has an id of its own"
        related: tuple[tuple[Place, str], ...] = ((first.origin("id").place(), "the first"),)
        shots: tuple[str, ...] = ()
        if first.entry == draft.entry:
            message, hint = "combinations of this matrix have the same id", "name every axis in the id"
            related, shots = (), (draft.id,)
        problem = Problem("id-taken", draft.origin("id").place(), message, hint, related=related, shots=shots)
        scope.problems.add(problem)


def check_asset_names(
    assets: Iterable[Asset], drafts: Sequence[ShotDraft], scope: StoryboardScope
) -> dict[str, Asset | str]:
    """Everybody's name, compared without case; a name that cannot be one, or is taken, is a problem."""
    names: dict[str, Asset | str] = {}
    for asset in assets:
        key, place = fold_name(asset.name), asset.origin.key_place()
        reason = _bad_name(asset.name)
        if reason:
            scope.problems.add(Problem("asset-name", place, f"`{asset.name}` cannot be a name: {reason}"))
            continue
        first = names.get(key)
        if isinstance(first, Asset):
            related = ((first.origin.key_place(), "the first"),)
            message = f"`{asset.name}` and `{first.name}` are one name"
            scope.problems.add(Problem("name-taken", place, message, "names differ by more than case", related=related))
            continue
        names[key] = asset
    for draft in drafts:
        if not draft.has_usable_id:
            continue
        key = fold_name(draft.id)
        first = names.get(key)
        if isinstance(first, Asset):
            related = ((first.origin.key_place(), "the asset"),)
            message = f"`{draft.id}` is a shot and an asset; both are mentioned as @{draft.id}"
            scope.problems.add(
                Problem("name-taken", draft.origin("id").place(), message, "rename one of the two", related=related)
            )
            continue
        names[key] = draft.id
    return names


def _bad_name(name: str) -> str:
    if not is_name(name):
        return "names have letters and digits of any script, _ - and ."
    if reference_position(name):
        return "it looks like a position among the references"
    if name.lower().endswith((".first_frame", ".last_frame")):
        return "it looks like a frame of a shot"
    return ""


def check_circles(shots: Sequence[Shot], drafts: Mapping[str, ShotDraft], scope: StoryboardScope) -> None:
    """Shots that are made from each other; the whole circle is named, once."""
    graph = {shot.id: needs for shot in shots if shot.request.materials and (needs := shot.needs)}
    if _only_needs_earlier_shots(shots, graph):
        return
    order = {shot.id: index for index, shot in enumerate(shots)}
    for circle in _find_circles(graph):
        start = circle.index(min(circle, key=order.__getitem__))
        circle = [*circle[start:], *circle[:start], circle[start]]
        subject = f"`{circle[0]}` is made from itself" if len(circle) == 2 else "these shots are made from each other"
        message = f"{subject}: {' → '.join(circle)}" if len(circle) > 2 else subject
        place = drafts[circle[0]].origin("id").place()
        scope.problems.add(Problem("circle", place, message, "begin one of them without the other"))


def _find_circles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Each way from a shot back to itself that is met when all needs are followed once, as many as a person reads."""
    finished: set[str] = set()
    name_count = 0
    for first in graph:
        trail: dict[str, Iterator[str]] = {} if first in finished else {first: iter(graph[first])}
        while trail:
            shot, needs = next(reversed(trail.items()))
            need = next(needs, None)
            if need is None:
                finished.add(shot)
                del trail[shot]
            elif need in trail:
                circle = list(trail)
                circle = circle[circle.index(need) :]
                name_count += len(circle)
                if name_count > _MAX_NAMES_IN_CIRCLES:
                    return
                yield circle
            elif need in graph and need not in finished:
                trail[need] = iter(graph[need])


def _only_needs_earlier_shots(shots: Sequence[Shot], graph: Mapping[str, tuple[str, ...]]) -> bool:
    """Is every shot made from earlier ones only, as nearly always: then there is no circle to look for."""
    earlier: set[str] = set()
    for shot in shots:
        if shot.id in graph and not earlier.issuperset(graph[shot.id]):
            return False
        earlier.add(shot.id)
    return True


def check_same_requests(shots: Sequence[Shot], drafts: Mapping[str, ShotDraft], scope: StoryboardScope) -> None:
    """Shots with equal requests share their clips."""
    # Few shots share a prompt, so the rest of the request is looked at only where they do.
    first_by_prompt: dict[str | None, Shot] = {}
    same_prompt: dict[str | None, list[Shot]] = {}
    for shot in shots:
        raw_prompt = shot.request.prompt
        normalized_prompt = raw_prompt and " ".join(raw_prompt.split())
        if (first := first_by_prompt.setdefault(normalized_prompt, shot)) is not shot:
            same_prompt.setdefault(normalized_prompt, [first]).append(shot)
    ids_by_request: dict[object, list[str]] = {}
    for shot in (shot for group in same_prompt.values() for shot in group):
        request = shot.request
        inputs = canonical_json(dict(request.inputs)) if request.inputs else ""
        prompt = request.prompt and " ".join(request.prompt.split())
        settings = (request.model, request.resolution, request.seconds, request.aspect_ratio, request.upscale)
        key = (prompt, settings, request.mode, request.materials, request.seed, request.audio, inputs)
        ids_by_request.setdefault(key, []).append(shot.id)
    for ids in ids_by_request.values():
        if len(ids) > 1:
            more = f" and {len(ids) - 4} more" if len(ids) > 4 else ""
            others = ", ".join(f"`{shot_id}`" for shot_id in ids[1:4]) + more
            message = f"`{ids[0]}` asks for the same as {others}: their clips are made once and shown in each"
            hint = "change a prompt if the clips should differ, or ask for more takes of one shot"
            scope.problems.add(Problem("same-request", drafts[ids[1]].origin("id").place(), message, hint, "warning"))


def check_seconds(assets: Iterable[Asset], scope: StoryboardScope) -> None:
    """`seconds` is for remote video and audio; elsewhere it would be read by nobody."""
    for asset in assets:
        has_remote_media = any("://" in source and kind != "image" for kind, source, _ in asset.sources)
        if asset.seconds is not None and not has_remote_media:
            holders = [layer for layer in asset.layers if isinstance(value := layer.value, dict) and "seconds" in value]
            message = f"`seconds` of `{asset.name}` is read by nobody: local files are measured, and pictures have none"
            place = (holders[-1] / "seconds").key_place()
            scope.problems.add(Problem("seconds-measured", place, message, "remove it", "warning"))


def check_unused_asset_files(assets: Iterable[Asset], media: MediaCache, scope: StoryboardScope) -> None:
    """The files of assets that no shot uses are there too; those that are used were measured."""
    for asset in assets:
        for problem in () if asset.used else check_unused(asset, media):
            scope.problems.add(problem)


def check_templates(files: Iterable[Document], scope: StoryboardScope) -> None:
    """Every template can be read, whether a shot uses it or not."""
    for document in files:
        for section in ("vars", "assets", "defaults", "profiles"):
            _check_templates(NodeRef(document, (section,)), document.root.get(section), section, scope)


def _check_templates(origin: NodeRef, value: Value, section: str, scope: StoryboardScope) -> None:
    if isinstance(value, str):
        if has_template(value) and (error := scope.templates.read(value).wrong):
            code, message, line, hint = error
            scope.problems.add(Problem(code, line_place(origin, line), message, hint))
    elif isinstance(value, dict):
        for key, item in value.items():
            if (
                not key.startswith("x-")
                and key != "inputs"
                and (section != "assets" or key == "words" or origin.path == ("assets",))
            ):
                _check_templates(origin / key, item, section, scope)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_templates(origin / index, item, section, scope)


def check_variable_names(files: Iterable[Document], scope: StoryboardScope) -> None:
    """Variables have names that a template can say."""
    for document in files:
        root = document.root
        shots, profiles = root.get("shots"), root.get("profiles")
        holders: list[tuple[Path, Value]] = [((), root), (("defaults",), root.get("defaults"))]
        holders += [(("shots", index), shot) for index, shot in enumerate(shots if isinstance(shots, list) else ())]
        holders += [
            (("profiles", name), profile) for name, profile in (profiles.items() if isinstance(profiles, dict) else ())
        ]
        for path, holder in holders:
            variables = holder.get("vars") if isinstance(holder, dict) else None
            for name in variables if isinstance(variables, dict) else ():
                if (not name.isidentifier() or name in RESERVED) and not name.startswith("x-"):
                    place = NodeRef(document, (*path, "vars", name)).key_place()
                    message = f"no template can name the variable `{name}`"
                    hint = f"letters, digits and _, first no digit, no word of the language: {_identifier(name)}"
                    scope.problems.add(Problem("variable-name", place, message, hint))


def _identifier(name: str) -> str:
    identifier = "".join(character if character.isalnum() or character == "_" else "_" for character in name)
    if identifier.isidentifier() and identifier not in RESERVED:
        return identifier
    return f"{identifier}_" if identifier[:1].isalpha() else f"_{identifier}"


def check_unused_assets(assets: Iterable[Asset], scope: StoryboardScope) -> None:
    """An asset of this file that nothing uses; included ones are a cast list."""
    for asset in assets:
        if asset.own and not asset.used:
            message = f"nothing uses the asset `{asset.name}`"
            scope.problems.add(
                Problem(
                    "unused-asset", asset.origin.key_place(), message, f"mention @{asset.name}, or remove it", "warning"
                )
            )


def check_unused_variables(drafts: Iterable[ShotDraft], scope: StoryboardScope) -> None:
    """A variable of a shot, a piece or a profile that no template of its shots uses."""
    unused: dict[VariableKey, tuple[ShotDraft, str, set[str]]] = {}
    used_keys: set[VariableKey] = set()
    for draft in drafts:
        if not draft.combination and not scope.profile and "vars" not in draft.layers[-1].fields:
            continue
        variables = draft.raw.get("vars")
        if (
            not isinstance(variables, dict)
            or not variables
            or not any("vars" in layer.fields for layer in draft.layers[len(scope.defaults) :])
        ):
            continue
        names_in_templates = used_names(draft, scope.templates) | scope.asset_variables
        for name in variables:
            layer = next(
                (
                    candidate
                    for candidate in reversed(draft.layers)
                    if isinstance(value := candidate.fields.get("vars"), dict) and name in value
                ),
                None,
            )
            if layer is None or layer.what == "defaults":
                continue
            key = (layer.origin.document.name, layer.origin.path, name)
            if name in names_in_templates:
                used_keys.add(key)
            else:
                unused.setdefault(key, (draft, name, names_in_templates))
    for key, (draft, name, names_in_templates) in unused.items():
        if key in used_keys:
            continue
        suggestion = closest_match(name, names_in_templates - {"shot", "prompt"})
        hint = (
            f"did you mean `{suggestion}`?"
            if suggestion
            else f"write {{{{ {name} }}}} in the prompt or its wrap, or remove it"
        )
        place = draft.origin("vars", name).key_place()
        scope.problems.add(
            Problem(
                "unused-variable", place, f"no template of this shot uses `{name}`", hint, "warning", shots=(draft.id,)
            )
        )
