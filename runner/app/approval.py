"""Before anything is spent: is this fit to pay, does it stay under every ceiling, and does somebody say yes."""

import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal

from runner.app import destinations
from runner.app.budget_scope import fingerprints_in_budget
from runner.app.plan_report import again, cheaper_alternatives, passing, plan_context, private_materials
from runner.app.project import terminal_width, use_color
from runner.app.session import Session
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import Budget
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan, totals
from runner.show.screens import question
from runner.show.screens.plan import Destination, screen
from runner.store import filesystems


def check_can_pay(session: Session, plan: Plan, history: History) -> None:
    """Whether a paid run may begin at all: materials, CI, repository, disk, key. A free run always may."""
    if plan.is_free:
        return
    if lost := private_materials(plan):
        raise CommandError(ExitCode.INVALID, _not_public(session, plan, history, lost))
    _fit_in_ci(session, plan)
    if session.repository.unresponsive:
        raise CommandError(
            ExitCode.INVALID,
            "there is a git repository here, and git does not answer: nobody can tell what it has paid for already\n"
            "  git status      says why",
        )
    if session.repository.shallow:
        raise CommandError(
            ExitCode.INVALID,
            "this clone is shallow, so that nobody can tell which repository it is and what it has paid for already\n"
            "  git fetch --unshallow      (in GitHub's checkout action: fetch-depth: 0)",
        )
    filesystems.check_ledger_disk(session.settings.state)
    session.settings.key()


def _not_public(session: Session, plan: Plan, history: History, lost: list[tuple[Shot, str]]) -> str:
    """Which shots send what nobody else can open, and the line that goes on without them."""
    lines = [f"  {shot.place.file}:{shot.place.line}: {shot.id} sends {name}" for shot, name in lost]
    more = [f"  and {len(lines) - 10} more"] if len(lines) > 10 else []
    shots = "one shot sends" if len(lost) == 1 else f"{len(lost)} shots send"
    line = passing(session, history, plan)
    way = f"or go on without them:\n    {line}" if line is not None else "or make them with the sandbox"
    return "\n".join(
        [
            f"{session.settings.provider} takes public addresses only, and {shots} what lies on this machine: "
            "nothing was sent, nothing was spent",
            *lines[:10],
            *more,
            f"  give these materials by https addresses, {way}",
        ]
    )


def _fit_in_ci(session: Session, plan: Plan) -> None:
    settings, args, words = session.settings, session.args, again(session)
    if settings.pull_request is not None and not (args.allow_pull_request and args.max_credits is not None):
        raise CommandError(
            ExitCode.DECLINED,
            f"this is a pull request's job ({settings.pull_request}), and a stranger's change may not pay: "
            f"nothing was sent\n"
            f"  storyboard plan {words}      prices it without a key\n"
            f"  storyboard run {words} --allow-pull-request --max-credits {question.ceiling_of(plan)}",
        )
    if settings.ci and not settings.ci_state:
        raise CommandError(
            ExitCode.INVALID,
            "in CI the ledger must outlive the job, else a clip is paid twice; STORYBOARD_STATE is not set\n"
            "  export STORYBOARD_STATE=/a/folder/that/is/kept      a mounted volume, or a cache saved after every job",
        )


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """One limit, what the run would bring it to, and how it is called."""

    name: str
    limit: Decimal
    would_be: Decimal
    already: Decimal
    """What counts already, before this run."""


def spend_limits(session: Session, plan: Plan, history: History, last_day: Decimal) -> Iterator[SpendLimit]:
    """Every ceiling that holds for this run, in quoted credits or the bill, whichever is higher."""
    ordered = plan.totals.credits or Decimal(0)
    if (limit := session.settings.max_credits) is not None:
        yield SpendLimit("--max-credits", limit, ordered, Decimal(0))
    for path, budget in storyboard_budgets(session, plan, history).items():
        already = committed_credits(history, budget)
        new = totals([step for step in plan.steps if step.shot.storyboard == path], shots=0).credits or Decimal(0)
        yield SpendLimit(f"the budget in {path}", budget.credits, already + new, already)
    if (limit := session.settings.credits_per_day) is not None:
        yield SpendLimit("budget.credits_per_day", limit, last_day + ordered, last_day)


def committed_credits(history: History, budget: Budget) -> Decimal:
    """Credits of what was ordered already and counts in a storyboard's budget: made, running, in doubt."""
    attempts = (
        attempt for mark in budget.current for attempt in history.attempts_of(mark) if attempt.repository is None
    )
    return sum((attempt.credits for attempt in attempts), Decimal(0))


def storyboard_budgets(session: Session, plan: Plan, history: History) -> dict[str, Budget]:
    """Each storyboard's budget in credits, with the fingerprints that count in it."""
    found = {}
    marks_of = fingerprints_in_budget(session, plan, history)
    for board in plan.batch.storyboards:
        if (credits := _budget(session, board)) is not None:
            marks = marks_of[board.path]
            elsewhere = [attempt for mark in marks for attempt in history.attempts_of(mark) if attempt.from_manifest]
            found[board.path] = Budget(credits, marks, sum((each.credits for each in elsewhere), Decimal(0)))
    return found


def _budget(session: Session, board: Storyboard) -> Decimal | None:
    said = [board.budget_credits]
    if board.budget_usd is not None:
        said.append(board.budget_usd / session.settings.usd_per_credit)
    return min((credits for credits in said if credits is not None), default=None)


def approve_spending(session: Session, plan: Plan, history: History, last_day: Decimal) -> Decimal | None:
    """The price that was agreed to at the question, else None.

    Stop with exit 4 unless this run may spend what it would spend; a free run, and one that orders nothing, may.
    """
    ordered = plan.totals.credits
    if plan.is_free or not any(step.is_billable for step in plan.steps) or session.settings.max_credits == 0:
        return None
    if ordered is None:
        raise CommandError(ExitCode.DECLINED, question.unknown_price(plan))
    for ceiling in spend_limits(session, plan, history, last_day):
        if ceiling.would_be > ceiling.limit:
            room = max(ceiling.limit - ceiling.already, Decimal(0))
            cheaper = cheaper_alternatives(session, history, room)
            raise CommandError(
                ExitCode.DECLINED,
                question.over_limit(plan, ceiling.name, ceiling.limit, ceiling.would_be, cheaper),
            )
    agreed = None
    if not session.args.yes:
        agreed = _ask_or_refuse(session, plan, history, ordered)
    destinations.remember_approval(session, history)
    return agreed


def _ask_or_refuse(session: Session, plan: Plan, history: History, ordered: Decimal) -> Decimal | None:
    """A yes at the terminal is a yes to this price; without a terminal a ceiling on the command line is one."""
    places = destinations.destinations(session, history)
    if is_terminal():
        _prompt_user(plan, places)
        return ordered
    if session.args.max_credits is None:
        raise CommandError(ExitCode.DECLINED, question.no_terminal(plan, again(session), places))
    return None


def show_plan(session: Session, plan: Plan, history: History) -> None:
    """The plan, before the question, to a person at a terminal."""
    text = screen(
        plan,
        terminal_width(),
        use_color(session.args, sys.stderr),
        around=replace(plan_context(session, plan, history), asking=True),
    )
    print(text, file=sys.stderr)


def _prompt_user(plan: Plan, places: Sequence[Destination]) -> None:
    print(question.question(plan, places), "[y/N]", end=" ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise CommandError(ExitCode.DECLINED, question.declined())


def is_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
