"""`storyboard spend`: shows the bill, from the ledger, and from manifests for takes that it does not have."""

import argparse
import re
import sys
from datetime import UTC, date, datetime, timedelta
from typing import get_args

from runner.app import foreign_outputs
from runner.app.credit_scope import attempts_by_storyboard
from runner.app.session import Session, open_for_billing
from runner.attempts.attempt import Attempt
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.show.json.spend import spend_json
from runner.show.screens.spend import BillItem, By, build_bill, spend, spend_csv
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color

_FIRST, _LAST = 1971, 9998
"""Years in which every day has a day before and after it, in every zone."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows the bill: credits quoted, billed and unsettled, from this machine's ledger, and from the manifests for "
        "takes that the ledger does not have; each line names its source. The sandbox's play money is in no bill."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard spend\n"
        "      this month, by day\n"
        "  storyboard spend --month 2026-02 --by scene\n"
        "  storyboard spend storyboards/harbour.yaml --since 2026-01-01 --by shot --csv"
    )
    flags.add_files(parser, required=False)
    group = parser.add_argument_group("period and grouping")
    group.add_argument("--month", type=_month, metavar="YYYY-MM", help="one month (default: the current one)")
    group.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="the first day")
    group.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="the last day")
    units = get_args(By)
    text = f"one line for each: {flags.alternatives(units)} (default: day)"
    group.add_argument("--by", choices=units, default="day", metavar="UNIT", help=text)
    group.add_argument("--csv", action="store_true", help="print comma-separated values")
    flags.add_input(parser)
    flags.add_output(parser)


def _month(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a month: write YYYY-MM")
    return _day(f"{text}-01")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day: write YYYY-MM-DD") from error
    if not _FIRST <= day.year <= _LAST:
        raise argparse.ArgumentTypeError(f"{text!r}: the year must be from {_FIRST} to {_LAST}")
    return day


def run(args: argparse.Namespace) -> ExitCode:
    full_session = open_for_billing(args)
    since, until, period = _period(args)
    session, history, foreign = foreign_outputs.history_without_foreign(full_session, everything=True)
    foreign_outputs.print_warnings(foreign)
    storyboards, attempts = _scope(session, history)
    items = [_item(session, attempt) for attempt in attempts if _within(attempt, since, until)]
    report = build_bill(items, args.by, session.settings.usd_per_credit, period, storyboards=storyboards)
    if args.csv:
        print(spend_csv(report), end="")
    elif args.json:
        print(json_document(spend_json(report)), end="")
    else:
        print(spend(report, terminal_width(), use_color(sys.stdout, args.no_color)), end="")
    return ExitCode.INVALID if foreign else ExitCode.OK


def _period(args: argparse.Namespace) -> tuple[datetime | None, datetime | None, str]:
    """Start and end of the period (local midnights), and its name."""
    if args.since and args.until and args.since > args.until:
        raise CommandError(ExitCode.USAGE, f"--since {args.since} is after --until {args.until}")
    if args.since or args.until:
        text = " ".join(
            part for part in (args.since and f"since {args.since}", args.until and f"until {args.until}") if part
        )
        return _start(args.since), _start(args.until and args.until + timedelta(days=1)), text
    first = args.month or SystemClock().now().astimezone().date().replace(day=1)
    next_month = (first + timedelta(days=32)).replace(day=1)
    return _start(first), _start(next_month), f"{first:%B %Y}"


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day).astimezone().astimezone(UTC)


def _within(attempt: Attempt, since: datetime | None, until: datetime | None) -> bool:
    moment = attempt.accepted_at or attempt.intended_at
    return (since is None or moment >= since) and (until is None or moment < until)


def _scope(session: Session, history: History) -> tuple[tuple[str, ...] | None, list[Attempt]]:
    """The storyboards of the bill, None for the whole repository, and the attempts that count."""
    if not session.args.files:
        return None, list(history.own())
    attempts_by_path = attempts_by_storyboard(session, history)
    return tuple(attempts_by_path), [attempt for attempts in attempts_by_path.values() for attempt in attempts]


def _item(session: Session, attempt: Attempt) -> BillItem:
    """An item with scene and tags at the time of the order; for a manifest's attempt, those of today's shot."""
    intent = attempt.intent
    if not attempt.from_manifest:
        return BillItem(attempt, intent.scene, intent.tags)
    key = (intent.storyboard, intent.shot)
    shot = next((shot for shot in session.batch.shots if (shot.storyboard, shot.id) == key), None)
    return BillItem(attempt, shot.scene if shot else None, shot.tags if shot else ())
