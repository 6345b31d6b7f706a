"""`storyboard spend`: the bill, from the ledger and, for takes that it does not know, from manifests."""

import argparse
import re
import sys
from datetime import UTC, date, datetime, timedelta
from typing import get_args

from runner.app import foreign_outputs
from runner.app.project import terminal_width, use_color
from runner.app.session import Session, open_for_billing
from runner.attempts.history import Attempt
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.show.screens.spend import BillItem, By, bill, spend, spend_csv, spend_json
from runner.show.text.escape import json_document

_FIRST, _LAST = 1971, 9998
"""Years in which every day has a day before and after it, in every zone."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "The bill: what was quoted and billed, and what is in doubt, by this machine's ledger and, for takes that it\n"
        "does not know, by the manifests; each line says which. Play money of the sandbox is in no bill."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard spend                          this month, by day\n"
        "  storyboard spend --month 2026-02 --by scene\n"
        "  storyboard spend storyboards/harbour.yaml --since 2026-01-01 --by shot --csv > bill.csv"
    )
    flags.add_files(parser, required=False)
    group = parser.add_argument_group("of when, and by what")
    group.add_argument("--month", type=_month, metavar="YYYY-MM", help="one month (default: this one)")
    group.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="from this day on")
    group.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="up to and with this day")
    group.add_argument("--by", choices=get_args(By), default="day", help="a line for each (default: day)")
    group.add_argument("--csv", action="store_true", help="comma-separated values")
    flags.add_choice(parser)
    flags.add_output(parser)


def _month(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no month: write YYYY-MM")
    return _day(f"{text}-01")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write YYYY-MM-DD") from error
    if not _FIRST <= day.year <= _LAST:
        raise argparse.ArgumentTypeError(f"{text!r}: bills are of the years {_FIRST} to {_LAST}")
    return day


def run(args: argparse.Namespace) -> ExitCode:
    whole = open_for_billing(args)
    since, until, words = _period(args)
    boards = {board.path for board in whole.batch.storyboards} if args.files else None
    session, history, strange = foreign_outputs.history_without_foreign(whole, everything=True)
    foreign_outputs.print_warnings(strange)
    known = history.own()
    attempts = [each for each in known if boards is None or each.intent.storyboard in boards]
    items = [_item(session, each) for each in attempts if _within(each, since, until)]
    found = bill(items, args.by, session.settings.usd_per_credit, words)
    if args.csv:
        print(spend_csv(found), end="")
    elif args.json:
        print(json_document(spend_json(found)), end="")
    else:
        print(spend(found, terminal_width(), use_color(args, sys.stdout)), end="")
    return ExitCode.INVALID if strange else ExitCode.OK


def _period(args: argparse.Namespace) -> tuple[datetime | None, datetime | None, str]:
    """From when to when (both in the reader's days), and in words."""
    if args.since and args.until and args.since > args.until:
        raise CommandError(ExitCode.USAGE, f"--since {args.since} is after --until {args.until}")
    if args.since or args.until:
        words = " ".join(
            part for part in (args.since and f"since {args.since}", args.until and f"until {args.until}") if part
        )
        return _start(args.since), _start(args.until and args.until + timedelta(days=1)), words
    first = args.month or SystemClock().now().astimezone().date().replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return _start(first), _start(after), f"{first:%B %Y}"


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day).astimezone().astimezone(UTC)


def _within(attempt: Attempt, since: datetime | None, until: datetime | None) -> bool:
    when = attempt.accepted_at or attempt.intended_at
    return (since is None or when >= since) and (until is None or when < until)


def _item(session: Session, attempt: Attempt) -> BillItem:
    """With scene and tags as they were when it was ordered; a manifest's take has the shot's of today."""
    intent = attempt.intent
    if not attempt.from_manifest:
        return BillItem(attempt, intent.scene, intent.tags)
    name = (intent.storyboard, intent.shot)
    shot = next((shot for shot in session.batch.shots if (shot.storyboard, shot.id) == name), None)
    return BillItem(attempt, shot.scene if shot else None, shot.tags if shot else ())
