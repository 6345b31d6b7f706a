"""The context of a plan's screen: warnings, cheaper alternatives, the commands to type next."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

from runner.animatic.cores import usable_cores
from runner.app.credit_scope import sums_by_storyboard
from runner.app.destinations import destinations
from runner.app.session import Session
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.diagnostics.problem import Place, Problem
from runner.language.model import Batch, Storyboard
from runner.lazy_dataclass import replace
from runner.planning import alternatives
from runner.planning.outgoing import outgoing_materials, sent_contents
from runner.planning.plan import Action, Plan, Step, material_name
from runner.planning.run_time import estimated_seconds
from runner.planning.selection import shot_selector
from runner.requests.decimals import decimal_text
from runner.requests.request import LocalFile
from runner.show.screens.blocked import WaysOn
from runner.show.screens.missing_clips import find_missing_clips
from runner.show.screens.plan import PlanContext
from runner.show.text.layout import from_manifests

_LENGTH_TOLERANCE = Decimal("0.1")


def warnings(session: Session, plan: Plan) -> list[Problem]:
    """The warnings of the storyboards, then those of the plan."""
    problems = list(session.problems.warnings)
    for storyboard in plan.batch.storyboards:
        problems += (problem for problem in _length_warning(storyboard, plan) if problem not in problems)
    return problems


def _length_warning(storyboard: Storyboard, plan: Plan) -> Iterator[Problem]:
    if storyboard.length is None:
        return
    film = plan.film_length(storyboard)
    subject, cause = "the shots are", "the shots' `duration`"
    if storyboard.cut is not None:
        subject, cause = "the shots of the cut are", "the cut"
    if abs(film - storyboard.length) > storyboard.length * _LENGTH_TOLERANCE:
        yield Problem(
            "film-length",
            storyboard.length_place or Place(storyboard.path, 1, 1, "length"),
            f"{subject} {decimal_text(film)} s long together; `length` says {storyboard.length} s",
            f"change `length`, or {cause}",
            "warning",
        )


def command_below_limit(session: Session, choices: Sequence[alternatives.Alternative]) -> str | None:
    """The run of the cheapest alternative that makes the whole film, else of the dearest part; None without one."""
    flags = [alternative for alternative in choices if alternative.command]
    whole_films = [alternative for alternative in flags if alternative.description.startswith("--profile ")]
    best = min(whole_films, key=lambda alternative: alternative.credits, default=next(iter(flags), None))
    if best is None:
        return None
    line = session.command_line
    if best in whole_films and session.command.input.profiles:
        line = line.without_extra_orders().without("--profile")  # one profile only
    return line.run(best.description, f"--max-credits {best.credits.to_integral_value(ROUND_CEILING):f}")


def plan_context(session: Session, plan: Plan, history: History, below: Decimal | None = None) -> PlanContext:
    """The values on the plan's screen beside the plan; with `below`, the alternatives of at most so many credits."""
    cheaper = () if plan.is_free else cheaper_alternatives(session, history, below)
    return PlanContext(
        command_line=session.command_line,
        warnings=warnings(session, plan),
        cheaper=cheaper,
        outgoing=outgoing_materials(plan, session.planner.routes, sent_contents(history)),
        destinations=destinations(session.planner, session.repository, history),
        manifest_note=from_manifests(plan, history),
        expected_seconds=estimated_seconds(plan, session.settings.concurrency, usable_cores()),
        concurrency=session.settings.concurrency,
        sums=sums_by_storyboard(session.planner, history),
        ways_on=ways_on(session, history, plan),
        missing_clips=find_missing_clips(plan.steps, history),
    )


def sandbox_command(session: Session) -> str:
    """The free run of the same storyboards, which needs no public addresses."""
    return session.command_line.without_extra_orders().with_provider("sandbox").run()


def ways_on(session: Session, history: History, plan: Plan) -> WaysOn:
    """The commands that help where takes are blocked: the sandbox, and the selection with its upstream shots."""
    if not any(step.action is Action.BLOCKED for step in plan.steps):
        return WaysOn()
    alone = WaysOn(sandbox_command(session), not_git=not_git(session, plan))
    blocked = {step.shot.key for step in plan.steps if _needs_selection(step, plan)}
    chosen = session.command.selection
    if not blocked or not chosen.select:
        return alone
    selection = " ".join([*chosen.select, _selector(session, _made_from(session, blocked))])
    wider = session.planner.plan(history, selected=session.select([selection], chosen.exclude, history))
    if any(_needs_selection(step, wider) for step in wider.steps):
        return alone  # --exclude leaves out what they are made from
    wider_line = session.command_line.without_extra_orders().with_selection(selection)
    return replace(alone, wider_selection=wider_line.plan(), wider_credits=wider.totals.credits)


def not_git(session: Session, plan: Plan) -> tuple[tuple[str, str], ...]:
    """The reasons for which git cannot serve the materials that have no way, each once by its name."""
    in_git = (session.planner.routes.at_hand.git if session.planner.routes else None) or {}
    files = (item for step in plan.steps for item in step.unpublished if isinstance(item, LocalFile))
    reasons = {material_name(file): in_git.get(file.path) for file in files}
    return tuple((name, reason) for name, reason in reasons.items() if isinstance(reason, str))


def _made_from(session: Session, shots: Collection[ShotKey]) -> set[ShotKey]:
    """The shots that these are made from, directly or not."""
    needs = {shot.key: shot.needs for shot in session.batch.shots}
    above, pending = set[ShotKey](), list(shots)
    while pending:
        film, shot = pending.pop()
        pending += [key for name in needs[film, shot] if (key := (film, name)) not in above]
        above.update((film, name) for name in needs[film, shot])
    return above


def _needs_selection(step: Step, plan: Plan) -> bool:
    """Whether a take is blocked by a shot that is not selected."""
    chosen = plan.selected or frozenset()
    return step.action is Action.BLOCKED and any((step.shot.film, name) not in chosen for name in step.blockers)


def _selector(session: Session, names: Collection[ShotKey]) -> str:
    """Shots as an expression of `--select`, in file order; with the storyboard where an id is not unique."""
    ids = Counter(shot.id for shot in session.batch.shots)
    shots = [shot for shot in session.batch.shots if shot.key in names]
    return " ".join(shot_selector(shot.key, with_storyboard=ids[shot.id] > 1) for shot in shots)


def cheaper_alternatives(
    session: Session, history: History, limit: Decimal | None
) -> tuple[alternatives.Alternative, ...]:
    """Cheaper alternatives below the limit, inside the selection; each with its price. A saved plan has none."""
    if session.saved_plan is not None:
        return ()

    def price(batch: Batch, selected: frozenset[ShotKey] | None) -> Decimal | None:
        if selected is not None and session.selected(history) is not None:
            return None  # a second --select widens the first
        plan = session.planner.plan(history, batch, session.selected(history) if selected is None else selected)
        return plan.totals.credits

    profiles = session.batches_of_other_profiles
    return alternatives.find_cheaper(session.batch, session.edition, price, limit, profiles)
