"""The sections of a storyboard and its includes: variables, assets, scenes, profiles, and the layers of shots."""

from collections.abc import Iterable, Mapping, Sequence

from runner.language.causes import LeftOut
from runner.language.loader import Definition, DocumentLoader, collect_definitions, override_order
from runner.language.shot_draft import FieldLayer
from runner.language.yaml.document import Document, NodeRef
from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Sections:
    """The definitions of one storyboard, its includes' among them."""

    files: list[Document]
    """The storyboard and its includes; later files override earlier ones."""
    variables: dict[str, Definition]
    assets: dict[str, Definition]
    scenes: dict[str, Definition]
    profiles: dict[str, Definition]


def collect_sections(document: Document, loader: DocumentLoader) -> Sections:
    """The sections of a document and its includes; a name that two includes define differently is reported."""
    files, problems = override_order(document), loader.problems
    return Sections(
        files,
        collect_definitions(files, "vars", problems),
        collect_definitions(files, "assets", problems),
        collect_definitions(files, "scenes", problems),
        collect_definitions(files, "profiles", problems),
    )


def default_layers(files: Sequence[Document]) -> Iterable[FieldLayer]:
    """The `defaults` of each file."""
    for document in files:
        fields = document.root.get("defaults")
        if isinstance(fields, dict):
            yield FieldLayer(NodeRef(document, ("defaults",)), fields, "defaults")


def scene_layers(sections: Sections) -> Mapping[str, tuple[FieldLayer, ...]]:
    """The fields of each scene, by its name, in each file that defines it."""
    return {name: tuple(_layers(definition, f"scene {name}")) for name, definition in sections.scenes.items()}


def profile_names(profile: str | None) -> tuple[str, ...]:
    """The profiles of a combination such as `tall+draft`, in their order."""
    return tuple(profile.split("+")) if profile else ()


def profile_layers(sections: Sections, profile: str | None) -> Iterable[FieldLayer]:
    """The fields of the profiles of a combination in their order, each in every file that defines it."""
    for name in profile_names(profile):
        # Another storyboard of the command may have it: `check_options` refuses a profile that none has.
        if (definition := sections.profiles.get(name)) is not None:
            yield from _layers(definition, f"profile {name}")


def _layers(definition: Definition, what: str) -> Iterable[FieldLayer]:
    for origin in definition.layers:
        fields = origin.value
        if isinstance(fields, dict):
            yield FieldLayer(origin, fields, what)


def broken_shared_fields(files: Sequence[Document], loader: DocumentLoader, profile: str | None) -> frozenset[str]:
    """Fields of defaults and of the profiles that were left out because their values have the wrong shape."""
    paths = [path for document in files for path in loader.broken.get(document.name, ())]
    defaults = {str(path[1]) for path in paths if path[:1] == ("defaults",) and len(path) > 1}
    names = profile_names(profile)
    profiles = {str(path[2]) for path in paths if path[:1] == ("profiles",) and len(path) > 2 and path[1] in names}
    return frozenset(defaults | profiles)


def broken_scene_fields(files: Sequence[Document], loader: DocumentLoader) -> Mapping[str, frozenset[str]]:
    """Fields by scene that were left out because their values have the wrong shape."""
    fields: dict[str, set[str]] = {}
    for document in files:
        for path in loader.broken.get(document.name, ()):
            if path[:1] == ("scenes",) and len(path) > 1:
                fields.setdefault(str(path[1]), set()).update(map(str, path[2:3]))
    return {name: frozenset(names) for name, names in fields.items()}


def left_out_definitions(files: Sequence[Document], loader: DocumentLoader) -> LeftOut:
    """The names that a storyboard and its includes do not define because of another problem."""
    left_out = LeftOut()
    for document in files:
        left_out.add(loader.left_out.get(document.name, LeftOut()), is_storyboard=document is files[-1])
    return left_out
