"""Checks of the mentions in a prompt: unknown names, positions of other tools, takes that a shot does not have."""

import re

from runner.diagnostics.plural import count
from runner.language.foreign_positions import foreign_position, is_numbered_word
from runner.language.mentions import Mention, MentionTarget, find
from runner.language.shot_reporter import ShotReporter
from runner.language.symbols import SymbolTable
from runner.lazy_pattern import lazy_pattern

# What is rendered in place of an expression or a comment is unknown, so nothing that touches it is judged.
_MARKUP = lazy_pattern(r"\{[{#].*?(?:[}#]\}|\Z)", re.DOTALL)
# A relative path, where a name of a mention was expected.
_PATH = lazy_pattern(r"[\w.\-]+(?:/[\w.\-]+)+")
# Stands for markup, a character for each, so that offsets stay; no name has it.
_UNUSABLE = "\ufffc"


def check_mentions(reporter: ShotReporter, symbols: SymbolTable, prompt: str, mentions: list[Mention]) -> None:
    """Report the mentions of a rendered prompt that lead to nothing; one that is written twice at its first place."""
    for mention in {(item.written, item.target): item for item in reversed(mentions)}.values():
        if (error := mention_error(symbols, prompt, mention)) is not None:
            cause = reporter.scope.left_out.cause_of_name(mention.written) if mention.is_unknown else None
            reporter.note_in_prompt(error, mention, prompt, cause)


def check_literal_mentions(reporter: ShotReporter, symbols: SymbolTable) -> None:
    """Check the mentions written literally in a prompt whose template failed: one error must not hide another."""
    prompt = reporter.draft.raw.get("prompt")
    if isinstance(prompt, str):
        check_mentions(reporter, symbols, *literal_mentions(prompt, symbols))


def literal_mentions(template: str, symbols: SymbolTable) -> tuple[str, list[Mention]]:
    """A template with all markup blanked out, and the mentions that stand in it whatever it renders."""
    # With a statement in the template the mentions that would be sent are unknown.
    if "@" not in template or "{%" in template:
        return template, []
    text = _MARKUP.sub(lambda markup: _UNUSABLE * len(markup.group()), template)
    mentions = find(text, symbols.names)
    return text, [item for item in mentions if _UNUSABLE not in text[max(0, item.start - 1) : item.end + 1]]


def mention_error(symbols: SymbolTable, text: str, mention: Mention) -> tuple[str, str, str] | None:
    """Code, message and hint of a mention in a text that leads to nothing; None for one that leads to a material."""
    if mention.problem is not None:
        return mention.problem
    if mention.target is None:
        return "unknown-name", f"no asset or shot is named @{mention.written}", _hint(symbols, text, mention)
    return pin_error(symbols, mention.target) if mention.target.kind == "shot" else None


def name_error(symbols: SymbolTable, written: str, mention: Mention) -> tuple[str, str, str] | None:
    """Code, message and hint of a field's value that is not the name of a material; None for one that is."""
    if mention.problem is not None:
        return mention.problem
    if mention.target is None:
        hint = symbols.suggestion(mention.written) or "write a file as its path, with its ending"
        return "unknown-name", f"no asset or shot is named `{mention.written}`", hint
    if mention.target.kind == "position":
        message = f"`{written}` is a position among the references, not the name of a material"
        return "position-here", message, "write the name of the material"
    return pin_error(symbols, mention.target) if mention.target.kind == "shot" else None


def pin_error(symbols: SymbolTable, target: MentionTarget) -> tuple[str, str, str] | None:
    """Code, message and hint of a mention `quay#3` of a take that the shot does not have; else None."""
    if target.take is None:
        return None
    takes = symbols.takes(target.name)
    if takes is None or 1 <= target.take <= takes:
        return None
    hint = (
        f"choose a take from 1 to {takes}, or raise `takes` of {target.name}"
        if takes > 1
        else f"write @{target.name} without #{target.take}"
    )
    return "pin", f"`{target.name}` has {count(takes, 'take')}, no take {target.take}", hint


def _hint(symbols: SymbolTable, prompt: str, mention: Mention) -> str:
    """The way out of an unknown name: a position, the asset of that file, the nearest name; last the escape."""
    if position := foreign_position(prompt, mention.start + 1):
        return f"write @{position[1]} for that material of the references"
    if path := _PATH.match(prompt, mention.start + 1):
        return _path_hint(symbols, path.group().rstrip("."))
    hint = symbols.suggestion(mention.written)
    if hint:
        return f"{hint} (a literal @ is written @@)"
    if is_numbered_word(prompt, mention.start + 1):
        return (
            "define an asset of that name; a position among the references is written @image1, @video1 or @audio1 "
            "(a literal @ is written @@)"
        )
    return "define an asset of that name, or write a literal @ as @@"


def _path_hint(symbols: SymbolTable, path: str) -> str:
    """The way out of a path behind an @: the asset that is this file, or how to define one."""
    asset = symbols.asset_of_file(path.rpartition("/")[2])
    if asset is not None:
        return f"a path is no mention; the asset that is this file is @{asset}"
    return f"a path is no mention: define an asset, `NAME: {path}`, and write @NAME"
