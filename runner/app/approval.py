"""Before anything is spent: is this fit to pay, does it stay under every ceiling, and does somebody say yes."""

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal

from runner.app import destinations
from runner.app.budget_scope import current
from runner.app.plan_report import again, around, passing, unreachable, ways
from runner.app.project import color, columns
from runner.app.session import Opened
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode, Stop
from runner.engine.limits import Budget
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan, totals
from runner.show.screens import question
from runner.show.screens.plan import Goes, screen
from runner.store import filesystems


def fit(desk: Opened, plan: Plan, history: History) -> None:
    """Whether a paid run may begin at all: materials, CI, repository, disk, key. A free run always may."""
    if plan.play:
        return
    if lost := unreachable(plan):
        raise Stop(ExitCode.UNFIT, _not_public(desk, plan, history, lost))
    _fit_in_ci(desk, plan)
    if desk.repository.silent:
        raise Stop(
            ExitCode.UNFIT,
            "there is a git repository here, and git does not answer: nobody can tell what it has paid for already\n"
            "  git status      says why",
        )
    if desk.repository.shallow:
        raise Stop(
            ExitCode.UNFIT,
            "this clone is shallow, so that nobody can tell which repository it is and what it has paid for already\n"
            "  git fetch --unshallow      (in GitHub's checkout action: fetch-depth: 0)",
        )
    filesystems.fit_to_pay(desk.settings.state)
    desk.settings.key()


def _not_public(desk: Opened, plan: Plan, history: History, lost: list[tuple[Shot, str]]) -> str:
    """Which shots send what nobody else can open, and the line that goes on without them."""
    lines = [f"  {shot.place.file}:{shot.place.line}: {shot.id} sends {name}" for shot, name in lost]
    more = [f"  and {len(lines) - 10} more"] if len(lines) > 10 else []
    shots = "one shot sends" if len(lost) == 1 else f"{len(lost)} shots send"
    line = passing(desk, history, plan)
    way = f"or go on without them:\n    {line}" if line is not None else "or make them with the sandbox"
    return "\n".join(
        [
            f"{desk.settings.provider} takes public addresses only, and {shots} what lies on this machine: "
            "nothing was sent, nothing was spent",
            *lines[:10],
            *more,
            f"  give these materials by https addresses, {way}",
        ]
    )


def _fit_in_ci(desk: Opened, plan: Plan) -> None:
    settings, args, words = desk.settings, desk.args, again(desk)
    if settings.pull_request is not None and not (args.allow_pull_request and args.max_credits is not None):
        raise Stop(
            ExitCode.DECLINED,
            f"this is a pull request's job ({settings.pull_request}), and a stranger's change may not pay: "
            f"nothing was sent\n"
            f"  storyboard plan {words}      prices it without a key\n"
            f"  storyboard run {words} --allow-pull-request --max-credits {question.ceiling_of(plan)}",
        )
    if settings.ci and not settings.ci_state:
        raise Stop(
            ExitCode.UNFIT,
            "in CI the ledger must outlive the job, else a clip is paid twice; STORYBOARD_STATE is not set\n"
            "  export STORYBOARD_STATE=/a/folder/that/is/kept      a mounted volume, or a cache saved after every job",
        )


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One limit, what the run would bring it to, and how it is called."""

    name: str
    limit: Decimal
    would_be: Decimal
    beside: Decimal
    """What counts already, before this run."""


def ceilings(desk: Opened, plan: Plan, history: History, last_day: Decimal) -> Iterator[Ceiling]:
    """Every ceiling that holds for this run, in quoted credits or the bill, whichever is higher."""
    ordered = plan.totals.credits or Decimal(0)
    if (limit := desk.settings.max_credits) is not None:
        yield Ceiling("--max-credits", limit, ordered, Decimal(0))
    for path, budget in budgets(desk, plan, history).items():
        already = counted(history, budget)
        new = totals([step for step in plan.steps if step.shot.storyboard == path], shots=0).credits or Decimal(0)
        yield Ceiling(f"the budget in {path}", budget.credits, already + new, already)
    if (limit := desk.settings.credits_per_day) is not None:
        yield Ceiling("budget.credits_per_day", limit, last_day + ordered, last_day)


def counted(history: History, budget: Budget) -> Decimal:
    """Credits of what was ordered already and counts in a storyboard's budget: made, running, in doubt."""
    attempts = (attempt for mark in budget.current for attempt in history.of(mark))
    return sum((attempt.credits for attempt in attempts), Decimal(0))


def budgets(desk: Opened, plan: Plan, history: History) -> dict[str, Budget]:
    """Each storyboard's budget in credits, with the fingerprints that count in it."""
    found = {}
    marks_of = current(desk, plan, history)
    for board in plan.batch.storyboards:
        if (credits := _budget(desk, board)) is not None:
            marks = marks_of[board.path]
            elsewhere = [attempt for mark in marks for attempt in history.of(mark) if attempt.elsewhere]
            found[board.path] = Budget(credits, marks, sum((each.credits for each in elsewhere), Decimal(0)))
    return found


def _budget(desk: Opened, board: Storyboard) -> Decimal | None:
    said = [board.budget_credits]
    if board.budget_usd is not None:
        said.append(board.budget_usd / desk.settings.usd_per_credit)
    return min((credits for credits in said if credits is not None), default=None)


def consent(desk: Opened, plan: Plan, history: History, last_day: Decimal) -> Decimal | None:
    """The price that was agreed to at the question, else None.

    Stop with exit 4 unless this run may spend what it would spend; a free run, and one that orders nothing, may.
    """
    ordered = plan.totals.credits
    if plan.play or not any(step.orders for step in plan.steps) or desk.settings.max_credits == 0:
        return None
    if ordered is None:
        raise Stop(ExitCode.DECLINED, question.unknown_price(plan))
    for ceiling in ceilings(desk, plan, history, last_day):
        if ceiling.would_be > ceiling.limit:
            room = max(ceiling.limit - ceiling.beside, Decimal(0))
            cheaper = ways(desk, history, room)
            raise Stop(
                ExitCode.DECLINED,
                question.over(plan, ceiling.name, ceiling.limit, ceiling.would_be, cheaper),
            )
    agreed = None
    if not desk.args.yes:
        agreed = _agreed(desk, plan, history, ordered)
    destinations.agree(desk, history)
    return agreed


def _agreed(desk: Opened, plan: Plan, history: History, ordered: Decimal) -> Decimal | None:
    """A yes at the terminal is a yes to this price; without a terminal a ceiling on the command line is one."""
    places = destinations.goes(desk, history)
    if is_terminal():
        _ask(plan, places)
        return ordered
    if desk.args.max_credits is None:
        raise Stop(ExitCode.DECLINED, question.nobody_to_ask(plan, again(desk), places))
    return None


def show(desk: Opened, plan: Plan, history: History) -> None:
    """The plan, before the question, to a person at a terminal."""
    text = screen(
        plan, columns(), color(desk.args, sys.stderr), around=replace(around(desk, plan, history), asking=True)
    )
    print(text, file=sys.stderr)


def _ask(plan: Plan, places: Sequence[Goes]) -> None:
    print(question.question(plan, places), "[y/N]", end=" ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise Stop(ExitCode.DECLINED, question.declined())


def is_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
