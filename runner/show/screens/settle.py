"""The screen of `settle`: unsettled attempts with time and price, and the commands that settle them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import SettlementVerdict
from runner.attempts.film import storyboard_slug
from runner.attempts.sums import counted_credits
from runner.lazy_dataclass import dataclass
from runner.show.screens.gone_repositories import gone_lines
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars, moment
from runner.show.text.layout import commands, wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table
from runner.store.receipts import Receipt

# Characters by which a prompt is known again on the page of the provider.
_MOST_PROMPT = 120


@dataclass(frozen=True, slots=True)
class UnsettledList:
    """The unsettled attempts of one account, oldest first."""

    attempts: Sequence[Attempt]
    usd_per_credit: Decimal
    zone: tzinfo | None = None
    """Time zone of the reader; None means the machine's own."""
    receipts: Sequence[Receipt] = ()
    """Paid tasks that only a receipt names, without what they were ordered for."""
    left_behind: Sequence[Attempt] = ()
    """Open attempts of repositories that are gone, the unsettled ones among them included."""
    root: str = "/"
    """The repository's top folder, from which the others are named."""


def settle(unsettled: UnsettledList, width: int, color: bool) -> str:
    """The list of `storyboard settle`; ends with the commands that settle an attempt."""
    style, attempts = Style(color), unsettled.attempts
    left_behind = gone_lines(unsettled.left_behind, unsettled.root, width, style, unsettled.zone)
    blocks = ("\n".join(lines) for lines in (_receipts(unsettled, width, style), left_behind) if lines)
    more = "\n\n".join(blocks)
    if not attempts:
        return f"{more}\n" if more else "No attempt is unsettled.\n"
    total = counted_credits(attempts)
    verb = "is" if len(attempts) == 1 else "are"
    head = f"{count(len(attempts), 'attempt')} {verb} unsettled: {credits_text(total)} credits"
    rows: list[TableRow | str] = []
    # An id is added only where a take has several attempts: a command to type stays short.
    names = _names(attempts)
    for attempt in attempts:
        rows += _attempt(attempt, names[attempt.id], unsettled, width, style)
    title = style(f"{head} ({dollars(total * unsettled.usd_per_credit)})", "strong")
    lines = [title, "", *table(_COLUMNS, rows, width, style), "", *_next_commands(names[attempts[0].id], width, style)]
    return "\n".join(lines) + "\n" + (f"\n{more}\n" if more else "")


def _receipts(unsettled: UnsettledList, width: int, style: Style) -> list[str]:
    """The tasks that only receipts name, and the commands that take over or give up each."""
    if not unsettled.receipts:
        return []
    tasks = [escape_terminal(receipt.task) for receipt in unsettled.receipts]
    head = "A paid task is" if len(tasks) == 1 else f"{len(tasks)} paid tasks are"
    message = f"{head} in the receipts, and not in the ledger; no paid run starts until it is settled"
    line = CommandLine()
    ways = (
        (line.settle_receipt(tasks[0]), "take it over for this shot"),
        (line.forget(tasks[0]), "give it up"),
    )
    return [*wrapped(message, width), *(f"  {task}" for task in tasks), *commands(ways, width, style, "    ")]


_COLUMNS = (
    Column(least=14, most=40, head="shot"),
    Column("right", head="take"),
    Column(head="sent"),
    Column("right", head="credits"),
    Column(least=20, head="what happened"),
)


def shot_of(attempt: Attempt) -> str:
    """The shot as an argument of `settle`: `harbour:quay`."""
    return escape_terminal(f"{storyboard_slug(attempt.intent.storyboard)}:{attempt.intent.shot}")


def sent_at(attempt: Attempt) -> datetime:
    """The moment when the request left, or was about to leave."""
    return attempt.sent_at or attempt.intended_at


def _message(attempt: Attempt) -> str:
    if attempt.state is AttemptState.MAYBE_CHARGED:
        return f"the server failed, maybe after charging: {one_line(attempt.message, 300)}"
    return one_line(attempt.message, 300) or "no answer"


def _attempt(
    attempt: Attempt, name: str, unsettled: UnsettledList, width: int, style: Style
) -> Sequence[TableRow | str]:
    message, intent = _message(attempt), attempt.intent
    cells = (name, str(intent.take), moment(sent_at(attempt), unsettled.zone), credits_text(attempt.credits))
    prompt = one_line(str(intent.request.get("prompt", "")), _MOST_PROMPT)
    model = f"{intent.request.get('model')} · {intent.request.get('resolution')} · {intent.request.get('seconds')} s"
    receipt = f" · webhook token {escape_terminal(intent.webhook_token[:8])}…" if intent.webhook_token else ""
    details = f"{one_line(model, 80)}" + (f' · "{prompt}"' if prompt else "") + receipt
    below = [style(line, "quiet") for line in wrapped(details, width, 6)]
    return [row(*cells, Cell(message, "bad"), below=message), *below]


def _names(attempts: Sequence[Attempt]) -> dict[str, str]:
    """Arguments of `settle` by attempt: the shot, and the start of the attempt's id if its take has several."""
    takes = Counter((attempt.intent.storyboard, attempt.intent.shot, attempt.intent.take) for attempt in attempts)
    several = {name for name, number in takes.items() if number > 1}
    return {
        attempt.id: shot_of(attempt) + _id_suffix(attempt)
        if (attempt.intent.storyboard, attempt.intent.shot, attempt.intent.take) in several
        else shot_of(attempt)
        for attempt in attempts
    }


def _id_suffix(attempt: Attempt) -> str:
    return f"@{escape_terminal(attempt.id[:8])}"


def settle_commands(attempts: Sequence[Attempt], zone: tzinfo | None = None) -> list[str]:
    """A command for each of several attempts, with the time, price and message that tell them apart."""
    return [
        f"  {CommandLine().settle(f'{shot_of(attempt)}#{attempt.intent.take}{_id_suffix(attempt)}', '…')}      sent "
        f"{sent_at(attempt).astimezone(zone):%Y-%m-%d %H:%M:%S}, {credits_text(attempt.intent.quoted)} credits, "
        f"{one_line(attempt.message, 80) or attempt.state}"
        for attempt in attempts
    ]


def _next_commands(shot: str, width: int, style: Style) -> list[str]:
    line = CommandLine()
    suggestions = (
        (line.settle_found(shot), "it is there: take it, no new charge"),
        (line.settle_absent(shot), "it is not there: the next run makes it"),
        (line.settle(shot, "--charged"), "it was charged, and there is no clip"),
    )
    return [
        "  look for it on the vendor's page, by time and prompt, then one of",
        *commands(suggestions, width, style, "    "),
    ]


def given_up(task: str) -> str:
    """The message after a task that only a receipt named was given up."""
    return f"{escape_terminal(task)}: given up; no run asks for it any more"


def confirmation(attempt: Attempt, verdict: SettlementVerdict, task_id: str | None = None) -> str:
    """The message after an attempt was settled or a settlement undone."""
    name = f"{shot_of(attempt)} take {attempt.intent.take}"
    match verdict:
        case "adopted":
            return f"{name}: adopted {one_line(task_id or '', 200)}; the next run fetches its clip, no new charge"
        case "not-charged":
            return f"{name}: settled as not charged; if its clip is missing, the next run makes it"
        case "charged":
            price = credits_text(attempt.intent.quoted)
            return f"{name}: settled as charged, {price} credits; if its clip is missing, the next run makes it again"
        case "undone":
            return f"{name}: settlement undone; the attempt is unsettled again"
