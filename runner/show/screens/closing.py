"""The last screen of a run: new clips, their cost, unsettled and failed takes, and the next commands."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import clips_folder
from runner.attempts.sums import CreditSums, sum_credits
from runner.diagnostics.problem import ExitCode
from runner.engine.run_events import RunResult, TakeResult
from runner.planning.plan import Action
from runner.show.screens.closing_context import ClosingContext
from runner.show.screens.failures import failures, take_list
from runner.show.screens.film_lines import film_lines
from runner.show.screens.money_rows import money_rows, sums_text
from runner.show.screens.take_marks import awaits_choice
from runner.show.text.cells import left
from runner.show.text.cells import width as cells
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count, credits_text, dollars, lasting, length
from runner.show.text.labels import clip_path, title
from runner.show.text.layout import LABEL, WIDE, commands, labelled, wrapped
from runner.show.text.style import Style

# New clips whose paths are listed; beyond, their folders say as much in a line.
_MOST_PATHS = 12

# By what became of the run: exit 3 is also an unreachable host, and `invalid input` would blame a good file.
_ENDINGS = {
    ExitCode.INVALID: "the run could not go on",
    ExitCode.DECLINED: "no further task was created",
    ExitCode.KEY: "the key was refused",
    ExitCode.LOCKED: "another run holds this output",
    ExitCode.WAITING: "some takes wait; run again to go on",
    ExitCode.INTERRUPTED: "interrupted; run again to go on",
}


def closing(outcome: RunResult, width: int, color: bool, context: ClosingContext) -> str:
    """The closing screen, `width` columns wide; empty if `context.quiet` is set and nothing went wrong."""
    style, width = Style(color), min(width, WIDE)
    if context.quiet:
        lines = [_headline(outcome, width, style, context), *failures(outcome, width, style, context)]
        return "" if outcome.exit_code is ExitCode.OK else "\n".join(lines) + "\n"
    # As a reader asks: what came, where to look at it, what it cost, what is wrong, what to type.
    blocks = [
        [_headline(outcome, width, style, context)],
        film_lines(context.films, width, style, LABEL),
        [*_money(outcome, width, style, context), *_open_bills(outcome, width)],
        _clips(outcome, width, style, context),
        failures(outcome, width, style, context),
        _film(outcome, width, style, context),
        _next(outcome, width, style, context),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _headline(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> str:
    finished = len(outcome.finished)
    facts = f"{count(finished, 'clip')} made in {lasting(context.seconds)}" if finished else "no new clip"
    code = outcome.exit_code
    end = "" if code is ExitCode.OK else f"exit {int(code)}: {_ending(outcome, code)}"
    name = title(outcome.plan)
    room = width - cells(name) - 3 - cells(facts) - cells(end)
    line = f"{style(name, 'strong')}   {style(facts, 'good' if finished else 'plain')}"
    if not end:
        return line
    styled = style(end, "warn" if code in (ExitCode.WAITING, ExitCode.INTERRUPTED) else "strong bad")
    return f"{line}{' ' * room}{styled}" if room >= 3 else f"{line}\n{styled}"


def _ending(outcome: RunResult, code: ExitCode) -> str:
    if code is ExitCode.UNSETTLED:
        number = len(outcome.unsettled) + len(outcome.unsettled_orphans)
        return f"{'one is' if number == 1 else f'{number} are'} unsettled"
    if code is ExitCode.FAILED:
        return _failed_ending(outcome)
    return _ENDINGS.get(code, "")


def _failed_ending(outcome: RunResult) -> str:
    """The takes that keep the film incomplete: `one take is refused`, `2 takes failed`, `1 refused, 3 blocked`."""
    groups = [
        (number, word)
        for number, word in (
            (len(outcome.failed), "failed"),
            (len(outcome.refused), "refused"),
            (len(outcome.doubtful), "doubtful"),
            (len(outcome.gone), "gone"),
            (len(outcome.blocked), "blocked"),
        )
        if number
    ]
    if len(groups) != 1:
        return ", ".join(f"{number} {word}" for number, word in groups)
    ((number, word),) = groups
    verb = "" if word == "failed" else "is " if number == 1 else "are "
    return f"{'one take' if number == 1 else f'{number} takes'} {verb}{word}"


# -- money ------------------------------------------------------------------------------------------------


def _money(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> list[str]:
    plan = outcome.plan
    attempts = _attempts(outcome.finished)
    # The sandbox bills nothing: its quotes are what the paid provider would ask.
    if plan.is_free:
        credits = sum((attempt.intent.quoted for attempt in attempts), Decimal(0))
        if not credits:
            return []
        usd = dollars(plan.usd(credits))
        text = f"free; on {escape_terminal(context.paid_provider)} {credits_text(credits)} credits, {usd}"
        return ["  " + style(text, "strong good")]
    sums = _sums(outcome, context)
    rows = []
    if attempts or sums.billed:
        rows.append(("billed", sums.billed, _bill_note(outcome, context)))
    if sums.in_flight:
        rows.append(("in flight", sums.in_flight, ""))
    if sums.unsettled:
        rows.append(("unsettled", sums.unsettled, ", ".join(take_list(outcome.unsettled, plan))))
    if sums.maybe_charged:
        rows.append(("maybe charged", sums.maybe_charged, ", ".join(take_list(outcome.maybe_charged, plan))))
    if outcome.refused:
        rows.append(("refused", Decimal(0), f"{', '.join(take_list(outcome.refused, plan))}, free"))
    lines = money_rows(rows, plan, width, style)
    # Only where other runs have spent as well, or it would repeat the rows above.
    if outcome.sums not in (sums, CreditSums()):
        lines += labelled("all runs", sums_text(outcome.sums), width, style, "plain", LABEL)
    return lines


def _open_bills(outcome: RunResult, width: int) -> list[str]:
    """The bills that may still grow: `bill not final: SH010 (175 so far, 525 expected)`."""
    if not outcome.open_bills:
        return []
    bills = [
        f"{escape_terminal(attempt.intent.shot)}{f'#{attempt.intent.take}' if attempt.intent.take > 1 else ''} "
        f"({credits_text(attempt.billed)} so far, {credits_text(attempt.intent.quoted)} expected)"
        for attempt in outcome.open_bills
    ]
    return wrapped(f"bill not final: {', '.join(bills)}; the next run or fetch reads it again", width)


def _attempts(results: Iterable[TakeResult]) -> list[Attempt]:
    """The attempts of these takes without duplicates: takes that share a request share its bill."""
    return list({result.attempt.id: result.attempt for result in results if result.attempt is not None}.values())


def _sums_of_earlier_runs(outcome: RunResult, context: ClosingContext) -> CreditSums:
    """Credits of attempts that an earlier run ordered, and that decide takes of this one."""
    results = (outcome.finished, outcome.doubtful, outcome.unsettled, outcome.waiting, outcome.maybe_charged)
    attempts = _attempts(result for group in results for result in group)
    return sum_credits(attempt for attempt in attempts if context.run and attempt.intent.run != context.run)


def _sums(outcome: RunResult, context: ClosingContext) -> CreditSums:
    """Credits of this run's orders, and of the orders of earlier runs that it went on with."""
    return outcome.money.ordered.plus(_sums_of_earlier_runs(outcome, context))


def _bill_note(outcome: RunResult, context: ClosingContext) -> str:
    """The bill compared with the quote of the same attempts, and the part that earlier runs ordered."""
    attempts = _attempts((*outcome.finished, *outcome.doubtful))
    if not attempts:
        return ""
    billed = sum((attempt.billed for attempt in attempts), Decimal(0))
    quote = sum((attempt.intent.quoted for attempt in attempts), Decimal(0))
    note = "as quoted"
    if billed != quote:
        more = "more" if billed > quote else "less"
        note = f"quoted {credits_text(quote)}: {credits_text(abs(billed - quote))} {more}"
    if unread := [attempt for attempt in attempts if attempt.credits_used is None]:
        note += f"; {count(len(unread), 'clip')} without a bill that can be read, at its quote"
    if earlier_bill := _sums_of_earlier_runs(outcome, context).billed:
        part = "all" if earlier_bill == _sums(outcome, context).billed else credits_text(earlier_bill)
        note += f"; {part} of it by an earlier run"
    return note


# -- clips ------------------------------------------------------------------------------------------------


def _clips(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> list[str]:
    """The paths of the new clips; their folders when there are many."""
    paths = [
        clip_path(result.attempt, result.step, context.prefix)
        for result in outcome.finished
        if result.attempt and result.attempt.clip
    ]
    if not paths:
        return []
    if len(paths) > _MOST_PATHS:
        folders = dict.fromkeys(map(clips_folder, paths))
        text = f"{len(paths)} new clips in {', '.join(folders)}"
        return labelled("clips", text, width, style, "good", LABEL)
    first, *rest = paths
    return [f"  {style(left('clips', LABEL), 'good')}  {first}", *(f"  {' ' * LABEL}  {path}" for path in rest)]


# -- the film, and the next commands ----------------------------------------------------------------------


def _film(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> list[str]:
    """The share of the film that is made, as `status` counts it, and the manifests to commit."""
    plan = context.whole_plan or outcome.plan
    made_now = {result.step.key for result in outcome.finished}
    finished = {
        step.key[:2]
        for step in plan.steps
        # As `status` counts: a retake is no shot of its own, and a clip on another machine is made.
        if not step.is_retake
        and (step.action is Action.KEEP or step.key in made_now or step.key in context.missing_clips)
    }
    wanted = [shot for shot in plan.batch.shots if not shot.skip]
    film = length(sum(plan.film_so_far(storyboard, finished) for storyboard in plan.batch.storyboards))
    facts = f"{sum(shot.key in finished for shot in wanted)} of {count(len(wanted), 'shot')}, {film}"
    lines = labelled("film", facts, width, style, "plain", LABEL)
    for path, billed in context.to_commit:
        worth = f" (worth {credits_text(billed)} credits)" if billed else ""
        lines += labelled("commit", f"{escape_terminal(path)}{worth}", width, style, "plain", LABEL)
    return lines


def _next(outcome: RunResult, width: int, style: Style, context: ClosingContext) -> list[str]:
    suggestions = [] if context.more_follows else list(_next_commands(outcome, context))
    if not suggestions:
        return []
    margin = " " * (LABEL + 4)
    first, *rest = commands(suggestions, width, style, margin)
    return [f"  {left('next', LABEL)}  {first[len(margin) :]}", *rest]


def _next_commands(outcome: RunResult, context: ClosingContext) -> Iterable[tuple[str, str]]:
    """The commands to type next, each with its effect."""
    line = context.command_line
    unfinished = outcome.exit_code is not ExitCode.OK
    if outcome.slots_held_until is not None:
        yield line.settle(), _slots_note(outcome.slots_held_until, context)
    elif outcome.unsettled or outcome.unsettled_orphans:
        yield line.settle(), "lists the unsettled attempts"
    made_now = {result.step.key for result in outcome.finished}
    # A run that is whole leads to the page as well, where a shot has several clips to choose from.
    is_chosen_next = not unfinished and awaits_choice(context.whole_plan or outcome.plan, made_now)
    if is_chosen_next or any(result.step.needs_pick for result in outcome.waiting):
        yield line.to_look(context.look_provider).dailies("--serve"), "look, pick with 1 2 3"
    if unfinished and not _waits_for_user_alone(outcome):
        yield from _ways_on(outcome, line, context.resumable)
        return
    if (rest := _rest_note(outcome, context)) is not None:
        # Never with `--retake` or `--again`: typed once more they order once more.
        yield line.without_extra_orders().without_selection().run(), rest
    if outcome.plan.is_free:
        paid = line.with_inputs_of_all_commands("--select", "--exclude").with_flag("--provider", context.paid_provider)
        yield paid.plan(), "the real price; needs no key"
        # A local file may have no way to the paid provider, and a next command is one that passes.
        if all(shot.private is None for shot in outcome.plan.shots):
            yield paid.run(), "the real clips; asks first"
    else:
        yield line.with_inputs_of_all_commands("--provider").status(), "what is made, and what it cost"


def _waits_for_user_alone(outcome: RunResult) -> bool:
    """Whether only the user can go on: clips are doubtful, and another run would change nothing."""
    others = (outcome.failed, outcome.refused, outcome.unsettled, outcome.gone, outcome.waiting, outcome.not_started)
    ended_early = outcome.stop_reason is not None or outcome.interrupted
    return bool(outcome.doubtful) and not any(others) and not outcome.orphans and not ended_early


def _slots_note(until: datetime, context: ClosingContext) -> str:
    """The reason why nothing can go on before `settle`, and the moment until which that holds."""
    return f"unsettled attempts hold all slots; without it, the first is free at {until.astimezone(context.zone):%H:%M}"


def _rest_note(outcome: RunResult, context: ClosingContext) -> str | None:
    """The price of the shots outside the selection; None when there is nothing to order, or it cannot be ordered."""
    whole = context.whole_plan
    billable = [step for step in whole.steps if step.is_billable] if whole is not None else []
    if whole is None or not billable or (not whole.is_free and any(step.shot.private is not None for step in billable)):
        return None
    credits = whole.totals.credits
    return "the rest" if whole.is_free or credits is None else f"the rest, {credits_text(credits)} credits"


def _ways_on(outcome: RunResult, line: CommandLine, resumable: bool) -> Iterable[tuple[str, str]]:
    """The commands after a run that did not finish: none repeats what failed, and none buys without a question."""
    if outcome.stop_reason is not None and outcome.stop_reason.code is ExitCode.KEY:
        yield line.doctor(), "checks the key"
    elif outcome.stop_reason is not None and outcome.stop_reason.code is ExitCode.INVALID:
        yield line.doctor(), "checks this machine, and its way to the provider"
    elif outcome.stop_reason is not None:
        yield line.plan(), "what is still open, and its price"
    # `settle` stands above: nothing else goes on before a slot is free.
    elif outcome.slots_held_until is not None:
        return
    elif _run_goes_on(outcome) and resumable:
        yield (
            line.run(),
            "goes on" if outcome.plan.is_free else "goes on; pays for nothing twice",
        )
    # Beside unsettled takes `settle` comes first: a plan would only repeat that they are.
    elif not (outcome.unsettled or outcome.unsettled_orphans):
        is_blocked = outcome.blocked and not (outcome.failed or outcome.refused or outcome.gone)
        note = "what blocks it, and the ways on" if is_blocked else "what another run would do, and its price"
        yield line.plan(), note


def _run_goes_on(outcome: RunResult) -> bool:
    """Whether the same command does more than to repeat what failed."""
    return bool(outcome.interrupted or outcome.not_started or outcome.waiting or outcome.orphans)
