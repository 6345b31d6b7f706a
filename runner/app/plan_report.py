"""What a plan is told with: history so far, warnings of the plan itself, cheaper ways, how long it may take."""

import argparse
import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from runner.app.destinations import goes
from runner.app.session import Opened, typed
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.diagnostics.problem import Place, Problem
from runner.language import compiler as language
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import replace
from runner.planning import alternatives
from runner.planning.plan import Plan
from runner.planning.selection import Name, board_name
from runner.requests.request import LocalFile
from runner.show.screens.plan import Around
from runner.show.screens.plan import Way as Cheaper
from runner.show.text.layout import from_manifests

if TYPE_CHECKING:
    from runner.store.ledger.ledger import Ledger

_OFF_BY_A_TENTH = Decimal("0.1")


def history_now(desk: Opened) -> History:
    """What ledger and manifests know, read without writing."""
    ledger = _ledger(desk)
    if ledger is None:
        return desk.recall(History())
    try:
        return desk.recall(ledger.history(desk.settings.account, *desk.names(ledger)))
    finally:
        ledger.close()


def spent_today(desk: Opened) -> Decimal:
    """Credits of the account over the last 24 hours, read without writing."""
    ledger = _ledger(desk)
    if ledger is None:
        return Decimal(0)
    try:
        return ledger.spent_last_24h(desk.settings.account)
    finally:
        ledger.close()


def _ledger(desk: Opened) -> "Ledger | None":
    """This machine's ledger; None where there is none yet."""
    state = desk.settings.state
    if not state.is_dir():
        return None
    # Not before it is needed: the ledger brings SQLite along.
    from runner.store.ledger.database import NAME
    from runner.store.ledger.ledger import Ledger

    return Ledger(state, SystemClock()) if (state / NAME).exists() else None


def warnings(desk: Opened, plan: Plan) -> list[Problem]:
    """The storyboards' warnings, then the plan's own."""
    found = list(desk.problems.warnings)
    for board in plan.batch.storyboards:
        found += _length(board)
    if not plan.play:
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
    lost = unreachable(plan)
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


def unreachable(plan: Plan) -> list[tuple[Shot, str]]:
    """Shots to order with the first of their materials that has no public address."""
    ordered = dict.fromkeys(step.shot for step in plan.steps if step.orders or step.later)
    return [
        (shot, material.path if isinstance(material, LocalFile) else str(material))
        for shot in ordered
        if (material := shot.private) is not None
    ]


def again(desk: Opened, *, anew: bool = True) -> str:
    """The command line that goes on with this very command; `anew`: it may make again what was refused or is gone."""
    words = [typed(desk.args, desk.files)]
    for name in ("retake", "again") if anew else ("retake",):
        words += [f"--{name} {shlex.quote(value)}" for value in getattr(desk.args, name, ())]
    words += ["--first-take"] if getattr(desk.args, "first_take", False) else []
    return " ".join(words)


def around(desk: Opened, plan: Plan, history: History) -> Around:
    """Everything that the plan's screen says beside the plan."""
    lost = not plan.play and bool(unreachable(plan))
    return Around(
        typed=again(desk),
        warnings=warnings(desk, plan),
        cheaper=tuple(Cheaper(way.words, way.credits) for way in ways(desk, history, None)) if not plan.play else (),
        leaving=_leaving(plan),
        goes=goes(desk, history),
        elsewhere=from_manifests(plan, history),
        about=seconds_to_go(plan, desk.settings.concurrency),
        at_once=desk.settings.concurrency,
        spent=spent(history),
        instead=_instead(desk, history, plan) if lost else None,
    )


def _instead(desk: Opened, history: History, plan: Plan) -> tuple[str, str]:
    """What passes where some shots cannot be sent: the others, else free animatics of all."""
    if (line := passing(desk, history, plan)) is not None:
        return line, f"without the {len(unreachable(plan))} that send what lies here"
    free = argparse.Namespace(**{**vars(desk.args), "provider": "sandbox"})
    return f"storyboard run {typed(free, desk.files)}", "free animatics of all"


def passing(desk: Opened, history: History, plan: Plan) -> str | None:
    """The `storyboard run …` of the shots that a paid provider can be sent, with its ceiling; None when none can."""
    if getattr(desk.args, "retake", ()) or getattr(desk.args, "again", ()):
        return None
    lost = {(shot.storyboard, shot.id) for shot, _ in unreachable(plan)}
    kept = frozenset((shot.storyboard, shot.id) for shot in plan.shots) - lost
    rest = desk.plan(history, selected=kept, asked=desk.asked(history))
    ordered = {step.key[:2] for step in rest.steps if step.orders}
    if not ordered or unreachable(rest):
        return None
    flags = [f"--exclude {shlex.quote(_selector(desk, lost))}"]
    if not getattr(desk.args, "select", ()):
        flags.append(f"--select {shlex.quote(_selector(desk, ordered))}")
    credits = rest.totals.credits
    ceiling = "" if credits is None else f" --max-credits {credits.to_integral_value(ROUND_CEILING):f}"
    return f"storyboard run {again(desk)} {min(flags, key=len)}{ceiling}"


def _selector(desk: Opened, names: Collection[Name]) -> str:
    """Some shots as `--select` takes them, in the files' order; with their storyboard where another has that id."""
    ids = Counter(shot.id for shot in desk.batch.shots)
    found = [shot for shot in desk.batch.shots if (shot.storyboard, shot.id) in names]
    return " ".join(shot.id if ids[shot.id] == 1 else f"{board_name(shot.storyboard)}:{shot.id}" for shot in found)


def _leaving(plan: Plan) -> tuple[LocalFile, ...]:
    """The local files that a paid run would send for the takes to order, each content once."""
    if plan.play:
        return ()
    ordered = [step for step in plan.steps if step.orders or step.later]
    files = {
        material.sha256: material
        for step in ordered
        for material in step.shot.request.materials
        if isinstance(material, LocalFile)
    }
    return tuple(files.values())


def ways(desk: Opened, history: History, limit: Decimal | None) -> tuple[alternatives.Way, ...]:
    """Cheaper ways that would pass, each with its price: none that leaves the selection, or cannot be sent."""

    def price(batch: Batch, selected: frozenset[Name] | None) -> Decimal | None:
        if selected is not None and desk.selected is not None:
            return None  # a second --select widens the first
        plan = desk.plan(history, batch, desk.selected if selected is None else selected)
        as_it_is = batch is desk.batch and selected is None
        return None if not (plan.play or as_it_is) and unreachable(plan) else plan.totals.credits

    names = dict.fromkeys(name for board in desk.batch.storyboards for name in board.profiles)
    profiles = {name: _profiled(desk, name) for name in names if name != desk.settings.profile}
    whole = {name: batch for name, batch in profiles.items() if batch is not None}
    return alternatives.cheaper(desk.batch, desk.edition, price, limit, whole)


def _profiled(desk: Opened, name: str) -> Batch | None:
    options = replace(desk.options, profile=name)
    batch, problems = language.compile(desk.files, desk.settings.root, options)
    return None if problems.errors else batch


def spent(history: History) -> dict[str, Decimal]:
    """Credits that each storyboard's takes have cost so far, or may have."""
    sums: dict[str, Decimal] = {}
    for attempt in history.attempts.values():
        board = attempt.intended.storyboard
        sums[board] = sums.get(board, Decimal(0)) + attempt.credits
    return sums


def seconds_to_go(plan: Plan, at_once: int) -> float | None:
    """About how long a run takes: the work over the slots, or the longest chain."""
    each = 2.0 if plan.play else 150.0
    ordered = [step for step in plan.steps if step.orders or step.action.value == "resume"]
    if not ordered:
        return None
    depth: dict[str, int] = {}
    for step in ordered:
        above = [depth.get(up.fingerprint, 0) for up in step.upstream]
        if step.fingerprint is not None:
            depth[step.fingerprint] = 1 + max(above, default=0)
    longest = max(depth.values(), default=1)
    return each * max(-(-len(ordered) // at_once), longest)
