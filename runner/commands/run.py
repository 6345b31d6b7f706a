"""`storyboard run`: plan, question, tasks, downloads, manifest."""

import argparse
import sys
from pathlib import Path

from runner.app.options import DisplayOptions
from runner.app.run import make_missing_clips
from runner.app.run_outcome import RunOutcome
from runner.app.session import open_session
from runner.commands import flag_values, flags
from runner.commands.conversation import TerminalConversation
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode
from runner.paid_providers import paid_provider_name
from runner.show.screens import question
from runner.show.screens.plan import PlanContext, screen
from runner.show.text.command_line import CommandLine
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    # What is paid for is never taken from a memory.
    parser.set_defaults(verify_files=True)
    parser.description = (
        "Makes exactly the clips that are missing, several at a time, and writes the manifest. The sandbox is free "
        "and asks nothing. Before a paid provider gets an order, you see the plan with its price, and confirm it. "
        "After any interruption run the same command again: it continues, and pays for nothing twice. "
        "A run that made a clip ends by joining the film to cut.mp4 and drawing sheet.jpg, except with --select, "
        "--exclude, --quiet, --json, --no-cut or CI."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard run storyboards/harbour.yaml\n"
        "  storyboard run storyboards/harbour.yaml --select scene:quay\n"
        f"  storyboard run storyboards/harbour.yaml --provider {paid_provider_name()} --max-credits 1240\n"
        "  storyboard run --plan plan.json\n"
        "\n"
        "The first Ctrl-C creates no further task, and leaves running ones to the next run; the second exits at once.\n"
        "\n"
        "exit codes:\n"
        "  0    every clip is made\n"
        "  1    some takes failed, or are refused or blocked\n"
        "  3    invalid input\n"
        "  4    declined, or over a limit on spending\n"
        "  5    the key is missing or was refused\n"
        "  6    an attempt is unsettled\n"
        "  7    another run holds this output\n"
        "  9    a take waits for a pick or for a running task\n"
        "  130  interrupted"
    )
    flags.add_files_or_plan(parser)
    flags.add_input(parser)
    flags.add_selection(parser)
    flags.add_extra_orders(parser)
    _add_spending(parser)
    _add_execution(parser)
    flags.add_output(parser)


def _add_spending(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("spending")
    group.add_argument("--yes", action="store_true", help="do not ask before paying; sets no limit by itself")
    text = "spend at most N credits, retries and unsettled attempts included"
    group.add_argument("--max-credits", type=flag_values.credits, metavar="N", help=text)
    text = "allow a pull request's CI job to pay; needs --max-credits too"
    group.add_argument("--allow-pull-request", action="store_true", help=text)


def _add_execution(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("execution")
    group.add_argument(
        "--concurrency", type=flag_values.count, metavar="N", help="tasks in progress at most (default: 3)"
    )
    group.add_argument("--output", type=Path, metavar="DIR", help="folder of manifests and clips (default: renders)")
    text = "create the tasks that the concurrency limit allows, then exit; the next run fetches their clips"
    group.add_argument("--no-wait", action="store_true", help=text)
    text = "make N takes first, show them, and ask before the rest; with consent it follows if they are right"
    group.add_argument("--canary", type=flag_values.count, metavar="N", help=text)
    group.add_argument("--fail-fast", action="store_true", help="create no further task once a take has failed")
    group.add_argument("--no-cut", action="store_true", help="end without making the film's cut and sheet")


def run(args: argparse.Namespace) -> ExitCode:
    if args.plan is not None:
        from runner.app.saved_plan_session import open_for_run

        flags.refuse_others(args, add, BESIDE_PLAN, "--plan")
        session = open_for_run(command_options(args), args.plan)
    elif args.files:
        session = open_session(command_options(args))
    else:
        # No search for storyboards: the command that pays works on what was named.
        message = "run needs FILE (a storyboard, or a folder of them) or --plan PLAN\n  storyboard run --help"
        raise CommandError(ExitCode.USAGE, message)
    outcome = make_missing_clips(session, TerminalConversation(session.command.display))
    _show(outcome, session.command_line, session.command.display)
    return outcome.exit_code


def _show(outcome: RunOutcome, command_line: CommandLine, display: DisplayOptions) -> None:
    """Show the end of a run; the events of one that was followed stood in its JSON already."""
    color = use_color(sys.stdout, display.no_color)
    if outcome.closing is not None:
        from runner.show.screens.closing import closing

        print(closing(outcome.result, terminal_width(), color, outcome.closing), end="")
    elif display.as_json and not outcome.was_followed:
        from runner.show.live.view import JsonView

        json_view = JsonView(sys.stdout)
        json_view.on_event(outcome.last_event)
        json_view.close()
    elif not display.as_json and not display.quiet and not outcome.next_command:
        # Done orders are not shown again as the command to type: it would order another take.
        context = PlanContext(command_line=command_line.without_extra_orders())
        print(screen(outcome.plan, terminal_width(), color, context=context), end="")
    if outcome.next_command and not display.quiet:
        # On standard error: with `--json` the stream has ended.
        print(f"\n{question.rest_left(outcome.next_command)}", file=sys.stderr)


BESIDE_PLAN = frozenset(
    {"--plan", "--yes", "--max-credits", "--concurrency", "--no-wait", "--fail-fast", "--json", "--quiet"}
    | {"--allow-pull-request"}
)
"""The flags that may stand beside `--plan`: the plan has all others."""
