"""The completion script of a shell: commands and flags by shtab, and functions that read a storyboard's words."""

import argparse
import sys
from pathlib import Path

SHELLS = ("bash", "zsh", "fish")
# In `show`, with the other texts that are printed.
_TEMPLATES = Path(__file__).resolve().parent.parent / "show" / "templates" / "completion"
# The state folder without STORYBOARD_STATE, as `settings` has it on Linux.
_DEFAULT_STATE = {
    "bash": "${XDG_STATE_HOME:-$HOME/.local/state}/storyboard",
    "zsh": "${XDG_STATE_HOME:-$HOME/.local/state}/storyboard",
    "fish": '(test -n "$XDG_STATE_HOME"; and echo $XDG_STATE_HOME; or echo $HOME/.local/state)/storyboard',
}
# The same on a Mac.
_DEFAULT_STATE_OF_MACS = {
    "bash": "$HOME/Library/Application Support/storyboard",
    "zsh": "$HOME/Library/Application Support/storyboard",
    "fish": '"$HOME/Library/Application Support/storyboard"',
}
# The kind of word that stands for a metavar.
_WORDS = {
    "EXPR": "select",
    "SELECT": "select",
    "SHOT": "shot",
    "TAKE": "take",
    "NAME[+NAME…]": "profile",
}
# The functions of fish that take the kind of word as an argument; others are called `__storyboard_KIND`.
_FISH = {"shot": "(__storyboard_words shot)", "profile": "(__storyboard_words profile)"}
# The line of shtab's script that registers its function.
_ENTRY = "complete -o bashdefault -F _shtab_storyboard storyboard"


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script of a shell for a command line whose actions are marked as they are completed."""
    import shtab

    for action in _actions(parser):
        _mark(action, shtab.FILE, shtab.DIRECTORY)
    # As settings find it, but in the shell's words: TAB starts no Python.
    states = _DEFAULT_STATE_OF_MACS if sys.platform == "darwin" else _DEFAULT_STATE
    words = (_TEMPLATES / f"words.{shell}").read_text("utf-8").replace("DEFAULT_STATE", states[shell])
    script = shtab.complete(parser, shell, preamble=words)
    if shell == "bash":
        # shtab's function completes flags; ours asks it first, and adds the storyboard's words.
        script = script.replace(_ENTRY, _ENTRY.replace("_shtab_storyboard", "_storyboard"))
    return script.rstrip("\n") + "\n"


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The actions of a command line and of its commands."""
    actions: list[argparse.Action] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            actions += [inner for command in action.choices.values() for inner in _actions(command)]
        else:
            actions.append(action)
    return actions


def _mark(action: argparse.Action, file: object, folder: object) -> None:
    """Say how the value of an action is completed, by its metavar."""
    metavar = str(action.metavar)
    if metavar in _WORDS:
        kind = _WORDS[metavar]
        function = f"_storyboard_{kind}"
        complete: object = {"bash": function, "zsh": function, "fish": _FISH.get(kind, f"(__storyboard_{kind})")}
    elif metavar in ("FILE", "PLAN", "DIR"):
        complete = folder if metavar == "DIR" else file
    else:
        return
    # shtab reads this attribute, which argparse does not know.
    action.complete = complete  # type: ignore[attr-defined]
