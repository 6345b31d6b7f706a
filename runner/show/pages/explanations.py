"""Explanations of exit codes, words of the plan and fields: from the pages and the schema, the source of each text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runner.language.schema_files import load
from runner.show.pages.pages import table_rows

# Page and head of each table whose rows are the explanations: written once, for readers of the docs and of `explain`.
_EXIT_CODES = ("exit-codes", "| code | means | what to do |")
_ACTIONS = ("commands", "| word | meaning |")
_REASONS = ("json", "| code | the take | built |")


def explanations(word: str) -> list[str]:
    """The texts about a word, each with its subject in the first line and without a line end; empty for no text."""
    texts = [_exit_code(word), _action(word), _reason(word), *_fields(word)]
    return [text for text in texts if text is not None]


def words() -> list[str]:
    """Every word that `explanations` has a text for."""
    names = [*table_rows(*_EXIT_CODES), *table_rows(*_ACTIONS), *table_rows(*_REASONS)]
    schema = load()
    return list(dict.fromkeys([*names, *schema["properties"], *schema["definitions"]["shot"]["properties"]]))


def flag_text(name: str, helps: Mapping[str, Sequence[str]]) -> str:
    """The text about a flag: each of its help texts, with the commands that have it."""
    lines = [f"--{name} (a flag)", ""]
    lines += [f"{text[:1].upper()}{text[1:]}.\n    of {', '.join(commands)}" for text, commands in helps.items()]
    return "\n".join(lines)


def _exit_code(word: str) -> str | None:
    row = table_rows(*_EXIT_CODES).get(word)
    if row is None:
        return None
    meaning, advice = row
    return f"exit code {word}\n\n{_sentence(meaning)}" + (f"\n{_sentence(advice)}" if advice else "")


def _action(word: str) -> str | None:
    row = table_rows(*_ACTIONS).get(word)
    return None if row is None else f"{word} (in a plan: what a run does with a take)\n\n{_sentence(row[0])}"


def _reason(word: str) -> str | None:
    row = table_rows(*_REASONS).get(word)
    if row is None:
        return None
    meaning, built = row
    note = "" if built == "yes" else "\nNo plan gives it yet."
    return f"{word} (in a plan: why a take has its action)\n\n{_sentence(f'the take {meaning}')}{note}"


def _sentence(text: str) -> str:
    """A cell as a sentence."""
    sentence = text[:1].upper() + text[1:]
    return sentence if sentence.endswith(".") else f"{sentence}."


def _fields(word: str) -> list[str]:
    """The texts about a key of a storyboard and about the field of a shot with the same name."""
    schema = load()
    shot = schema["definitions"]["shot"]["properties"]
    places = [("a key of a storyboard", schema["properties"]), ("a field of a shot", shot)]
    return [_field(word, place, _resolved(fields[word])) for place, fields in places if word in fields]


def _field(word: str, place: str, definition: dict[str, Any]) -> str:
    lines = [f"{word} ({place})", "", definition.get("description", "")]
    if "default" in definition:
        lines.append(f"Without it: {json.dumps(definition['default'], ensure_ascii=False)}.")
    lines += ["", "example:"] if definition.get("examples") else []
    lines += [f"    {word}: {json.dumps(example, ensure_ascii=False)}" for example in definition.get("examples", ())]
    return "\n".join(lines)


def _resolved(definition: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in definition:
        definition = load()["definitions"][definition["$ref"].rpartition("/")[2]]
    return definition
