"""Attempts whose outcome nobody knows: what was sent when and for how much, and the ways to end the doubt."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from runner.attempts.events import SettlementVerdict
from runner.attempts.history import Attempt, AttemptState
from runner.clock import format_utc
from runner.lazy_dataclass import dataclass
from runner.planning.selection import storyboard_slug
from runner.requests.request import credits_json, usd_text
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars, moment
from runner.show.text.layout import commands, wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table
from runner.store.receipts import Receipt

VERSION = 1
_MOST_PROMPT = 120


@dataclass(frozen=True, slots=True)
class UnsettledList:
    """The attempts in doubt of one account, oldest first."""

    attempts: Sequence[Attempt]
    usd_per_credit: Decimal
    zone: tzinfo | None = None
    """Of the reader; None is the machine's own."""
    receipts: Sequence[Receipt] = ()
    """Paid tasks of which only a receipt tells, and not what they were for."""


def settle(doubts: UnsettledList, width: int, color: bool) -> str:
    """The list of `storyboard settle`; ends with the commands that end a doubt."""
    ink, attempts = Style(color), doubts.attempts
    receipts = "\n".join(_receipts(doubts, width, ink))
    if not attempts:
        return f"{receipts}\n" if receipts else "Nothing is in doubt.\n"
    total = sum((attempt.credits for attempt in attempts), Decimal(0))
    verb = "is" if len(attempts) == 1 else "are"
    head = f"{count(len(attempts), 'attempt')} {verb} in doubt: {credits_text(total)} credits"
    rows: list[TableRow | str] = []
    names = _names(attempts)
    for attempt in attempts:
        rows += _attempt(attempt, names[attempt.id], doubts, width, ink)
    title = ink(f"{head} ({dollars(total * doubts.usd_per_credit)})", "strong")
    lines = [title, "", *table(_COLUMNS, rows, width, ink), "", *_ways(names[attempts[0].id], width, ink)]
    return "\n".join(lines) + "\n" + (f"\n{receipts}\n" if receipts else "")


def _receipts(doubts: UnsettledList, width: int, ink: Style) -> list[str]:
    """The tasks that only receipts tell of, and how each is taken over or given up."""
    if not doubts.receipts:
        return []
    tasks = [escape_terminal(receipt.task) for receipt in doubts.receipts]
    names = "a task that was" if len(tasks) == 1 else f"{len(tasks)} tasks that were"
    told = f"a receipt names {names} paid, and the ledger does not know what for; no paid run begins before it is said"
    ways = (
        (f"storyboard settle STORYBOARD:SHOT --task {tasks[0]}", "it is of this shot: take it over"),
        (f"storyboard settle --task {tasks[0]} --forget", "it is of no shot any more"),
    )
    return [*wrapped(told, width), *(f"  {task}" for task in tasks), *commands(ways, width, ink, "    ")]


_COLUMNS = (
    Column(least=14, most=40, head="shot"),
    Column("right", head="take"),
    Column(head="sent"),
    Column("right", head="credits"),
    Column(least=20, head="what happened"),
)


def shot_of(attempt: Attempt) -> str:
    """The shot as `settle` takes it: `harbour:quay`."""
    return escape_terminal(f"{storyboard_slug(attempt.intent.storyboard)}:{attempt.intent.shot}")


def _sent(attempt: Attempt) -> datetime:
    return attempt.sent_at or attempt.intended_at


def _said(attempt: Attempt) -> str:
    if attempt.state is AttemptState.MAYBE_CHARGED:
        return f"the server failed, perhaps after it was charged: {one_line(attempt.message, 300)}"
    return one_line(attempt.message, 300) or "nobody knows"


def _attempt(attempt: Attempt, name: str, doubts: UnsettledList, width: int, ink: Style) -> Sequence[TableRow | str]:
    said, made = _said(attempt), attempt.intent
    cells = (name, str(made.take), moment(_sent(attempt), doubts.zone), credits_text(attempt.credits))
    prompt = one_line(str(made.request.get("prompt", "")), _MOST_PROMPT)
    model = f"{made.request.get('model')} · {made.request.get('resolution')} · {made.request.get('seconds')} s"
    receipt = f" · receipt {escape_terminal(made.webhook_token[:8])}…" if made.webhook_token else ""
    asked = f"{one_line(model, 80)}" + (f' · "{prompt}"' if prompt else "") + receipt
    below = [ink(line, "quiet") for line in wrapped(asked, width, 6)]
    return [row(*cells, Cell(said, "bad"), below=said), *below]


def _names(attempts: Sequence[Attempt]) -> dict[str, str]:
    """How `settle` takes each: by its shot, with the beginning of its id where its take has several."""
    takes = Counter((each.intent.storyboard, each.intent.shot, each.intent.take) for each in attempts)
    several = {name for name, number in takes.items() if number > 1}
    return {
        each.id: shot_of(each) + _mark(each)
        if (each.intent.storyboard, each.intent.shot, each.intent.take) in several
        else shot_of(each)
        for each in attempts
    }


def _mark(attempt: Attempt) -> str:
    return f"@{escape_terminal(attempt.id[:8])}"


def which(attempts: Sequence[Attempt], zone: tzinfo | None = None) -> list[str]:
    """A line to type for each of several, with what tells it from the others."""
    return [
        f"  storyboard settle {shot_of(each)}#{each.intent.take}{_mark(each)} …      sent "
        f"{_sent(each).astimezone(zone):%Y-%m-%d %H:%M:%S}, {credits_text(each.intent.quoted)} credits, "
        f"{one_line(each.message, 80) or each.state}"
        for each in attempts
    ]


def _ways(shot: str, width: int, ink: Style) -> list[str]:
    found = (
        (f"storyboard settle {shot} --task task_…", "it is there: take it, no new charge"),
        (f"storyboard settle {shot} --not-charged", "it is not there: the next run makes it"),
        (f"storyboard settle {shot} --charged", "it was charged, and there is no clip"),
    )
    return ["  look for it on the vendor's page, by time and prompt, then one of", *commands(found, width, ink, "    ")]


def confirmation(attempt: Attempt, verdict: SettlementVerdict, task_id: str | None = None) -> str:
    """What is true after a word was given."""
    name = f"{shot_of(attempt)} take {attempt.intent.take}"
    match verdict:
        case "adopted":
            return f"{name}: {one_line(task_id or '', 200)} is taken over; the next run fetches its clip, no new charge"
        case "not-charged":
            return f"{name}: noted as not charged; the next run makes it if it is still missing"
        case "charged":
            price = credits_text(attempt.intent.quoted)
            return f"{name}: noted as charged, {price} credits; the next run makes it anew if it is still missing"
        case "undone":
            return f"{name}: your word is taken back; it is in doubt again"


def settle_json(doubts: UnsettledList) -> dict[str, object]:
    """`{"settle": 1, "unsettled": […]}`, oldest first."""
    told: dict[str, object] = {
        "settle": VERSION,
        "unsettled": [_json(attempt, doubts) for attempt in doubts.attempts],
    }
    if doubts.receipts:
        told["receipts"] = [{"task": receipt.task, "at": receipt.at} for receipt in doubts.receipts]
    return told


def _json(attempt: Attempt, doubts: UnsettledList) -> dict[str, object]:
    intent = attempt.intent
    return {
        "storyboard": intent.storyboard,
        "shot": intent.shot,
        "take": intent.take,
        "attempt": attempt.id,
        "fingerprint": intent.fingerprint,
        "state": "perhaps" if attempt.state is AttemptState.MAYBE_CHARGED else "unsettled",
        "sent_at": format_utc(_sent(attempt)),
        "credits": credits_json(attempt.credits),
        "usd": usd_text(attempt.credits * doubts.usd_per_credit),
        "words": attempt.message,
        "receipt": intent.webhook_token,
        "request": dict(intent.request),
    }
