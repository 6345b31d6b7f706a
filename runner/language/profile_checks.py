"""Checks of the profiles that `--profile` does not choose: the names in their values."""

from runner.diagnostics.problem import Place, Problem
from runner.language.causes import as_consequence
from runner.language.materials import is_path_or_url
from runner.language.mention_checks import literal_mentions, mention_error, name_error
from runner.language.mentions import Mention, parse_single
from runner.language.sections import Sections, profile_layers, profile_names
from runner.language.shot_draft import StoryboardScope
from runner.language.symbols import SymbolTable
from runner.language.yaml.document import NodeRef

_MARKUP = ("{{", "{%", "{#")


def check_other_profiles(sections: Sections, profile: str | None, symbols: SymbolTable, scope: StoryboardScope) -> None:
    """Report unknown names in the storyboard's own profiles that `profile` does not name.

    The values of a chosen profile are checked in the shots. Those of an include are checked there alone: another
    storyboard may have the names.
    """
    chosen = profile_names(profile)
    for name in (name for name in sections.profiles if name not in chosen):
        for layer in profile_layers(sections, name):
            if layer.origin.document is scope.document:
                _check_layer(layer.origin, symbols, scope)


def _check_layer(origin: NodeRef, symbols: SymbolTable, scope: StoryboardScope) -> None:
    references = (origin / "references").value
    items = range(len(references)) if isinstance(references, list) else ()
    for node in (origin / "first_frame", origin / "last_frame", *(origin / "references" / item for item in items)):
        _check_material(node, symbols, scope)
    for node in (origin / "prompt", origin / "wrap"):
        _check_text(node, symbols, scope)


def _check_material(node: NodeRef, symbols: SymbolTable, scope: StoryboardScope) -> None:
    written = node.value
    # What a template renders to is known in a shot only.
    if not isinstance(written, str) or any(mark in written for mark in _MARKUP):
        return
    # A file may be one that another profile's clips are still to give.
    if is_path_or_url(written):
        return
    mention = parse_single(written, symbols.names)
    _report(name_error(symbols, written, mention), mention, node, node.place(), scope)


def _check_text(node: NodeRef, symbols: SymbolTable, scope: StoryboardScope) -> None:
    if not isinstance(node.value, str):
        return
    text, mentions = literal_mentions(node.value, symbols)
    for mention in mentions:
        place = node.place(mention.start, mention.end - mention.start)
        _report(mention_error(symbols, text, mention), mention, node, place, scope)


def _report(
    error: tuple[str, str, str] | None, mention: Mention, node: NodeRef, place: Place, scope: StoryboardScope
) -> None:
    if error is None:
        return
    code, message, hint = error
    problem = Problem(code, place, message, hint, related=node.alias_chain())
    cause = scope.left_out.cause_of_name(mention.written) if mention.is_unknown else None
    scope.problems.add(problem if cause is None else as_consequence(problem, cause))
