"""The screen of a saved plan: what it lists, until when it is valid, what is different since."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from runner.planning.plan_differences import Comparison, summary
from runner.planning.saved_plan import Order, SavedPlan
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, moment, money
from runner.show.text.layout import joined, labelled, right_aligned
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

# Orders that are listed; those beyond are counted.
_MOST_ROWS = 40


def saved_plan_screen(
    path: str,
    saved: SavedPlan,
    comparison: Comparison,
    now: datetime,
    usd_per_credit: Decimal | None,
    width: int,
    color: bool,
    command: str,
) -> str:
    """The saved plan at `path`, beside the present one; `command` is the run that carries it out."""
    style = Style(color)
    expired = now >= saved.expires_at
    account = escape_terminal(f"{saved.provider} · {saved.host} · edition {saved.edition}")
    clips, price = count(len(saved.orders), "clip"), f"{credits_text(saved.ceiling)} credits"
    if usd_per_credit is not None:
        price = money(saved.ceiling, usd_per_credit)
    head = [
        f"{style(escape_terminal(path), 'strong')}   {account}",
        *joined([f"{clips} for at most {price}", f"saved {_utc(saved.created_at)}", _validity(saved, expired)], width),
    ]
    parts = [head, _orders(saved.orders, width, style)]
    since: list[str] = []
    if expired:
        since += labelled("expired", f"at {_utc(saved.expires_at)}: a run of it sends nothing", width, style, "bad")
    for difference in comparison.differences:
        since += labelled("differs", one_line(difference.text, 400), width, style, "bad")
    for line in summary(comparison.left_out):
        since += labelled("since", one_line(line, 400), width, style)
    parts += [since or ["  nothing is different since"], labelled("digest", saved.digest, width, style)]
    if expired or comparison.differences:
        parts.append(right_aligned("storyboard plan -o PLAN", "saves the present plan", width, style))
    elif len(comparison.left_out) < len(saved.orders):
        parts.append(right_aligned(command, "", width, style))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _orders(orders: Sequence[Order], width: int, style: Style) -> list[str]:
    rows: list[TableRow | str] = [
        row(
            Cell(one_line(order.shot, 80)),
            str(order.take),
            credits_text(order.credits),
            Cell(
                order.film.storyboard if order.film.profile is None else f"{order.film.storyboard} {order.film.profile}"
            ),
            indent=1,
        )
        for order in orders[:_MOST_ROWS]
    ]
    if not rows:
        return ["  it orders nothing"]
    columns = (
        Column(least=8, most=width // 2, head=" shot"),
        Column("right", head="take"),
        Column("right", head="credits"),
        Column(least=10),
    )
    more = len(orders) - _MOST_ROWS
    return table(columns, rows, width, style, indent=1) + ([f"  and {more} more"] if more > 0 else [])


def _validity(saved: SavedPlan, expired: bool) -> str:
    return f"{'expired' if expired else 'valid until'} {_utc(saved.expires_at)}"


def _utc(at: datetime) -> str:
    return f"{moment(at, UTC)} UTC"


def where_it_lies(path: str, saved: SavedPlan, width: int, style: Style) -> list[str]:
    """The lines below a plan that was saved: where it lies, until when it is valid, its digest."""
    text = f"{escape_terminal(path)}, valid until {_utc(saved.expires_at)}"
    return [*labelled("saved", text, width, style, "good"), *labelled("digest", saved.digest, width, style)]
