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

_MOST_NAMES = 50_000
Key = tuple[str, Path, str]
"""A variable by the file and the mapping that say it."""


def check_ids(drafts: Sequence[ShotDraft], ground: StoryboardScope) -> None:
    """Ids differ by more than case; the second of two that do not is unknown from here on."""
    seen: dict[str, ShotDraft] = {}
    for draft in drafts:
        if not draft.has_usable_id:
            continue
        first = seen.setdefault(draft.id.lower(), draft)
        if first is draft:
            continue
        draft.has_usable_id = False
        draft.broken.add("id")
        other = "" if first.id == draft.id else f" (there as `{first.id}`; ids differ by more than case)"
        message, hint = f"the id `{draft.id}` is taken{other}", "every shot has an id of its own"
        related: tuple[tuple[Place, str], ...] = ((first.origin("id").place(), "the first"),)
        shots: tuple[str, ...] = ()
        if first.entry == draft.entry:
            message, hint = "combinations of this matrix have the same id", "name every axis in the id"
            related, shots = (), (draft.id,)
        problem = Problem("id-taken", draft.origin("id").place(), message, hint, related=related, shots=shots)
        ground.problems.add(problem)


def check_asset_names(
    assets: Iterable[Asset], drafts: Sequence[ShotDraft], ground: StoryboardScope
) -> dict[str, Asset | str]:
    """Everybody's name, compared without case; a name that cannot be one, or is taken, is a problem."""
    names: dict[str, Asset | str] = {}
    for asset in assets:
        key, place = fold_name(asset.name), asset.origin.key_place()
        wrong = _bad_name(asset.name)
        if wrong:
            ground.problems.add(Problem("asset-name", place, f"`{asset.name}` cannot be a name: {wrong}"))
            continue
        other = names.get(key)
        if isinstance(other, Asset):
            related = ((other.origin.key_place(), "the first"),)
            message = f"`{asset.name}` and `{other.name}` are one name"
            ground.problems.add(
                Problem("name-taken", place, message, "names differ by more than case", related=related)
            )
            continue
        names[key] = asset
    for draft in drafts:
        if not draft.has_usable_id:
            continue
        key = fold_name(draft.id)
        other = names.get(key)
        if isinstance(other, Asset):
            related = ((other.origin.key_place(), "the asset"),)
            message = f"`{draft.id}` is a shot and an asset; both are mentioned as @{draft.id}"
            ground.problems.add(
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


def check_circles(shots: Sequence[Shot], drafts: Mapping[str, ShotDraft], ground: StoryboardScope) -> None:
    """Shots that are made from each other; the whole circle is named, once."""
    graph = {shot.id: needs for shot in shots if shot.request.materials and (needs := shot.needs)}
    if _in_order(shots, graph):
        return
    order = {shot.id: index for index, shot in enumerate(shots)}
    for loop in _circles(graph):
        start = loop.index(min(loop, key=order.__getitem__))
        loop = [*loop[start:], *loop[:start], loop[start]]
        what = f"`{loop[0]}` is made from itself" if len(loop) == 2 else "these shots are made from each other"
        message = f"{what}: {' → '.join(loop)}" if len(loop) > 2 else what
        place = drafts[loop[0]].origin("id").place()
        ground.problems.add(Problem("circle", place, message, "begin one of them without the other"))


def _circles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Each way from a shot back to itself that is met when all needs are followed once, as many as a person reads."""
    done: set[str] = set()
    names = 0
    for first in graph:
        trail: dict[str, Iterator[str]] = {} if first in done else {first: iter(graph[first])}
        while trail:
            shot, needs = next(reversed(trail.items()))
            need = next(needs, None)
            if need is None:
                done.add(shot)
                del trail[shot]
            elif need in trail:
                loop = list(trail)
                loop = loop[loop.index(need) :]
                names += len(loop)
                if names > _MOST_NAMES:
                    return
                yield loop
            elif need in graph and need not in done:
                trail[need] = iter(graph[need])


def _in_order(shots: Sequence[Shot], graph: Mapping[str, tuple[str, ...]]) -> bool:
    """Is every shot made from earlier ones only, as nearly always: then there is no circle to look for."""
    earlier: set[str] = set()
    for shot in shots:
        if shot.id in graph and not earlier.issuperset(graph[shot.id]):
            return False
        earlier.add(shot.id)
    return True


def check_same(shots: Sequence[Shot], drafts: Mapping[str, ShotDraft], ground: StoryboardScope) -> None:
    """Shots with equal requests share their clips."""
    # Few shots share a prompt, so the rest of the request is looked at only where they do.
    first: dict[str | None, Shot] = {}
    alike: dict[str | None, list[Shot]] = {}
    for shot in shots:
        said = shot.request.prompt
        words = said and " ".join(said.split())
        if (other := first.setdefault(words, shot)) is not shot:
            alike.setdefault(words, [other]).append(shot)
    seen: dict[object, list[str]] = {}
    for shot in (shot for group in alike.values() for shot in group):
        asked = shot.request
        inputs = canonical_json(dict(asked.inputs)) if asked.inputs else ""
        prompt = asked.prompt and " ".join(asked.prompt.split())
        body = (asked.model, asked.resolution, asked.seconds, asked.aspect_ratio, asked.mode, asked.upscale)
        key = (prompt, body, asked.materials, asked.seed, asked.audio, inputs)
        seen.setdefault(key, []).append(shot.id)
    for ids in seen.values():
        if len(ids) > 1:
            others = ", ".join(f"`{one}`" for one in ids[1:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")
            message = f"`{ids[0]}` asks for the same as {others}: their clips are made once and shown in each"
            hint = "change a prompt if the clips should differ, or ask for more takes of one shot"
            ground.problems.add(Problem("same-request", drafts[ids[1]].origin("id").place(), message, hint, "warning"))


def check_seconds(assets: Iterable[Asset], ground: StoryboardScope) -> None:
    """`seconds` is for remote video and audio; elsewhere it would be read by nobody."""
    for asset in assets:
        remote = any("://" in written and kind != "image" for kind, written, _ in asset.sources)
        if asset.seconds is not None and not remote:
            holders = [layer for layer in asset.layers if isinstance(v := layer.value, dict) and "seconds" in v]
            message = f"`seconds` of `{asset.name}` is read by nobody: local files are measured, and pictures have none"
            place = (holders[-1] / "seconds").key_place()
            ground.problems.add(Problem("seconds-measured", place, message, "remove it", "warning"))


def check_files(assets: Iterable[Asset], stock: MediaCache, ground: StoryboardScope) -> None:
    """The files of assets that no shot uses are there too; those that are used were measured."""
    for asset in assets:
        for problem in () if asset.used else check_unused(asset, stock):
            ground.problems.add(problem)


def check_templates(files: Iterable[Document], ground: StoryboardScope) -> None:
    """Every template can be read, whether a shot uses it or not."""
    for document in files:
        for section in ("vars", "assets", "defaults", "profiles"):
            _check_templates(NodeRef(document, (section,)), document.root.get(section), section, ground)


def _check_templates(origin: NodeRef, value: Value, section: str, ground: StoryboardScope) -> None:
    if isinstance(value, str):
        if has_template(value) and (wrong := ground.templates.read(value).wrong):
            code, message, line, hint = wrong
            ground.problems.add(Problem(code, line_place(origin, line), message, hint))
    elif isinstance(value, dict):
        for key, item in value.items():
            if (
                not key.startswith("x-")
                and key != "inputs"
                and (section != "assets" or key == "words" or origin.path == ("assets",))
            ):
                _check_templates(origin / key, item, section, ground)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_templates(origin / index, item, section, ground)


def check_variable_names(files: Iterable[Document], ground: StoryboardScope) -> None:
    """Variables have names that a template can say."""
    for document in files:
        root = document.root
        shots, profiles = root.get("shots"), root.get("profiles")
        holders: list[tuple[Path, Value]] = [((), root), (("defaults",), root.get("defaults"))]
        holders += [(("shots", i), shot) for i, shot in enumerate(shots if isinstance(shots, list) else ())]
        holders += [(("profiles", name), one) for name, one in (profiles.items() if isinstance(profiles, dict) else ())]
        for path, holder in holders:
            said = holder.get("vars") if isinstance(holder, dict) else None
            for name in said if isinstance(said, dict) else ():
                if (not name.isidentifier() or name in RESERVED) and not name.startswith("x-"):
                    place = NodeRef(document, (*path, "vars", name)).key_place()
                    message = f"no template can name the variable `{name}`"
                    hint = f"letters, digits and _, first no digit, no word of the language: {_identifier(name)}"
                    ground.problems.add(Problem("variable-name", place, message, hint))


def _identifier(name: str) -> str:
    made = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
    return made if made.isidentifier() and made not in RESERVED else f"{made}_" if made[:1].isalpha() else f"_{made}"


def check_unused_assets(assets: Iterable[Asset], ground: StoryboardScope) -> None:
    """An asset of this file that nothing uses; included ones are a cast list."""
    for asset in assets:
        if asset.own and not asset.used:
            message = f"nothing uses the asset `{asset.name}`"
            ground.problems.add(
                Problem(
                    "unused-asset", asset.origin.key_place(), message, f"mention @{asset.name}, or remove it", "warning"
                )
            )


def check_unused_variables(drafts: Iterable[ShotDraft], ground: StoryboardScope) -> None:
    """A variable of a shot, a piece or a profile that no template of its shots uses."""
    idle: dict[Key, tuple[ShotDraft, str, set[str]]] = {}
    busy: set[Key] = set()
    for draft in drafts:
        if not draft.combination and not ground.profile and "vars" not in draft.layers[-1].fields:
            continue
        said = draft.raw.get("vars")
        if (
            not isinstance(said, dict)
            or not said
            or not any("vars" in layer.fields for layer in draft.layers[len(ground.defaults) :])
        ):
            continue
        used = used_names(draft, ground.templates) | ground.asset_variables
        for name in said:
            layer = next(
                (one for one in reversed(draft.layers) if isinstance(v := one.fields.get("vars"), dict) and name in v),
                None,
            )
            if layer is None or layer.what == "defaults":
                continue
            key = (layer.origin.document.name, layer.origin.path, name)
            if name in used:
                busy.add(key)
            else:
                idle.setdefault(key, (draft, name, used))
    for key, (draft, name, used) in idle.items():
        if key in busy:
            continue
        close = closest_match(name, used - {"shot", "prompt"})
        hint = (
            f"did you mean `{close}`?" if close else f"write {{{{ {name} }}}} in the prompt or its wrap, or remove it"
        )
        place = draft.origin("vars", name).key_place()
        ground.problems.add(
            Problem(
                "unused-variable", place, f"no template of this shot uses `{name}`", hint, "warning", shots=(draft.id,)
            )
        )
