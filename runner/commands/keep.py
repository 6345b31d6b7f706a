"""`storyboard keep`: the clips at hand stand for the storyboard as it is now, although it changed since."""

import argparse

from runner.app.display_path import display_path
from runner.app.keep import keep_clips, undo_keeps
from runner.app.named_shots import open_for_shots
from runner.app.session import Session
from runner.attempts.film import ShotKey, storyboard_slug
from runner.commands import flags
from runner.commands.notes import note
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode
from runner.paid_providers import paid_provider_name
from runner.planning.keeping import KeepAnswer
from runner.show.text.escape import escape_terminal
from runner.show.text.format import money


def add(parser: argparse.ArgumentParser) -> None:
    # What is recorded is never taken from a memory.
    parser.set_defaults(verify_files=True)
    parser.description = (
        "Says that the clips at hand stand for the storyboard as it is now, although their shots changed since: no "
        "run sends these shots until they change again. What is made from them stays, and so do their picks. The "
        "manifest records it. Costs nothing; a take without a clip is still to be made, and is named."
    )
    parser.epilog = (
        "examples:\n"
        f"  storyboard keep quay --provider {paid_provider_name()}\n"
        "  storyboard keep 'quay scene:harbour'\n"
        "  storyboard keep quay --undo\n"
        "      the shot is made anew by the next run, and so is what is made from it\n"
        "\n"
        "exit codes:\n"
        "  0  kept, or nothing to keep\n"
        "  1  some clips are doubtful, gone or still to come, and cannot be kept\n"
        "  2  no such shot\n"
        "  3  invalid input\n"
        "  7  another run holds this output"
    )
    parser.add_argument(
        "selection",
        nargs="+",
        metavar="SELECT",
        help="the shots: an id, a glob, tag:NAME or scene:NAME; a space means OR, a comma AND",
    )
    parser.add_argument("--undo", action="store_true", help="the clips stand for nothing but their own request again")
    flags.add_input(parser, several_films=False)
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_shots(command_options(args), args.selection)
    if args.undo:
        steps, orders = undo_keeps(session.selection, session.store_opener, args.selection, note)
        lines = [_line(step.key[:2], f"take {step.take} is no longer kept") for step in steps]
        if orders.shots:
            # The price at once: to undo a keep is to ask for these takes again.
            price = "free" if orders.is_free else money(orders.credits, session.settings.usd_per_credit)
            lines.append(escape_terminal(f"to be made now: {', '.join(orders.shots)}   {price}"))
        code = ExitCode.OK
    else:
        answers = keep_clips(session.selection, session.store_opener, args.selection, note)
        lines = [_line(answer.shot, _text(answer, session)) for answer in answers]
        # A refused keep means that the next run pays for this take: a script has to notice.
        code = ExitCode.FAILED if any(answer.is_refused for answer in answers) else ExitCode.OK
    if not args.quiet:
        print(*lines, sep="\n", end="\n" if lines else "")
    return code


def _text(answer: KeepAnswer, session: Session) -> str:
    """The answer for a take, with the whole command that helps."""
    text, film = f"take {answer.take} {answer.message}", answer.shot[0]
    if answer.way_on is None:
        return text
    line = session.look_line().of_film(film.profile)
    if answer.way_on == "accept":
        return f"{text} {line.of_files().accept(f'{storyboard_slug(film.storyboard)}:{answer.shot[1]}#{answer.take}')}"
    file = display_path(session.settings.root / film.storyboard)
    return f"{text} {line.of_files(file).with_flag('--select', answer.shot[1]).run('--max-credits 0')}"


def _line(shot: ShotKey, message: str) -> str:
    return escape_terminal(f"{storyboard_slug(shot[0].storyboard)}:{shot[1]}: {message}")
