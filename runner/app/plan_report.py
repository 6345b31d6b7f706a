"""What a plan is told with: history so far, warnings of the plan itself, cheaper ways, how long it may take."""

import argparse
import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from runner.app.destinations import destinations
from runner.app.session import Session, typed
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.diagnostics.problem import Place, Problem
from runner.language import compiler as language
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import replace
from runner.planning import alternatives
from runner.planning.plan import Plan
from runner.planning.selection import ShotKey, storyboard_slug
from runner.requests.request import LocalFile
from runner.show.screens.plan import CheaperCommand as Cheaper
from runner.show.screens.plan import PlanContext
from runner.show.text.layout import from_manifests

if TYPE_CHECKING:
    from runner.store.ledger.ledger import Ledger
    from runner.store.receipts import Receipt

_OFF_BY_A_TENTH = Decimal("0.1")


def read_history(session: Session, everything: bool = False) -> History:
    """What ledger and manifests know of the batch, or of all that this repository ordered; read without writing.

    The ledger stays open for what the history is asked for later.
    """
    ledger = _ledger(session)
    return session.with_manifests(History() if ledger is None else session.ledger_history(ledger, everything))


def unknown_receipts(session: Session) -> "list[Receipt]":
    """Paid tasks that stand in a receipt of the first version alone."""
    ledger = _ledger(session)
    return [] if ledger is None else ledger.unknown_receipts()


def spent_last_24h(session: Session) -> Decimal:
    """Credits of the account over the last 24 hours, read without writing."""
    ledger = _ledger(session)
    if ledger is None:
        return Decimal(0)
    try:
        return ledger.spent_last_24h(session.settings.account)
    finally:
        ledger.close()


def _ledger(session: Session) -> "Ledger | None":
    """This machine's ledger; None where there is none yet."""
    state = session.settings.state
    if not state.is_dir():
        return None
    # Not before it is needed: the ledger brings SQLite along.
    from runner.store.ledger.database import NAME
    from runner.store.ledger.ledger import Ledger

    return Ledger(state, SystemClock()) if (state / NAME).exists() else None


def warnings(session: Session, plan: Plan) -> list[Problem]:
    """The storyboards' warnings, then the plan's own."""
    found = list(session.problems.warnings)
    for board in plan.batch.storyboards:
        found += _length(board)
    if not plan.is_free:
        found += _unpublished(plan)
    return found


def _length(board: Storyboard) -> Iterator[Problem]:
    if board.length is None:
        return
    film = sum(shot.request.seconds for shot in board.shots if not shot.skip)
    if abs(film - board.length) > board.length * _OFF_BY_A_TENTH:
        yield Problem(
            "film-length",
            Place(board.path, 1, 1, "length"),
            f"the shots make {film} s, and the film should have {board.length} s",
            "change `length`, or the shots' `duration`",
            "warning",
        )


def _unpublished(plan: Plan) -> Iterator[Problem]:
    """Local materials of takes to order, which a paid provider cannot reach: one cause, said once."""
    lost = private_materials(plan)
    if not lost:
        return
    shot, name = lost[0]
    more = (
        f" and {len(lost) - 1} more shots send"
        if len(lost) > 2
        else " and one more shot send"
        if len(lost) > 1
        else " sends"
    )
    yield Problem(
        "not-public",
        shot.place,
        f"{shot.id}{more} what lies on this machine ({name}), and {plan.account.provider} takes public addresses only",
        "give materials by https addresses; a paid run of them as they are is exit 3 before anything is spent",
        "warning",
        shots=tuple(shot.id for shot, _ in lost),
    )


def private_materials(plan: Plan) -> list[tuple[Shot, str]]:
    """Shots to order with the first of their materials that has no public address."""
    ordered = dict.fromkeys(step.shot for step in plan.steps if step.is_billable or step.needs_pick)
    return [
        (shot, material.path if isinstance(material, LocalFile) else str(material))
        for shot in ordered
        if (material := shot.private) is not None
    ]


def again(session: Session, *, anew: bool = True) -> str:
    """The command line that goes on with this very command; `anew`: it may make again what was refused or is gone."""
    words = [typed(session.args, session.files)]
    for name in ("retake", "again") if anew else ("retake",):
        words += [f"--{name} {shlex.quote(value)}" for value in getattr(session.args, name, ())]
    words += ["--first-take"] if getattr(session.args, "first_take", False) else []
    return " ".join(words)


def plan_context(session: Session, plan: Plan, history: History) -> PlanContext:
    """Everything that the plan's screen says beside the plan."""
    lost = not plan.is_free and bool(private_materials(plan))
    return PlanContext(
        typed=again(session),
        warnings=warnings(session, plan),
        cheaper=tuple(Cheaper(way.description, way.credits) for way in cheaper_alternatives(session, history, None))
        if not plan.is_free
        else (),
        leaving=outgoing_files(plan),
        goes=destinations(session, history),
        elsewhere=from_manifests(plan, history),
        about=estimate_duration(plan, session.settings.concurrency),
        at_once=session.settings.concurrency,
        spent=spent_by_storyboard(history),
        instead=_instead(session, history, plan) if lost else None,
    )


def _instead(session: Session, history: History, plan: Plan) -> tuple[str, str]:
    """What passes where some shots cannot be sent: the others, else free animatics of all."""
    if (line := passing(session, history, plan)) is not None:
        return line, f"without the {len(private_materials(plan))} that send what lies here"
    free = argparse.Namespace(**{**vars(session.args), "provider": "sandbox"})
    return f"storyboard run {typed(free, session.files)}", "free animatics of all"


def passing(session: Session, history: History, plan: Plan) -> str | None:
    """The `storyboard run …` of the shots that a paid provider can be sent, with its ceiling; None when none can."""
    if getattr(session.args, "retake", ()) or getattr(session.args, "again", ()):
        return None
    lost = {(shot.storyboard, shot.id) for shot, _ in private_materials(plan)}
    kept = frozenset((shot.storyboard, shot.id) for shot in plan.shots) - lost
    rest = session.plan(history, selected=kept, asked=session.overrides(history))
    ordered = {step.key[:2] for step in rest.steps if step.is_billable}
    if not ordered or private_materials(rest):
        return None
    flags = [f"--exclude {shlex.quote(_selector(session, lost))}"]
    if not getattr(session.args, "select", ()):
        flags.append(f"--select {shlex.quote(_selector(session, ordered))}")
    credits = rest.totals.credits
    ceiling = "" if credits is None else f" --max-credits {credits.to_integral_value(ROUND_CEILING):f}"
    return f"storyboard run {again(session)} {min(flags, key=len)}{ceiling}"


def _selector(session: Session, names: Collection[ShotKey]) -> str:
    """Some shots as `--select` takes them, in the files' order; with their storyboard where another has that id."""
    ids = Counter(shot.id for shot in session.batch.shots)
    found = [shot for shot in session.batch.shots if (shot.storyboard, shot.id) in names]
    return " ".join(shot.id if ids[shot.id] == 1 else f"{storyboard_slug(shot.storyboard)}:{shot.id}" for shot in found)


def outgoing_files(plan: Plan) -> tuple[LocalFile, ...]:
    """The local files that a paid run would send for the takes to order, each content once."""
    if plan.is_free:
        return ()
    ordered = [step for step in plan.steps if step.is_billable or step.needs_pick]
    files = {
        material.sha256: material
        for step in ordered
        for material in step.shot.request.materials
        if isinstance(material, LocalFile)
    }
    return tuple(files.values())


def cheaper_alternatives(
    session: Session, history: History, limit: Decimal | None
) -> tuple[alternatives.Alternative, ...]:
    """Cheaper ways that would pass, each with its price: none that leaves the selection, or cannot be sent."""

    def price(batch: Batch, selected: frozenset[ShotKey] | None) -> Decimal | None:
        if selected is not None and session.selected is not None:
            return None  # a second --select widens the first
        plan = session.plan(history, batch, session.selected if selected is None else selected)
        as_it_is = batch is session.batch and selected is None
        return None if not (plan.is_free or as_it_is) and private_materials(plan) else plan.totals.credits

    names = dict.fromkeys(name for board in session.batch.storyboards for name in board.profiles)
    profiles = {name: _compile_profile(session, name) for name in names if name != session.settings.profile}
    whole = {name: batch for name, batch in profiles.items() if batch is not None}
    return alternatives.find_cheaper(session.batch, session.edition, price, limit, whole)


def _compile_profile(session: Session, name: str) -> Batch | None:
    options = replace(session.options, profile=name)
    batch, problems = language.compile(session.files, session.settings.root, options)
    return None if problems.errors else batch


def spent_by_storyboard(history: History) -> dict[str, Decimal]:
    """Credits that each storyboard's takes have cost so far, or may have."""
    sums: dict[str, Decimal] = {}
    for attempt in history.own():
        board = attempt.intent.storyboard
        sums[board] = sums.get(board, Decimal(0)) + attempt.credits
    return sums


def estimate_duration(plan: Plan, at_once: int) -> float | None:
    """About how long a run takes: the work over the slots, or the longest chain."""
    each = 2.0 if plan.is_free else 150.0
    ordered = [step for step in plan.steps if step.is_billable or step.action.value == "resume"]
    if not ordered:
        return None
    depth: dict[str, int] = {}
    for step in ordered:
        above = [depth.get(up.fingerprint, 0) for up in step.upstream]
        if step.fingerprint is not None:
            depth[step.fingerprint] = 1 + max(above, default=0)
    longest = max(depth.values(), default=1)
    return each * max(-(-len(ordered) // at_once), longest)
