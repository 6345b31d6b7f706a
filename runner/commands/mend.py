"""`storyboard mend`: merges manifests that git could not merge; nothing paid is lost."""

import argparse
from pathlib import Path

from runner.app.mend import Mended, mend_conflicts, merge_driver
from runner.attempts.film import profile_of, storyboard_slug
from runner.diagnostics.plural import count
from runner.diagnostics.problem import ExitCode
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal
from runner.store.manifest.merging import PickConflict


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Merges manifests that git could not merge: every task and clip of both sides stays, and of two picks "
        "the newer one. The result is written and staged; `git commit` or `git rebase --continue` goes on. Without "
        "FILE: every manifest that is in conflict. Costs nothing, and opens no connection."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard mend\n"
        "  storyboard mend renders/harbour/sandbox/manifest.json\n"
        "  git config merge.storyboard.driver 'storyboard mend --driver %O %A %B %P'\n"
        "      from now on git calls it by itself, for the files that .gitattributes names\n"
        "\n"
        "exit codes:\n"
        "  0  merged, or nothing to merge\n"
        "  2  no such file\n"
        "  3  a side is no manifest, or belongs to another account"
    )
    parser.add_argument("files", nargs="*", metavar="FILE", type=Path, help="a manifest, its folder or its storyboard")
    group = parser.add_argument_group("options")
    group.add_argument(
        "--driver",
        nargs=4,
        metavar=("BASE", "OURS", "THEIRS", "PATH"),
        help="as git's merge driver: merge three files into OURS; nothing is staged",
    )
    group.add_argument("--quiet", action="store_true", help="print only errors and results")


def run(args: argparse.Namespace) -> ExitCode:
    if args.driver is not None:
        # The three files have temporary names; messages name the fourth, which is the manifest.
        base, ours, theirs, name = args.driver
        _print_picks(merge_driver(Path(base), Path(ours), Path(theirs), name))
        return ExitCode.OK
    mended = mend_conflicts(args.files)
    for result in mended:
        if not args.quiet:
            print(escape_terminal(f"{result.name}: {_summary(result)}"))
        # Also with `--quiet`: which take is picked is the one thing that no merge can decide.
        _print_picks(result)
    if not mended and not args.quiet:
        print("no manifest is in conflict")
    return ExitCode.OK


def _summary(result: Mended) -> str:
    staged = ", and staged" if result.is_staged else ""
    if result.is_single:
        return f"one side had removed it; kept with its {count(result.tasks, 'task')}{staged}"
    return f"merged, with the {count(result.tasks, 'task')} of both sides{staged}"


def _print_picks(result: Mended) -> None:
    for conflict in result.conflicts:
        print(escape_terminal(f"{result.name}: {_pick(conflict, result)}"))


def _pick(conflict: PickConflict, result: Mended) -> str:
    stands = "no pick stands" if conflict.ours is None else f"take {conflict.ours} stays picked"
    other = "removed the pick" if conflict.theirs is None else f"picked take {conflict.theirs}"
    provider, profile = result.provider, profile_of(Path(result.name).parent.name, result.provider)
    command = CommandLine(flags=(("--provider", provider),)).of_film(profile)
    shot = f"{storyboard_slug(result.storyboard)}:{conflict.shot}"
    return (
        f"{conflict.shot}: {stands}; the other side {other}, and neither is known to be the newer one: "
        f"{command.pick(shot)}"
    )
