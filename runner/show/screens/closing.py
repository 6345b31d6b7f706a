"""How a run ended: what was made and where, what it cost, what is in doubt, and what to type next."""

from collections.abc import Iterable
from decimal import Decimal

from runner.attempts.history import Attempt
from runner.diagnostics.problem import ExitCode
from runner.engine.run_events import RunResult, TakeResult
from runner.language.model import Shot
from runner.planning.plan import Action
from runner.show.screens.closing_context import ClosingContext
from runner.show.screens.failures import LABEL, failures, named, quoted
from runner.show.screens.money_rows import money_rows
from runner.show.text.cells import left
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count, credits_text, dollars, lasting, length
from runner.show.text.labels import clip_path, title
from runner.show.text.layout import commands, joined, labelled
from runner.show.text.style import Style

_WIDE = 120
_MOST_PATHS = 12

_ENDINGS = {
    ExitCode.FAILED: "some takes did not come out",
    ExitCode.INVALID: "it could not go on",
    ExitCode.DECLINED: "no further task was created",
    ExitCode.KEY: "the key was refused",
    ExitCode.UNSETTLED: "somebody has to settle what nobody knows",
    ExitCode.LOCKED: "another run holds this output",
    ExitCode.WAITING: "something waits; run again to go on",
    ExitCode.INTERRUPTED: "interrupted; run again to go on",
}


def closing(outcome: RunResult, width: int, color: bool, after: ClosingContext) -> str:
    """The last screen of a run, at so many columns; empty when only trouble is wanted, and there is none."""
    ink, width = Style(color), min(width, _WIDE)
    if after.quiet:
        lines = [_headline(outcome, width, ink, after), *failures(outcome, width, ink, after)]
        return "" if outcome.exit_code is ExitCode.OK else "\n".join(lines) + "\n"
    blocks = [
        [_headline(outcome, width, ink, after)],
        _money(outcome, width, ink, after),
        _clips(outcome, width, ink, after),
        failures(outcome, width, ink, after),
        _film(outcome, width, ink, after),
        _next(outcome, width, ink, after),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _headline(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> str:
    made = len(outcome.finished)
    facts = f"{count(made, 'clip')} made in {lasting(after.took)}" if made else "no new clip"
    code = outcome.exit_code
    end = "" if code is ExitCode.OK else f"exit {int(code)}: {_ending(outcome, code)}"
    name = title(outcome.plan)
    room = width - cells(name) - 3 - cells(facts) - cells(end)
    line = f"{ink(name, 'strong')}   {ink(facts, 'good' if made else 'plain')}"
    if not end:
        return line
    painted = ink(end, "warn" if code in (ExitCode.WAITING, ExitCode.INTERRUPTED) else "strong bad")
    return f"{line}{' ' * room}{painted}" if room >= 3 else f"{line}\n{painted}"


def _ending(outcome: RunResult, code: ExitCode) -> str:
    if code is ExitCode.UNSETTLED:
        number = len(outcome.unsettled) + len(outcome.unsettled_orphans)
        return f"{'one is' if number == 1 else f'{number} are'} unsettled"
    return _ENDINGS.get(code, "")


# -- money ------------------------------------------------------------------------------------------------


def _money(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> list[str]:
    plan, money = outcome.plan, outcome.money
    made = _attempts(outcome.finished)
    if plan.is_free:
        credits = sum((attempt.intent.quoted for attempt in made), Decimal(0))
        if not credits:
            return []
        usd = dollars(plan.usd(credits))
        text = f"free; on {escape_terminal(after.asks)} {credits_text(credits)} credits, {usd}"
        return ["  " + ink(text, "strong good")]
    doubt = [*outcome.unsettled, *outcome.maybe_charged]
    rows = []
    if made or money.billed:
        rows.append(("billed", _billed(outcome, after), _difference(outcome, after)))
    if doubt:
        rows.append(("perhaps", max(money.maybe_charged, quoted(doubt)), ", ".join(named(doubt, plan))))
    if money.running:
        rows.append(("running", money.running, ""))
    if outcome.refused:
        rows.append(("refused", Decimal(0), f"{', '.join(named(outcome.refused, plan))}, free"))
    return money_rows(rows, plan, width, ink)


def _attempts(fates: Iterable[TakeResult]) -> list[Attempt]:
    """The attempts behind some takes, each once: takes that share a request share its bill."""
    return list({fate.attempt.id: fate.attempt for fate in fates if fate.attempt is not None}.values())


def _earlier(outcome: RunResult, after: ClosingContext) -> Decimal:
    """The bill of what this run brought home and an earlier one had ordered."""
    found = (attempt for attempt in _attempts(outcome.finished) if after.run and attempt.intent.run != after.run)
    return sum((attempt.billed for attempt in found), Decimal(0))


def _billed(outcome: RunResult, after: ClosingContext) -> Decimal:
    """What this run's tasks were billed, and those of earlier runs whose clips it made."""
    return outcome.money.billed + _earlier(outcome, after)


def _difference(outcome: RunResult, after: ClosingContext) -> str:
    """The bill beside the quote of the same attempts, and how much of it an earlier run had ordered."""
    made = _attempts(outcome.finished)
    if not made:
        return ""
    billed = sum((attempt.billed for attempt in made), Decimal(0))
    quoted = sum((attempt.intent.quoted for attempt in made), Decimal(0))
    said = "as quoted"
    if billed != quoted:
        more = "more" if billed > quoted else "less"
        said = f"quoted {credits_text(quoted)}: {credits_text(abs(billed - quoted))} {more}"
    if earlier := _earlier(outcome, after):
        part = "all" if earlier == _billed(outcome, after) else credits_text(earlier)
        said += f"; {part} of it by an earlier run"
    return said


# -- clips ------------------------------------------------------------------------------------------------


def _clips(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> list[str]:
    """Where the new clips are: each by its path while they are few, else the folders."""
    paths = [
        clip_path(fate.attempt, fate.step, after.prefix)
        for fate in outcome.finished
        if fate.attempt and fate.attempt.clip
    ]
    if not paths:
        return []
    if len(paths) > _MOST_PATHS:
        places = dict.fromkeys(f"{path.split('/clips/')[0]}/clips" for path in paths)
        text = f"{len(paths)} new ones in {', '.join(places)}"
        return labelled("clips", text, width, ink, "good", LABEL)
    first, *rest = paths
    return [f"  {ink(left('clips', LABEL), 'good')}  {first}", *(f"  {' ' * LABEL}  {path}" for path in rest)]


# -- the film, and what comes next ------------------------------------------------------------------------


def _film(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> list[str]:
    """How much of the film has a clip, and what to commit."""
    plan = after.is_whole or outcome.plan
    made = {step.key[:2] for step in plan.steps if step.action is Action.KEEP}
    made |= {fate.step.key[:2] for fate in outcome.finished}
    wanted = [shot for shot in plan.batch.shots if not shot.skip]
    have: list[Shot] = [shot for shot in wanted if (shot.storyboard, shot.id) in made]
    film = length(sum(shot.request.seconds for shot in have))
    facts = [f"{len(have)} of {count(len(wanted), 'shot')}, {film}"]
    lines = labelled("film", joined(facts, width)[0], width, ink, "plain", LABEL)
    billed = _billed(outcome, after)
    worth = f" (worth {credits_text(billed)} credits)" if billed else ""
    for path in after.to_commit:
        lines += labelled("commit", f"{escape_terminal(path)}{worth}", width, ink, "plain", LABEL)
    return lines


def _next(outcome: RunResult, width: int, ink: Style, after: ClosingContext) -> list[str]:
    found = list(_ways(outcome, after))
    if not found:
        return []
    margin = " " * (LABEL + 4)
    first, *rest = commands(found, width, ink, margin)
    return [f"  {left('next', LABEL)}  {first[len(margin) :]}", *rest]


def _ways(outcome: RunResult, after: ClosingContext) -> Iterable[tuple[str, str]]:
    """What to type next, each with what it does."""
    typed, files = escape_terminal(after.typed), escape_terminal(after.files or after.typed)
    same, chosen = _joined(files, after.provider), _joined(files, after.chosen)
    unfinished = outcome.exit_code is not ExitCode.OK
    if any(fate.step.needs_pick for fate in outcome.waiting):
        yield "storyboard pick SHOT TAKE", "choose the good take"
    if unfinished:
        yield f"storyboard run {typed}".rstrip(), _goes_on(outcome)
        return
    if (rest := _rest(outcome, after)) is not None:
        yield f"storyboard run {escape_terminal(after.everything) or same}".rstrip(), rest
    if outcome.plan.is_free:
        yield f"storyboard plan {chosen} --provider {escape_terminal(after.asks)}", "the real price; needs no key"
        if all(shot.private is None for shot in outcome.plan.shots):
            yield f"storyboard run {chosen} --provider {escape_terminal(after.asks)}", "the real clips; asks first"
    else:
        yield f"storyboard status {same}".rstrip(), "what is made, and what it cost"


def _joined(*words: str) -> str:
    return " ".join(escape_terminal(word) for word in words if word)


def _rest(outcome: RunResult, after: ClosingContext) -> str | None:
    """What a run without the selection would order beside it: its price; None when there is nothing, or none can be."""
    whole = after.is_whole
    found = [step for step in whole.steps if step.is_billable] if whole is not None else []
    if whole is None or not found or (not whole.is_free and any(step.shot.private is not None for step in found)):
        return None
    credits = whole.totals.credits
    return "the rest" if whole.is_free or credits is None else f"the rest, {credits_text(credits)} credits"


def _goes_on(outcome: RunResult) -> str:
    """What the same command would do again."""
    waits = any(not fate.step.needs_pick for fate in outcome.waiting)
    if (
        outcome.interrupted
        or outcome.not_started
        or outcome.failed
        or waits
        or not (outcome.unsettled or outcome.refused)
    ):
        return "goes on" if outcome.plan.is_free else "goes on; pays for nothing twice"
    return "goes on once that is settled" if outcome.unsettled else "goes on once that is changed"
