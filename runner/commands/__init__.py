"""The commands, one module each: `add(parser)` defines the command line, `run(args)` carries it out."""

import importlib
from types import ModuleType

COMMANDS = {
    "init": "start a content repository: example storyboard, settings, schema",
    "validate": "report everything that is wrong with storyboards",
    "plan": "price the takes, and show what a run would do and why",
    "diff": "show what this tree would make and cost beyond a commit",
    "run": "make the clips that are missing",
    "status": "show what is made, what runs, and what is unsettled",
    "spend": "show the bill by day, storyboard, scene, tag, shot, model or profile",
    "settle": "list and settle attempts whose outcome is unknown",
    "pick": "choose the good take of a shot",
    "keep": "let the clips at hand stand for the storyboard as it is now",
    "mend": "merge manifests that git could not merge, losing nothing paid",
    "fetch": "download clips that this machine lacks; pays for nothing",
    "verify": "check the clips against the hashes in the manifest",
    "cut": "make the film as one video",
    "sheet": "draw one picture of each shot on one page",
    "dailies": "make the page on which takes are compared and picked, or serve it",
    "timeline": "write the film's timeline for an editor",
    "sandbox": "serve the free local API, for other tools and tests",
    "prices": "show the price book",
    "schema": "print the JSON schemas",
    "doctor": "check whether this machine is ready",
    "explain": "explain a problem, an exit code, a word of the plan, a field or a flag",
    "docs": "print a page of the documentation",
    "example": "print an example storyboard",
    "import": "write a storyboard from a shot list: CSV, Fountain, EDL, OTIO, JSON",
    "completion": "print the completion script of a shell",
}
"""Every command with its summary."""
# Commands whose name cannot be that of a module.
_MODULES = {"import": "import_shots"}


def command_module(name: str) -> ModuleType:
    """The module of a command, loaded when it is asked for."""
    return importlib.import_module(f"runner.commands.{_MODULES.get(name, name)}")
