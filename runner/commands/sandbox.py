"""`storyboard sandbox`: the local double of the API, served for other tools and tests."""

import argparse
from pathlib import Path

from runner.commands.flag_values import count, port
from runner.commands.flags import alternatives
from runner.diagnostics.problem import ExitCode

# Above any number that a flag means.
_MAX_NUMBER = 10**9


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Serves the provider's API on 127.0.0.1, stricter than the real one, and makes real MP4 clips. The first line "
        "on standard output is its address; Ctrl-C ends it. Nothing leaves this machine."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard sandbox\n"
        "      a free port, any key, no limit on credits\n"
        "  storyboard sandbox --port 8787 --key test-key-1 --credits 1000 --cap 3\n"
        "  storyboard sandbox --faults faults.yaml --seed 7\n"
        "      injected faults, the same ones at every start\n"
        "\n"
        "docs/sandbox.md explains the faults file, the counters, the clock, and clients in curl, Python and Node."
    )
    _add_account(parser)
    _add_tasks(parser)
    _add_faults(parser)


def _add_account(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("server and accounts")
    group.add_argument("--port", type=port, default=0, metavar="N", help="the port (default 0: a free one)")
    text = "accept only this key; may be repeated (default: every key is an account of its own)"
    group.add_argument("--key", action="append", default=[], type=_key, metavar="KEY", help=text)
    group.add_argument("--credits", type=_amount, metavar="N", help="the balance of each account (default: unlimited)")
    group.add_argument(
        "--cap", type=count, default=50, metavar="N", help="tasks in progress for each account (default: 50)"
    )
    group.add_argument(
        "--state", type=Path, metavar="DIR", help="keep tasks and uploads in this folder (default: forget them)"
    )


def _add_tasks(parser: argparse.ArgumentParser) -> None:
    # Only here: every command's help is built for TAB and `explain`, and the server is slow to load.
    from runner.sandbox.options import WEBHOOKS
    from runner.sandbox.rulebook import LINK_HOURS, NAMES

    group = parser.add_argument_group("tasks and responses")
    text = f"edition of the API: {alternatives(NAMES)} (default: {NAMES[0]})"
    group.add_argument("--edition", choices=NAMES, default=NAMES[0], metavar="NAME", help=text)
    group.add_argument(
        "--seconds", type=_seconds, metavar="S", help="duration of a task (default: the time to draw its clip)"
    )
    text = "sigma of a log-normal distribution around --seconds (default 0: no spread)"
    group.add_argument("--spread", type=_seconds, default=0.0, metavar="X", help=text)
    text = f"shape of callbacks: {alternatives(WEBHOOKS)} (default: flat; each: all shapes in turn)"
    group.add_argument(
        "--webhooks", nargs="?", choices=WEBHOOKS, default="flat", const="flat", metavar="SHAPE", help=text
    )
    text = f"lifetime of a link to a clip (default: {LINK_HOURS} hours)"
    group.add_argument("--link-seconds", type=_seconds, default=LINK_HOURS * 3600, metavar="S", help=text)
    group.add_argument(
        "--plain-clips", action="store_true", help="serve prepared grey clips instead of drawn ones, for load tests"
    )
    text = "clips drawn at the same time (default: one for each core)"
    group.add_argument("--processes", type=count, metavar="N", help=text)
    text = "accept materials at addresses of this machine, which a real provider could not reach"
    group.add_argument("--local-materials", action="store_true", help=text)


def _add_faults(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("faults")
    group.add_argument(
        "--faults", type=Path, metavar="FILE", help="faults to inject: YAML or JSON, by schemas/faults.schema.json"
    )
    group.add_argument("--seed", type=_amount, default=0, metavar="N", help="seed of all random choices (default: 0)")


def run(args: argparse.Namespace) -> ExitCode:
    from runner.sandbox.options import Options
    from runner.sandbox.serve import serve

    options = Options(
        edition=args.edition,
        keys=tuple(args.key),
        credits=args.credits,
        cap=args.cap,
        seconds=args.seconds,
        spread=args.spread,
        webhooks=args.webhooks,
        faults=args.faults,
        seed=args.seed,
        port=args.port,
        link_seconds=args.link_seconds,
        plain_clips=args.plain_clips,
        local_materials=args.local_materials,
        processes=args.processes,
    )
    # Flushed: a script waits for this line before it sends anything.
    serve(options, lambda address: print(f"sandbox listening on {address}", flush=True), args.state)
    return ExitCode.OK


def _amount(text: str) -> int:
    # Cut off: Python refuses to read a number of more than 4,300 digits, with an exception.
    if not (text.isascii() and text.isdigit() and int(text[:10]) <= _MAX_NUMBER):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {_MAX_NUMBER:,}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MAX_NUMBER:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return number


def _key(text: str) -> str:
    from runner.settings.api_key import key_format_error

    if (error := key_format_error(text)) is not None:
        raise argparse.ArgumentTypeError(f"this is not a valid key: {error}")
    return text
