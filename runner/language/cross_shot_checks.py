"""Checks across the shots of a storyboard: names, circles, equal requests, unused assets and variables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from runner.attempts.clip_name import names_files
from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import Place, Problem, closest_match
from runner.language.asset import Asset
from runner.language.expansion import direct_names, used_names
from runner.language.ids import is_frame_name
from runner.language.loader import Definition
from runner.language.materials import MediaCache, check_unused
from runner.language.mentions import is_name, reference_position
from runner.language.model import Shot
from runner.language.shot_draft import FieldLayer, ShotDraft, StoryboardScope
from runner.language.symbols import MisfitFrame
from runner.language.templates.scope import RESERVED, has_template
from runner.language.yaml.document import Document, NodeRef, Path, Value
from runner.requests.request import canonical_json

_CASE_RULE = "names must differ by more than upper and lower case"
# Bound of the total length of reported circles: a dense graph has more circles than a person reads.
_MAX_NAMES_IN_CIRCLES = 50_000

VariableKey = tuple[str, Path, str]
"""A variable: the file, the mapping that defines it, and its name."""


def check_ids(drafts: Sequence[ShotDraft], scope: StoryboardScope) -> None:
    """Report ids that differ only by case; the second shot of such a pair has no usable id afterwards."""
    first_by_id: dict[str, ShotDraft] = {}
    for draft in drafts:
        if not draft.has_usable_id:
            continue
        # Ids name folders: `Quay` and `quay` are one folder on macOS and Windows.
        first = first_by_id.setdefault(draft.id.lower(), draft)
        if first is draft:
            continue
        # The second one loses it, so that mentions still lead to the first.
        draft.lose_id()
        other_spelling = "" if first.id == draft.id else f" (as `{first.id}`: {_CASE_RULE})"
        message, hint = f"the id `{draft.id}` is already used{other_spelling}", "give every shot an id of its own"
        related: tuple[tuple[Place, str], ...] = ((first.origin("id").place(), "the first"),)
        shots: tuple[str, ...] = ()
        # One matrix made both ids: another shot to point at does not exist.
        if first.entry == draft.entry:
            message, hint = "combinations of this matrix have the same id", "use every axis in the id"
            related, shots = (), (draft.id,)
        problem = Problem("id-taken", draft.origin("id").place(), message, hint, related=related, shots=shots)
        scope.problems.add(problem)


def check_asset_names(
    assets: Iterable[Asset], drafts: Sequence[ShotDraft], scope: StoryboardScope
) -> dict[str, Asset | str]:
    """Return assets and shot ids by folded name; report a name that is malformed or used twice."""
    names: dict[str, Asset | str] = {}
    for asset in assets:
        for name, place in asset_places(asset):
            key, reason = fold_name(name), _bad_name(name)
            if reason:
                scope.problems.add(Problem("asset-name", place, f"`{name}` cannot be an asset name: {reason}"))
                scope.left_out.note_name(key, place)
                continue
            first = names.setdefault(key, asset)
            if isinstance(first, Asset) and first is not asset:
                taken = next(other for other, _ in asset_places(first) if fold_name(other) == key)
                related = ((first.origin.key_place(), "the first"),)
                message = f"`{name}` and `{taken}` are the same name"
                hint = _CASE_RULE if taken == first.name and name == asset.name else "remove one of the two aliases"
                scope.problems.add(Problem("name-taken", place, message, hint, related=related))
    for draft in drafts:
        if not draft.has_usable_id:
            continue
        key = fold_name(draft.id)
        taken_by = names.get(key)
        if isinstance(taken_by, Asset):
            related = ((taken_by.origin.key_place(), "the asset"),)
            message = f"`{draft.id}` is both a shot and an asset: @{draft.id} could mean either"
            scope.problems.add(
                Problem("name-taken", draft.origin("id").place(), message, "rename one of the two", related=related)
            )
            continue
        names[key] = draft.id
    return names


def asset_places(asset: Asset) -> Iterator[tuple[str, Place]]:
    """The name of an asset and its aliases, each with its position in the file."""
    yield asset.name, asset.origin.key_place()
    for alias, origin in asset.aliases:
        yield alias, origin.place()


def _bad_name(name: str) -> str:
    if not is_name(name):
        return "a name has only letters and digits of any script, _ - and ."
    if reference_position(name):
        return f"@{name} is a position among the references"
    if is_frame_name(name):
        return f"@{name} is a frame of a shot"
    return ""


def check_circles(
    needs: Mapping[str, tuple[str, ...]], drafts: Mapping[str, ShotDraft], scope: StoryboardScope
) -> None:
    """Report shots that are made from each other: each circle once, with all its shots.

    `needs` are the shots that a shot is made from, by shot id, also of shots that have another problem.
    """
    graph = {shot: others for shot, others in needs.items() if others}
    if _only_needs_earlier_shots(drafts, graph):
        return
    # A circle has no beginning: the earliest shot of the file gives it one, so that the message is always the same.
    order = {shot: index for index, shot in enumerate(drafts)}
    for circle in _find_circles(graph):
        start = circle.index(min(circle, key=order.__getitem__))
        circle = [*circle[start:], *circle[:start], circle[start]]
        subject = f"`{circle[0]}` is made from itself" if len(circle) == 2 else "these shots are made from each other"
        message = f"{subject}: {' → '.join(circle)}" if len(circle) > 2 else subject
        place = drafts[circle[0]].origin("id").place()
        hint = "remove one of these mentions, so that one shot can be made first"
        scope.problems.add(Problem("circle", place, message, hint))


def _find_circles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Circles met by a depth-first search that follows every need once; stops at _MAX_NAMES_IN_CIRCLES."""
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


def _only_needs_earlier_shots(shots: Iterable[str], graph: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether every shot needs earlier shots only: the common case, in which there is no circle."""
    earlier: set[str] = set()
    for shot in shots:
        if shot in graph and not earlier.issuperset(graph[shot]):
            return False
        earlier.add(shot)
    return True


def check_same_requests(shots: Sequence[Shot], drafts: Mapping[str, ShotDraft], scope: StoryboardScope) -> None:
    """Warn about shots with equal requests, which share their clips."""
    # Few shots share a prompt, so the rest of the request is compared only for those.
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
        # Compared like the fingerprint, without hashing: validate needs no fingerprint.
        inputs = canonical_json(dict(request.inputs)) if request.inputs else ""
        prompt = request.prompt and " ".join(request.prompt.split())
        settings = (request.model, request.resolution, request.seconds, request.aspect_ratio, request.upscale)
        key = (prompt, settings, request.mode, request.materials, request.seed, request.audio, inputs)
        ids_by_request.setdefault(key, []).append(shot.id)
    for ids in ids_by_request.values():
        if len(ids) > 1:
            # Four names at most: a matrix can make thousands of equal requests.
            more = f" and {len(ids) - 4} more" if len(ids) > 4 else ""
            others = ", ".join(f"`{shot_id}`" for shot_id in ids[1:4]) + more
            message = f"`{ids[0]}` sends the same request as {others}: the clips are made once and shared"
            hint = "change a prompt if the clips should differ, or raise `takes` of one shot"
            scope.problems.add(Problem("same-request", drafts[ids[1]].origin("id").place(), message, hint, "warning"))


def check_misfits(misfits: Iterable[MisfitFrame], scope: StoryboardScope) -> None:
    """Warn once about each frame whose shape is far from that of its shots."""
    for frame in misfits:
        shapes = " and ".join(frame.shapes)
        subject = "the shot is" if len(frame.shots) == 1 else f"{len(frame.shots)} shots are"
        message = f"`{frame.name}` is {frame.width} × {frame.height}, but {subject} {shapes}"
        hint = f"the provider would crop or stretch the picture: use one of about {shapes.replace(' and ', ' or ')}"
        scope.problems.add(Problem("shape", frame.place, message, hint, "warning", shots=tuple(frame.shots)))


def check_seconds(assets: Iterable[Asset], scope: StoryboardScope) -> None:
    """Warn about `seconds` of an asset that has pictures alone, which have no length."""
    for asset in assets:
        if asset.seconds is not None and all(kind == "image" for kind, _, _ in asset.sources):
            message = f"`seconds` of `{asset.name}` has no effect: it has no sound and no video"
            place = asset.field("seconds").key_place()
            scope.problems.add(Problem("seconds-measured", place, message, "remove it", "warning"))


def check_unused_asset_files(
    assets: Iterable[Asset], used: Set[str], media: MediaCache, scope: StoryboardScope
) -> None:
    """Report missing files of assets that are not in `used`, by name; those of the others have been inspected."""
    for asset in assets:
        if scope.problems.limit_reached(scope.document.name):
            return
        for problem in () if asset.name in used else check_unused(asset, media):
            scope.problems.add(problem)


def check_profile_names(profiles: Mapping[str, Definition], scope: StoryboardScope) -> None:
    """Report profiles whose names cannot name a folder, or differ from another by case alone."""
    first_by_name: dict[str, str] = {}
    for name, definition in profiles.items():
        place = definition.origin.key_place()
        first = first_by_name.setdefault(name.casefold(), name)
        if name == "none":
            message, hint = "`none` cannot name a profile: --profile none means no profile", "choose another name"
        elif not names_files(name):
            message = f"`{name}` cannot name a profile and its folder"
            hint = "use ASCII letters, digits, . _ - and a letter or digit first"
        elif first != name:
            message, hint = f"`{name}` and `{first}` are the same name", _CASE_RULE
        else:
            continue
        scope.problems.add(Problem("profile-name", place, message, hint))


def check_templates(files: Iterable[Document], scope: StoryboardScope) -> None:
    """Report templates with a syntax error, also those that no shot uses; a flood of errors ends the search."""
    for document in files:
        for section in ("vars", "assets", "defaults", "scenes", "profiles"):
            _check_templates(NodeRef(document, (section,)), document.root.get(section), section, scope)


def _check_templates(origin: NodeRef, value: Value, section: str, scope: StoryboardScope) -> None:
    if scope.problems.limit_reached(origin.document.name):
        return
    if isinstance(value, str):
        for fault in scope.templates.read(value).faults if has_template(value) else ():
            scope.problems.add(fault.problem(origin))
    elif isinstance(value, dict):
        for key, item in value.items():
            if (
                # The user's own keys, `inputs` and all fields of an asset but its words are no templates.
                not key.startswith("x-")
                and key != "inputs"
                and (section != "assets" or key == "words" or origin.path == ("assets",))
            ):
                _check_templates(origin / key, item, section, scope)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_templates(origin / index, item, section, scope)


def check_variable_names(files: Iterable[Document], scope: StoryboardScope) -> None:
    """Report variables whose names a template cannot use."""
    for document in files:
        root = document.root
        shots = root.get("shots")
        holders: list[tuple[Path, Value]] = [((), root), (("defaults",), root.get("defaults"))]
        holders += [(("shots", index), shot) for index, shot in enumerate(shots if isinstance(shots, list) else ())]
        for section in ("scenes", "profiles"):
            parts = root.get(section)
            holders += [((section, name), part) for name, part in (parts.items() if isinstance(parts, dict) else ())]
        for path, holder in holders:
            variables = holder.get("vars") if isinstance(holder, dict) else None
            for name in variables if isinstance(variables, dict) else ():
                if (not name.isidentifier() or name in RESERVED) and not name.startswith("x-"):
                    place = NodeRef(document, (*path, "vars", name)).key_place()
                    message = f"templates cannot use the variable name `{name}`"
                    hint = f"use letters, digits and _, no digit first and no reserved word: {_identifier(name)}"
                    scope.problems.add(Problem("variable-name", place, message, hint))
                    # Templates use it as the hint writes it, or as `my` minus `name`: neither is a second problem.
                    for part in (_identifier(name), name.split("-")[0].strip()):
                        scope.left_out.note_variable(part, place)


def _identifier(name: str) -> str:
    identifier = "".join(character if character.isalnum() or character == "_" else "_" for character in name)
    if identifier.isidentifier() and identifier not in RESERVED:
        return identifier
    return f"{identifier}_" if identifier[:1].isalpha() else f"_{identifier}"


def check_unused_assets(assets: Iterable[Asset], used: Set[str], scope: StoryboardScope) -> None:
    """Warn about unused assets of the storyboard itself; an include may define more assets than one storyboard uses."""
    for asset in assets:
        if asset.own and asset.name not in used:
            message = f"nothing uses the asset `{asset.name}`"
            scope.problems.add(
                Problem(
                    "unused-asset", asset.origin.key_place(), message, f"mention @{asset.name}, or remove it", "warning"
                )
            )


def _variable_holders(draft: ShotDraft, scope: StoryboardScope) -> dict[str, FieldLayer]:
    """The layers that set a shot's variables last, by name; without those of the defaults and of its scene."""
    variables = draft.raw.get("vars")
    if not isinstance(variables, dict) or not variables:
        return {}
    holders: dict[str, FieldLayer] = {}
    for layer in draft.layers[len(scope.defaults) :]:
        if isinstance(own := layer.fields.get("vars"), dict):
            holders |= dict.fromkeys(own, layer)
    # Defaults and scenes serve many shots, of which each may use some of the variables.
    return {
        name: holders[name] for name in variables if name in holders and not holders[name].what.startswith("scene ")
    }


def check_unused_variables(drafts: Iterable[ShotDraft], scope: StoryboardScope) -> None:
    """Warn about a variable of a shot, a matrix value or a profile that no template of its shots uses."""
    unused: dict[VariableKey, tuple[ShotDraft, str, Set[str]]] = {}
    used_keys: set[VariableKey] = set()
    for draft in drafts:
        # Most shots bring no variable of their own, and then there is nothing to look for.
        if not (holders := _variable_holders(draft, scope)):
            continue
        # Most variables stand in the prompt or in its wrap themselves: only for others all templates are followed.
        names_in_templates = direct_names(draft, scope.templates)
        if not holders.keys() <= names_in_templates:
            names_in_templates = used_names(draft, scope.templates) | scope.asset_variables
        for name, holder in holders.items():
            key = (holder.origin.document.name, holder.origin.path, name)
            if name in names_in_templates:
                used_keys.add(key)
            else:
                unused.setdefault(key, (draft, name, names_in_templates))
    for key, (draft, name, names_in_templates) in unused.items():
        if key in used_keys:
            continue
        # The language's own names: nobody misspells a variable to mean them.
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
