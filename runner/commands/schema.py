"""`storyboard schema`: the JSON schemas of all files and outputs."""

import argparse

from runner.commands.flag_values import unknown_name
from runner.diagnostics.problem import ExitCode
from runner.language.schema_files import folder, names


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints one of the JSON schemas (draft-07), or without NAME the list of all. Editors use the schema "
        "`storyboard`; `storyboard init` writes a copy of it into a content repository."
    )
    parser.epilog = "examples:\n  storyboard schema\n  storyboard schema storyboard > schemas/storyboard.schema.json"
    parser.add_argument("name", nargs="?", metavar="NAME", help="storyboard, plan, manifest, …")


def run(args: argparse.Namespace) -> ExitCode:
    schemas = names()
    if args.name is None:
        print("\n".join(schemas))
        return ExitCode.OK
    if args.name not in schemas:
        raise unknown_name("schema", args.name, args.name, schemas)
    print((folder() / f"{args.name}.schema.json").read_text("utf-8"), end="")
    return ExitCode.OK
