"""The checks before a paid run: can it pay, does it stay below every spending limit, does the user approve."""

from collections.abc import Iterator
from decimal import Decimal

from runner.app import destinations
from runner.app.batch_planner import BatchPlanner
from runner.app.budget_scope import fingerprints_in_budget
from runner.app.conversation import Conversation
from runner.app.plan_report import (
    cheaper_alternatives,
    command_below_limit,
    not_git,
    sandbox_command,
)
from runner.app.session import Session
from runner.attempts.history import History
from runner.attempts.sums import counted_credits
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import Budget
from runner.language.model import Storyboard
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan, totals
from runner.settings.settings import Settings
from runner.show.screens import question
from runner.show.screens.blocked import WaysOn
from runner.show.text.command_line import CommandLine
from runner.store import filesystems


def check_can_pay(session: Session, plan: Plan, history: History) -> None:
    """Raise `CommandError` unless a paid run may begin: CI, repository, disk, key. A free run always may."""
    if plan.is_free:
        return
    _check_store(session, plan)
    _check_ci(session, plan)
    filesystems.check_ledger_disk(session.settings.state)
    session.settings.key()


def check_materials(session: Session, plan: Plan) -> None:
    """Raise `CommandError` where nothing is left to make because materials have no way to the provider."""
    if any(step.unpublished for step in plan.steps):
        ways = WaysOn(sandbox_command(session), not_git=not_git(session, plan))
        raise CommandError(ExitCode.INVALID, question.nothing_public(plan, ways))


def _check_store(session: Session, plan: Plan) -> None:
    """Raise `CommandError` if the plan uses the store, and its client or its credentials are missing."""
    routes, ordered = session.planner.routes, [step for step in plan.steps if step.is_billable]
    materials = {material for step in ordered for material in step.shot.request.materials}
    if routes is not None and any("store" in routes.of(material).ways for material in materials):
        from runner.app.material_store import open_store  # with the modules of a run, which a plan does without

        store = open_store(session.settings, session.edition)
        if store is not None:
            store.check_ready()


def _check_ci(session: Session, plan: Plan) -> None:
    settings, spending, line = session.settings, session.command.spending, session.command_line
    if settings.pull_request is not None and not (spending.allow_pull_request and spending.max_credits is not None):
        raise CommandError(
            ExitCode.DECLINED,
            f"this is a pull request's CI job ({settings.pull_request}), which does not pay unless you allow it: "
            "nothing was sent. To see the price without a key, or to allow it:\n"
            f"  {line.plan()}\n"
            f"  {line.run('--allow-pull-request --max-credits', question.ceiling_of(plan))}",
        )
    if settings.ci and not settings.ci_state:
        raise CommandError(
            ExitCode.INVALID,
            "STORYBOARD_STATE is not set: in CI the ledger must outlive the job, else clips are paid twice. Name a "
            "folder on a mounted volume, or in a cache that is saved after every job:\n"
            "  export STORYBOARD_STATE=/path/to/that/folder",
        )


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A limit on spending, and the sum that the run would bring it to."""

    name: str
    limit: Decimal
    would_be: Decimal
    already: Decimal
    """Credits that count before this run."""


def spend_limits(
    session: Session, plan: Plan, history: History, last_day: Decimal, run: str = ""
) -> Iterator[SpendLimit]:
    """Every limit of this run, in quoted or billed credits, whichever are higher; `run` is the id of a run at work."""
    ordered = plan.totals.credits or Decimal(0)
    if (limit := session.settings.max_credits) is not None:
        spent = credits_of_run(history, run)
        yield SpendLimit("--max-credits", limit, spent + ordered, spent)
    if (saved := session.saved_plan) is not None:
        attempts = history.attempts.values()
        spent = counted_credits(attempt for attempt in attempts if attempt.intent.saved_plan == saved.id)
        yield SpendLimit("the saved plan", saved.ceiling, spent + ordered, spent)
    for path, budget in storyboard_budgets(session.planner, plan, history).items():
        already = committed_credits(history, budget)
        new = totals([step for step in plan.steps if step.shot.storyboard == path], shots=0).credits or Decimal(0)
        yield SpendLimit(f"the budget in {path}", budget.credits, already + new, already)
    if (limit := session.settings.credits_per_day) is not None:
        yield SpendLimit("budget.credits_per_day", limit, last_day + ordered, last_day)


def credits_of_run(history: History, run: str) -> Decimal:
    """Credits of what a run ordered so far: made, running, unsettled."""
    return counted_credits(attempt for attempt in history.attempts.values() if run and attempt.intent.run == run)


def committed_credits(history: History, budget: Budget) -> Decimal:
    """Credits of the attempts that count in a storyboard's budget: made, running, unsettled."""
    attempts = (
        attempt
        for fingerprint in budget.fingerprints
        for attempt in history.attempts_of(fingerprint)
        if history.is_own_or_named(attempt)
    )
    return counted_credits(attempts)


def storyboard_budgets(planner: BatchPlanner, plan: Plan, history: History) -> dict[str, Budget]:
    """Each storyboard's budget in credits, with the fingerprints that count in it."""
    budgets = {}
    fingerprints_by_path = fingerprints_in_budget(planner, plan, history)
    for storyboard in plan.batch.storyboards:
        if (credits := _budget_credits(planner.settings, storyboard)) is not None:
            fingerprints = fingerprints_by_path[storyboard.path]
            imported = [
                attempt
                for fingerprint in fingerprints
                for attempt in history.attempts_of(fingerprint)
                if attempt.from_manifest
            ]
            budgets[storyboard.path] = Budget(credits, fingerprints, counted_credits(imported))
    return budgets


def _budget_credits(settings: Settings, storyboard: Storyboard) -> Decimal | None:
    budgets = [storyboard.budget_credits]
    if storyboard.budget_usd is not None:
        budgets.append(storyboard.budget_usd / settings.usd_per_credit)
    return min((credits for credits in budgets if credits is not None), default=None)


def approve_spending(
    session: Session,
    plan: Plan,
    history: History,
    last_day: Decimal,
    conversation: Conversation,
    *,
    is_consented: bool,
    run: str = "",
    first: Plan | None = None,
) -> Decimal | None:
    """Return the price that the user confirmed, None where no question was needed.

    `is_consented`: the user consented to these orders before, by a plan that this machine's ledger wrote. `run` is the
    id of the run. `first` has those of the plan's orders that are asked for now; the limits hold for the whole plan.

    Raise `CommandError` (exit 4) unless the run may spend its price; a free run, and one that orders nothing, may.
    """
    ordered = plan.totals.credits
    if plan.is_free or not any(step.is_billable for step in plan.steps) or session.settings.max_credits == 0:
        return None
    if ordered is None:
        raise CommandError(ExitCode.DECLINED, question.unknown_price(plan))
    for limit in spend_limits(session, plan, history, last_day, run):
        if limit.would_be > limit.limit:
            remaining = max(limit.limit - limit.already, Decimal(0))
            cheaper = cheaper_alternatives(session, history, remaining)
            raise CommandError(
                ExitCode.DECLINED,
                question.over_limit(
                    plan, limit.name, limit.limit, limit.would_be, cheaper, command_below_limit(session, cheaper) or ""
                ),
            )
    approved_price = None
    if not session.command.spending.yes and not is_consented:
        price = _ask_or_refuse(session, plan, history, conversation, first)
        approved_price = None if price is None else credits_of_run(history, run) + price
    destinations.remember_approval(session.planner, session.repository, history)
    return approved_price


def _ask_or_refuse(
    session: Session, plan: Plan, history: History, conversation: Conversation, first: Plan | None
) -> Decimal | None:
    """Ask the user; without a terminal `--max-credits` is the approval, else raise `CommandError`."""
    targets = destinations.destinations(session.planner, session.repository, history)
    if conversation.can_ask:
        if not conversation.consents(plan, targets, first):
            raise CommandError(ExitCode.DECLINED, question.declined())
        return (first or plan).totals.credits
    if session.saved_plan is not None:
        raise CommandError(
            ExitCode.DECLINED, question.plan_of_another_ledger(session.command_line, session.saved_plan.ceiling)
        )
    if session.command.spending.max_credits is None:
        raise CommandError(ExitCode.DECLINED, question.no_terminal(plan, _line_of_run(session), targets))
    return None


def _line_of_run(session: Session) -> CommandLine:
    """The command line of the run, with all that decides how its orders are asked for."""
    number = session.command.execution.canary
    return session.command_line if number is None else session.command_line.with_flag("--canary", str(number))
