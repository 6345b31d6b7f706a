"""Takes of a run without a good clip: unsettled ones first, then refused, failed, doubtful, gone, blocked, waiting."""

import os
from collections.abc import Iterable, Sequence
from decimal import Decimal

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import storyboard_slug
from runner.engine.run_events import RunResult, TakeResult
from runner.planning.plan import Plan
from runner.show.screens.advice import advice, field_errors, material_advice
from runner.show.screens.closing_context import ClosingContext
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text
from runner.show.text.labels import full_name, own_clip, several_films, shot_name, take_names
from runner.show.text.layout import LABEL, commands, labelled
from runner.show.text.style import Style

# Takes that a line names: a film that is refused as a whole is one cause.
_MOST_NAMED = 10
# Different advices on one message; beyond, one that names no material stands for all.
_MOST_ADVISED = 6


def failures(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> list[str]:
    """Lines about every take without a new clip, `width` columns wide; the worst first."""
    plan, lines = outcome.plan, list[str]()
    if outcome.stop_reason is not None:
        for index, line in enumerate(outcome.stop_reason.message.splitlines()):
            lines += labelled("stopped" if index == 0 else "", escape_terminal(line), width, style, "strong bad", LABEL)
    lines += _unsettled(outcome.unsettled, plan, width, style, context)
    lines += _unsettled_orphans(outcome.unsettled_orphans, width, style)
    for result in outcome.maybe_charged:
        text = f"{_take_name(result, plan)}  the server failed and the take was sent again; counted as charged"
        lines += labelled("maybe charged", text, width, style, "bad", LABEL)
    lines += _doubtful(outcome.doubtful, plan, width, style, context)
    for label, results, way_out in (
        ("refused", outcome.refused, ""),
        ("failed", outcome.failed, ""),
        ("gone", outcome.gone, "paid, and the provider no longer has the clip"),
    ):
        lines += _grouped(label, results, way_out, plan, width, style, context)
    lines += _blocked(outcome, width, style)
    lines += _waiting(outcome, width, style, context)
    lines += _orphans(outcome.orphans, width, style, context)
    return lines + _not_started(outcome, width, style)


def _take_name(result: TakeResult, plan: Plan) -> str:
    take = f" take {result.step.take}" if result.step.shot.takes > 1 or result.step.take > 1 else ""
    return shot_name(result.step, several_films(plan)) + take


def _message(result: TakeResult) -> str:
    """The provider's message, else the run's own, else the plan's reason."""
    message = result.message or (result.attempt.message if result.attempt is not None else "")
    return one_line(message or result.step.reason.text, 400)


def _unsettled(
    results: Sequence[TakeResult], plan: Plan, width: int, style: Style, context: ClosingContext
) -> list[str]:
    """Unsettled takes: cause and time of each, and the way out once, for the first."""
    lines: list[str] = []
    for result in results:
        sent_at = result.attempt.sent_at or result.attempt.intended_at if result.attempt is not None else None
        time = f" ({sent_at.astimezone(context.zone):%H:%M:%S})" if sent_at is not None else ""
        text = f"{_take_name(result, plan)}  {_message(result)}{time}; nobody knows the outcome"
        lines += labelled("unsettled", text, width, style, "strong bad", LABEL)
    if not results:
        return []
    subject = "it" if len(results) == 1 else "each"
    margin, step = " " * (LABEL + 4), results[0].step
    line, shot = context.command_line.of_film(step.shot.film.profile), full_name(step)
    suggestions = (
        (line.settle_found(shot), "it is there: take it, no new charge"),
        (line.settle_absent(shot), "it is not: the next run makes it"),
    )
    lead = f"{margin}look for {subject} on the vendor's page, then one of"
    return [*lines, lead, *commands(suggestions, width, style, margin + "  ")]


def _doubtful(
    results: Sequence[TakeResult], plan: Plan, width: int, style: Style, context: ClosingContext
) -> list[str]:
    """Doubtful takes: fault and file of each, and the way out once, for the first."""
    lines: list[str] = []
    for result in results:
        clip = own_clip(result.attempt, result.step) if result.attempt is not None else None
        path = f", kept as {escape_terminal(os.path.join(context.prefix, clip.path))}" if clip is not None else ""
        text = f"{_take_name(result, plan)}  {_message(result)}; paid{path}"
        lines += labelled("doubtful", text, width, style, "bad", LABEL)
    if not results:
        return []
    line = context.command_line.to_look(context.look_provider).of_film(results[0].step.shot.film.profile)
    command = line.accept(full_name(results[0].step))
    return [*lines, *commands([(command, "if it is good: take it, no new charge")], width, style, " " * (LABEL + 4))]


def _unsettled_orphans(attempts: Sequence[Attempt], width: int, style: Style) -> list[str]:
    """Unsettled attempts of earlier versions: each with the way out, since no row of the plan names it."""
    lines: list[str] = []
    for attempt in attempts[:_MOST_NAMED]:
        intent = attempt.intent
        name = escape_terminal(f"{storyboard_slug(intent.storyboard)}:{intent.shot}#{intent.take}")
        text = f"{name} of an earlier version, {credits_text(attempt.credits)} credits; nobody knows the outcome"
        text += f": {CommandLine().settle(name)}"
        lines += labelled("unsettled", text, width, style, "strong bad", LABEL)
    return lines + _more(len(attempts), "storyboard settle", width, style)


def _orphans(attempts: Sequence[Attempt], width: int, style: Style, context: ClosingContext) -> list[str]:
    """Attempts of earlier versions whose clips are still to be fetched."""
    lines: list[str] = []
    for attempt in attempts[:_MOST_NAMED]:
        intent = attempt.intent
        task = escape_terminal(attempt.task_id or "")
        text = f"{escape_terminal(intent.shot)} take {intent.take}, {task}: paid or running"
        text += "; the next run fetches its clip, no new charge"
        lines += labelled("earlier version", text, width, style, "warn", LABEL)
    line = context.command_line.with_inputs_of_all_commands("--provider")
    return lines + _more(len(attempts), line.status(), width, style)


def _more(number: int, command: str, width: int, style: Style) -> list[str]:
    """The command that lists all of so many attempts, where not each has a line."""
    if number <= _MOST_NAMED:
        return []
    return commands([(command, f"and {number - _MOST_NAMED:,} more")], width, style, " " * (LABEL + 4))


def _grouped(
    label: str,
    results: Sequence[TakeResult],
    way_out: str,
    plan: Plan,
    width: int,
    style: Style,
    context: ClosingContext,
) -> list[str]:
    """Takes of one outcome grouped by message: a shared message is printed once."""
    by_message: dict[str, list[TakeResult]] = {}
    for result in results:
        by_message.setdefault(_message(result), []).append(result)
    lines: list[str] = []
    for message, same_message in by_message.items():
        for (advice_text, *details), group in _by_advice(same_message, way_out, plan, context).items():
            place = group[0].step.shot.place
            where = f" ({escape_terminal(place.file)}:{place.line})" if len(group) == 1 and place.file else ""
            # Quotation marks are for the provider's words; that a file could not be published is a sentence of ours.
            quotation = f'"{message}"' if message and group[0].material is None else message or "no reason given"
            text = f"{'  '.join(take_list(group, plan))}{where}  {quotation}; {advice_text}"
            lines += labelled(label, text, width, style, "bad", LABEL)
            lines += [line for detail in details for line in labelled("", detail, width, style, "plain", LABEL)]
    return lines


def _by_advice(
    results: Sequence[TakeResult], way_out: str, plan: Plan, context: ClosingContext
) -> dict[tuple[str, ...], list[TakeResult]]:
    """Takes of one message by advice: it names fields and materials, unless that made too many different advices."""
    by_advice: dict[tuple[str, ...], list[TakeResult]] = {}
    for result in results:
        by_advice.setdefault(_advice_of(result, way_out, plan, context), []).append(result)
        if len(by_advice) > _MOST_ADVISED:
            return {(way_out or advice(result.attempt, plan.account.provider),): list(results)}
    return by_advice


def _advice_of(result: TakeResult, way_out: str, plan: Plan, context: ClosingContext) -> tuple[str, ...]:
    """The way out of one take, and its details."""
    shot, locate = result.step.shot, context.locate_field
    if result.material is not None and result.material in shot.request.materials:
        return (material_advice(shot, result.material, locate),)
    details = field_errors(result.attempt, plan.account.provider, shot, plan.edition, locate)
    return (way_out or advice(result.attempt, plan.account.provider, shot, locate), *details)


def _blocked(outcome: RunResult, width: int, style: Style) -> list[str]:
    by_cause: dict[str, list[TakeResult]] = {}
    for result in outcome.blocked:
        by_cause.setdefault(_message(result), []).append(result)
    lines: list[str] = []
    for cause, group in by_cause.items():
        lines += labelled(
            "blocked", f"{'  '.join(take_list(group, outcome.plan))}  {cause}", width, style, "bad", LABEL
        )
    return lines


def _waiting(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> list[str]:
    picks = [result for result in outcome.waiting if result.step.needs_pick]
    running = [result for result in outcome.waiting if _is_running(result)]
    others = [result for result in outcome.waiting if result not in picks and result not in running]
    lines: list[str] = []
    if picks:
        roots = dict.fromkeys(escape_terminal(root) for result in picks for root in result.step.blockers)
        price = f"   {credits_text(quoted_credits(picks))} credits" if not outcome.plan.is_free else ""
        text = f"{'  '.join(take_list(picks, outcome.plan))}  pick a take of {' '.join(roots)}{price}"
        lines += labelled("waiting", text, width, style, "warn", LABEL)
    if running:
        names, pronoun = "  ".join(take_list(running, outcome.plan)), "it" if len(running) == 1 else "them"
        text = f"{names}  at the provider; the next run collects {pronoun}, no new charge"
        lines += labelled("running", text, width, style, "warn", LABEL)
    by_cause: dict[str, list[TakeResult]] = {}
    for result in others:
        by_cause.setdefault(_cause_of_waiting(result, outcome), []).append(result)
    for cause, group in by_cause.items():
        text = f"{'  '.join(take_list(group, outcome.plan))}  {cause}"
        lines += labelled("waiting", text, width, style, "warn", LABEL)
    return lines


def _cause_of_waiting(result: TakeResult, outcome: RunResult) -> str:
    """The cause for which a take without a task waits."""
    # The plan's own reason (`new`) says why the take is made, and not what it waits for.
    if result.attempt is not None or result.message != result.step.reason.text or not result.step.is_billable:
        return _message(result)
    if result.step.waits_for == "shot":
        return f"for {escape_terminal(', '.join(result.step.blockers))}"
    return "for a free slot" + (": unsettled attempts hold all of them" if outcome.slots_held_until is not None else "")


def _is_running(result: TakeResult) -> bool:
    """Whether the next run collects a task; one that waits for another run or key has a message."""
    return result.attempt is not None and result.attempt.state is AttemptState.RUNNING and not result.message


def _not_started(outcome: RunResult, width: int, style: Style) -> list[str]:
    if not outcome.not_started:
        return []
    price = "" if outcome.plan.is_free else f", {credits_text(quoted_credits(outcome.not_started))} credits"
    text = (
        f"{count(len(outcome.not_started), 'take')}{price}: {'  '.join(take_list(outcome.not_started, outcome.plan))}"
    )
    return labelled("not started", text, width, style, "warn", LABEL)


def quoted_credits(results: Iterable[TakeResult]) -> Decimal:
    """Sum of the quoted prices of these takes; an unknown price counts as nothing."""
    return sum((result.step.price.credits or Decimal(0) for result in results), Decimal(0))


def take_list(results: Sequence[TakeResult], plan: Plan) -> list[str]:
    """Names of these takes; a long list is cut."""
    names = take_names([result.step for result in results], several_films(plan))
    return names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"and {len(names) - _MOST_NAMED} more"]
