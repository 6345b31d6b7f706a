"""The sections of a storyboard and its includes: variables, assets, profiles, and the layers that shots begin with."""

from collections.abc import Iterable, Sequence

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
    profiles: dict[str, Definition]


def collect_sections(document: Document, loader: DocumentLoader) -> Sections:
    """The sections of a document and its includes; a name that two includes define differently is reported."""
    files, problems = override_order(document), loader.problems
    return Sections(
        files,
        collect_definitions(files, "vars", problems),
        collect_definitions(files, "assets", problems),
        collect_definitions(files, "profiles", problems),
    )


def default_layers(files: Sequence[Document]) -> Iterable[FieldLayer]:
    """The `defaults` of each file."""
    for document in files:
        fields = document.root.get("defaults")
        if isinstance(fields, dict):
            yield FieldLayer(NodeRef(document, ("defaults",)), fields, "defaults")


def profile_layers(sections: Sections, profile: str | None) -> Iterable[FieldLayer]:
    """The fields of a profile in each file that defines it."""
    definition = sections.profiles.get(profile) if profile else None
    for origin in definition.layers if definition else ():
        fields = origin.value
        if isinstance(fields, dict):
            yield FieldLayer(origin, fields, f"profile {profile}")


def broken_shared_fields(files: Sequence[Document], loader: DocumentLoader, profile: str | None) -> frozenset[str]:
    """Fields of defaults and of the profile that were left out because their values have the wrong shape."""
    paths = [path for document in files for path in loader.broken.get(document.name, ())]
    defaults = {str(path[1]) for path in paths if path[:1] == ("defaults",) and len(path) > 1}
    return frozenset(defaults | {str(path[2]) for path in paths if path[:2] == ("profiles", profile) and len(path) > 2})


def left_out_definitions(files: Sequence[Document], loader: DocumentLoader) -> LeftOut:
    """The names that a storyboard and its includes do not define because of another problem."""
    left_out = LeftOut()
    for document in files:
        left_out.add(loader.left_out.get(document.name, LeftOut()), is_storyboard=document is files[-1])
    return left_out
