"""`storyboard mend`: the merge of manifests that git could not merge; nothing paid is lost."""

import argparse
from pathlib import Path

from runner.app.mend import Mended, mend_conflicts, merge_driver
from runner.diagnostics.problem import ExitCode
from runner.show.screens import mend as screens


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
            print(screens.merged_line(result.name, result.tasks, single=result.is_single, staged=result.is_staged))
        # Also with `--quiet`: which take is picked is the one thing that no merge can decide.
        _print_picks(result)
    if not mended and not args.quiet:
        print(screens.NO_CONFLICT)
    return ExitCode.OK


def _print_picks(result: Mended) -> None:
    for conflict in result.conflicts:
        print(screens.pick_line(result.name, conflict, result.storyboard, result.provider))
