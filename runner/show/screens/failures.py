"""What did not go well in a run: doubt first, then what was refused, failed, is gone, blocked or waits; and why."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from runner.attempts.history import Attempt, AttemptState
from runner.engine.run_events import RunResult, TakeResult
from runner.planning.plan import Plan
from runner.planning.selection import storyboard_slug
from runner.show.screens.advice import advice, field_errors
from runner.show.screens.closing_context import ClosingContext
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text
from runner.show.text.labels import full_name, several_boards, shot_name, take_names
from runner.show.text.layout import commands, labelled
from runner.show.text.style import Style

LABEL = 9
_MOST_NAMED = 10
_MOST_ADVISED = 6


def failures(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> list[str]:
    """The lines of everything that is not simply made, at so many columns; the worst first."""
    plan, lines = outcome.plan, list[str]()
    if outcome.stop_reason is not None:
        for at, line in enumerate(outcome.stop_reason.message.splitlines()):
            lines += labelled("stopped" if at == 0 else "", escape_terminal(line), width, ink, "strong bad", LABEL)
    lines += _unsettled(outcome.unsettled, plan, width, ink, after)
    lines += _doubts(outcome.unsettled_orphans, width, ink)
    for fate in outcome.maybe_charged:
        text = f"{_name(fate, plan)}  the server failed and it was tried again; counted as charged"
        lines += labelled("perhaps", text, width, ink, "bad", LABEL)
    for label, fates, way_out in (
        ("refused", outcome.refused, ""),
        ("failed", outcome.failed, ""),
        ("gone", outcome.gone, "paid, and the provider no longer has the clip"),
    ):
        lines += _grouped(label, fates, way_out, plan, width, ink, after)
    lines += _blocked(outcome, width, ink)
    lines += _waiting(outcome, width, ink, after)
    for attempt in outcome.orphans[:_MOST_NAMED]:
        intent = attempt.intent
        task = escape_terminal(attempt.task_id or "")
        text = f"{escape_terminal(intent.shot)} take {intent.take} of earlier words, {task}: paid or running"
        text += "; the next run brings its clip, no new charge"
        lines += labelled("earlier", text, width, ink, "warn", LABEL)
    return lines + _not_started(outcome, width, ink)


def _name(fate: TakeResult, plan: Plan) -> str:
    take = f" take {fate.step.take}" if fate.step.shot.takes > 1 or fate.step.take > 1 else ""
    return shot_name(fate.step, several_boards(plan)) + take


def _said(fate: TakeResult) -> str:
    """The vendor's words, or ours."""
    said = fate.message or (fate.attempt.message if fate.attempt is not None else "")
    return one_line(said or fate.step.reason, 400)


def _unsettled(fates: Sequence[TakeResult], plan: Plan, width: int, ink: Style, after: ClosingContext) -> list[str]:
    """Each with what happened and when; the way out once, for the first."""
    lines: list[str] = []
    for fate in fates:
        sent = fate.attempt.sent_at or fate.attempt.intended_at if fate.attempt is not None else None
        time = f" ({sent.astimezone(after.zone):%H:%M:%S})" if sent is not None else ""
        text = f"{_name(fate, plan)}  {_said(fate)}{time}; nobody knows the outcome"
        lines += labelled("unsettled", text, width, ink, "strong bad", LABEL)
    if not fates:
        return []
    one = "it" if len(fates) == 1 else "each"
    margin, shot = " " * (LABEL + 4), full_name(fates[0].step)
    ways = (
        (f"storyboard settle {shot} --task task_…", "it is there: take it, no new charge"),
        (f"storyboard settle {shot} --not-charged", "it is not: the next run makes it"),
    )
    lead = f"{margin}look for {one} on the vendor's page, then one of"
    return [*lines, lead, *commands(ways, width, ink, margin + "  ")]


def _doubts(attempts: Sequence[Attempt], width: int, ink: Style) -> list[str]:
    """Of takes that nobody asks for now: each with the way out, since no row of the plan names it."""
    lines: list[str] = []
    for attempt in attempts[:_MOST_NAMED]:
        intent = attempt.intent
        name = escape_terminal(f"{storyboard_slug(intent.storyboard)}:{intent.shot}#{intent.take}")
        text = f"{name} of earlier words, {credits_text(attempt.credits)} credits; nobody knows the outcome"
        text += f": storyboard settle {name}"
        lines += labelled("unsettled", text, width, ink, "strong bad", LABEL)
    return lines


def _grouped(
    label: str, fates: Sequence[TakeResult], way_out: str, plan: Plan, width: int, ink: Style, after: ClosingContext
) -> list[str]:
    """Takes that ended alike, by the words that they ended with: what many share is said once."""
    by_words: dict[str, list[TakeResult]] = {}
    for fate in fates:
        by_words.setdefault(_said(fate), []).append(fate)
    lines: list[str] = []
    for said, alike in by_words.items():
        for (told, *about), found in _advised(alike, way_out, plan, after).items():
            place = found[0].step.shot.place
            where = f" ({escape_terminal(place.file)}:{place.line})" if len(found) == 1 and place.file else ""
            quoted = f'"{said}"' if said else "no word about why"
            text = f"{'  '.join(named(found, plan))}{where}  {quoted}; {told}"
            lines += labelled(label, text, width, ink, "bad", LABEL)
            lines += [line for each in about for line in labelled("", each, width, ink, "plain", LABEL)]
    return lines


def _advised(
    fates: Sequence[TakeResult], way_out: str, plan: Plan, after: ClosingContext
) -> dict[tuple[str, ...], list[TakeResult]]:
    """The same words by what to do about them: fields and materials are named, unless that would be a long list."""
    found: dict[tuple[str, ...], list[TakeResult]] = {}
    for fate in fates:
        about = field_errors(fate.attempt, fate.step.shot, plan.edition, after.places)
        found.setdefault((way_out or advice(fate.attempt, fate.step.shot, after.places), *about), []).append(fate)
        if len(found) > _MOST_ADVISED:
            return {(way_out or advice(fate.attempt),): list(fates)}
    return found


def _blocked(outcome: RunResult, width: int, ink: Style) -> list[str]:
    by_cause: dict[str, list[TakeResult]] = {}
    for fate in outcome.blocked:
        by_cause.setdefault(_said(fate), []).append(fate)
    lines: list[str] = []
    for cause, found in by_cause.items():
        lines += labelled("blocked", f"{'  '.join(named(found, outcome.plan))}  {cause}", width, ink, "bad", LABEL)
    return lines


def _waiting(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> list[str]:
    picks = [fate for fate in outcome.waiting if fate.step.needs_pick]
    running = [fate for fate in outcome.waiting if _runs(fate)]
    others = [fate for fate in outcome.waiting if fate not in picks and fate not in running]
    lines: list[str] = []
    if picks:
        roots = dict.fromkeys(escape_terminal(root) for fate in picks for root in fate.step.blockers)
        price = f"   {credits_text(quoted(picks))} credits" if not outcome.plan.is_free else ""
        text = f"{'  '.join(named(picks, outcome.plan))}  pick a take of {' '.join(roots)}{price}"
        lines += labelled("waiting", text, width, ink, "warn", LABEL)
    if running:
        text = f"{'  '.join(named(running, outcome.plan))}  at the provider; the next run collects it, no new charge"
        lines += labelled("running", text, width, ink, "warn", LABEL)
    for fate in others[:_MOST_NAMED]:
        lines += labelled("waiting", f"{_name(fate, outcome.plan)}  {_said(fate)}", width, ink, "warn", LABEL)
    return lines


def _runs(fate: TakeResult) -> bool:
    return fate.attempt is not None and fate.attempt.state is AttemptState.RUNNING


def _not_started(outcome: RunResult, width: int, ink: Style) -> list[str]:
    if not outcome.not_started:
        return []
    price = "" if outcome.plan.is_free else f", {credits_text(quoted(outcome.not_started))} credits"
    text = f"{count(len(outcome.not_started), 'take')}{price}: {'  '.join(named(outcome.not_started, outcome.plan))}"
    return labelled("not begun", text, width, ink, "warn", LABEL)


def quoted(fates: Iterable[TakeResult]) -> Decimal:
    """The credits of some takes, by quote; an unknown price counts as nothing."""
    return sum((fate.step.price.credits or Decimal(0) for fate in fates), Decimal(0))


def named(fates: Sequence[TakeResult], plan: Plan) -> list[str]:
    """Some takes by name; a long list is cut."""
    names = take_names([fate.step for fate in fates], several_boards(plan))
    return names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"and {len(names) - _MOST_NAMED} more"]
