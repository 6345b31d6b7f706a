"""The screen of `status`: takes and credits by manifest and ledger."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import FilmName, storyboard_slug
from runner.attempts.history import History
from runner.attempts.sums import CreditSums, sum_credits
from runner.language.model import Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.paid_providers import paid_provider_name
from runner.planning.plan import Action, Plan, Step, totals
from runner.show.screens.advice import FieldLocator, advice, field_errors, no_location
from runner.show.screens.film_lines import FilmLine, film_lines
from runner.show.screens.gone_repositories import gone_lines
from runner.show.screens.missing_clips import as_made, find_missing_clips, missing_clip_lines
from runner.show.screens.money_rows import money_rows
from runner.show.screens.plan_table import ACTION_STYLES
from runner.show.screens.take_marks import awaits_choice, mark_rows
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, length, moment
from runner.show.text.labels import clip_path, film_title, full_name, take_names
from runner.show.text.layout import LABEL, WIDE, from_manifests, joined, labelled, right_aligned, wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

# Takes, and shots with marks, that the screen lists: with the sums below they still are one screenful.
_MOST_ROWS = 30


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The content of `status`: the plan has the state of each take, the history its attempt."""

    plan: Plan
    history: History
    now: datetime
    command_line: CommandLine = CommandLine()
    zone: tzinfo | None = None
    paid_provider: str = field(default_factory=paid_provider_name)
    """The paid provider, named in the next command if the clips are free ones."""
    locate_field: FieldLocator = no_location
    """Finds a shot's field in the storyboard, for the provider's messages about single fields."""
    orphans: tuple[Attempt, ...] = ()
    """Attempts of earlier versions and retakes that are unsettled, running or not fetched yet: no take needs them."""
    sums: Mapping[str, CreditSums] = field(default_factory=dict)
    """Credits of everything that was ordered for each storyboard, whatever is selected."""
    budget_used: Mapping[str, Decimal] = field(default_factory=dict)
    """Credits that count in each storyboard's budget: retakes and other profiles included."""

    left_behind: tuple[Attempt, ...] = ()
    """Open attempts of repositories that are gone."""
    root: str = "/"
    """The repository's top folder, from which the others are named."""
    films: Mapping[FilmName, tuple[FilmLine, ...]] = field(default_factory=dict)
    """The cut of each storyboard that has one, and whether it is current."""

    def attempt(self, step: Step) -> Attempt | None:
        """The attempt that determines the state of a take."""
        return self.history.attempts.get(step.attempt) if step.attempt is not None else None

    def expires(self, attempt: Attempt) -> datetime | None:
        """The time when the provider deletes the clip, by its documentation; None for a free clip or none."""
        if not attempt.state.has_result or attempt.ended_at is None or self.plan.is_free:
            return None
        return attempt.ended_at + self.plan.edition.media_life

    def orphans_without_storyboard(self) -> list[Attempt]:
        """Orphans whose storyboard no longer exists."""
        storyboards = {storyboard.path for storyboard in self.plan.batch.storyboards}
        return [attempt for attempt in self.orphans if attempt.intent.storyboard not in storyboards]


def status(report: StatusReport, width: int, color: bool, all_shots: bool = False) -> str:
    """The screen of `storyboard status`; ends with the next commands."""
    style, plan = Style(color), report.plan
    width = min(width, WIDE)
    films = {shot.film for shot in plan.shots}
    storyboards = [storyboard for storyboard in plan.batch.storyboards if storyboard.film in films]
    if not storyboards:
        return "There is no shot to show.\n"
    blocks = [_storyboard(report, storyboard, width, style, all_shots) for storyboard in storyboards]
    if manifest_note := from_manifests(plan, report.history):
        blocks.append(wrapped(manifest_note, width))
    left_behind = gone_lines(report.left_behind, report.root, width, style, report.zone)
    blocks += [_orphans_without_storyboard(report, width, style), left_behind, _next(report, width, style)]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _storyboard(report: StatusReport, storyboard: Storyboard, width: int, style: Style, all_shots: bool) -> list[str]:
    steps = report.plan.steps_for(storyboard)
    # One line below tells of all clips that are not here: no row for each.
    visible = (
        steps if all_shots else as_made(report.plan, find_missing_clips(steps, report.history)).steps_for(storyboard)
    )
    title = style(film_title(report.plan, storyboard), "strong")
    lines = [f"{title}   {escape_terminal(storyboard.path)}   {style(_clips_of(report), 'quiet')}"]
    lines += [f"  {line}" for line in joined(_counts(report.plan, storyboard, visible), width - 2)]
    if marks := mark_rows(report.plan, visible, len(visible) if all_shots else _MOST_ROWS):
        lines += ["", *table((Column(least=14, most=40), Column(least=16)), marks, width, style)]
    if rows := _rows(report, visible, all_shots):
        lines += ["", *table(_COLUMNS, rows, width, style)]
    notes = [*_money(report, storyboard, steps, width, style), *_expiring(report, steps, width, style)]
    notes += _orphans(report, storyboard, width, style)
    notes += film_lines(report.films.get(storyboard.film, ()), width, style, LABEL)
    return [*lines, "", *notes] if notes else lines


def _clips_of(report: StatusReport) -> str:
    return escape_terminal(f"clips of {report.plan.account.provider}")


def _counts(plan: Plan, storyboard: Storyboard, steps: Sequence[Step]) -> Iterable[str]:
    finished = {step.shot.key for step in steps if step.action is Action.KEEP and not step.is_retake}
    shots = [shot for shot in plan.shots if shot.film == storyboard.film and not shot.skip]
    # Of a selection the seconds of its shots alone: a slate between them is no part of it.
    film = plan.film_so_far(storyboard, finished) if plan.selected is None else plan.film_length(storyboard, finished)
    whole = plan.film_length(storyboard, plan.selected)
    yield f"{len(finished)} of {count(len(shots), 'shot')} made, {length(film)} of {length(whole)}"
    counts = Counter(step.action for step in steps)
    yield from (f"{counts[action]} {action}" for action in Action if counts[action])
    if retakes := sum(step.is_retake for step in steps):
        yield count(retakes, "retake")


# -- takes ------------------------------------------------------------------------------------------------

_COLUMNS = (
    Column(least=14, most=40, head="shot"),
    Column("right", head="take"),
    Column(head="state"),
    Column(least=8, most=36, head="task"),
    Column("right", head="credits"),
    Column(head="since"),
    Column(least=16, head="message"),
)


def _rows(report: StatusReport, steps: Sequence[Step], all_shots: bool) -> list[TableRow | str]:
    """A line for each take that is neither simply made nor simply new; for every take with `all_shots`."""
    notable = list(steps) if all_shots else [step for step in steps if _is_notable(step)]
    visible = notable if all_shots else notable[:_MOST_ROWS]
    rows: list[TableRow | str] = [_take(report, step) for step in visible]
    if len(notable) > len(visible):
        rows.append(f"  and {count(len(notable) - len(visible), 'take')} more (--json has them all)")
    return rows


def _is_notable(step: Step) -> bool:
    return step.action.is_problem or step.action is Action.RESUME or (step.action is Action.MAKE and bool(step.attempt))


def _take(report: StatusReport, step: Step) -> TableRow:
    attempt = report.attempt(step)
    style = ACTION_STYLES[step.action]
    message = "; ".join((_reason(step, attempt), *_refusal_advice(report, step, attempt)))
    cells = (
        escape_terminal(step.shot.id),
        str(step.take),
        Cell(step.action.value, style),
        Cell(escape_terminal(attempt.task_id or "–") if attempt is not None else "–", "quiet"),
        _credits(attempt),
        Cell(moment(attempt.intended_at, report.zone) if attempt is not None else "–", "quiet"),
    )
    return row(*cells, Cell(message, style), short="", below=message)


def _reason(step: Step, attempt: Attempt | None) -> str:
    """The reason of a take's state: the path of a made clip, the provider's status of a running task."""
    if step.action is Action.KEEP:
        return (clip_path(attempt, step) if attempt is not None else "") or "made"
    if attempt is not None and attempt.state is AttemptState.RUNNING:
        return one_line(attempt.status, 40) or "running"
    return one_line(step.reason.text, 400)


def _refusal_advice(report: StatusReport, step: Step, attempt: Attempt | None) -> list[str]:
    """Advice on a refused take, and the fields and materials that the provider named."""
    if step.action is not Action.REFUSED:
        return []
    errors = field_errors(attempt, report.plan.account.provider, step.shot, report.plan.edition, report.locate_field)
    return [advice(attempt, report.plan.account.provider, step.shot, report.locate_field), *errors]


def _credits(attempt: Attempt | None) -> str:
    return credits_text(attempt.credits) if attempt is not None and attempt.credits else ""


# -- money ------------------------------------------------------------------------------------------------


def _money(report: StatusReport, storyboard: Storyboard, steps: Sequence[Step], width: int, style: Style) -> list[str]:
    plan = report.plan
    if plan.is_free:
        return []
    sums = report.sums.get(storyboard.path, CreditSums())
    rows = [
        ("billed", sums.billed, _bill_note(report, storyboard, steps, sums)),
        ("in flight", sums.in_flight, ""),
        ("unsettled", sums.unsettled, "counted as charged until settled"),
        ("maybe charged", sums.maybe_charged, "a server error; counted as charged"),
        ("to make", totals(steps, shots=0).credits or Decimal(0), ""),
    ]
    visible = [(label, amount, note) for label, amount, note in rows if amount or label == "billed"]
    lines = money_rows(visible, plan, width, style)
    if storyboard.budget_credits is not None:
        credits = report.budget_used.get(storyboard.path, sum(sums, Decimal(0)))
        text = f"{credits_text(credits)} of {credits_text(storyboard.budget_credits)} credits"
        lines += labelled("budget", text, width, style, "plain", LABEL)
    return lines


def _bill_note(report: StatusReport, storyboard: Storyboard, steps: Sequence[Step], sums: CreditSums) -> str:
    """The part of the bill that the takes above do not show."""
    others = {other.path for other in report.plan.batch.storyboards} - {storyboard.path}
    attempts = {attempt.id: attempt for step in steps if (attempt := report.attempt(step)) is not None}
    own = (attempt for attempt in attempts.values() if report.history.is_own_or_named(attempt))
    visible = sum_credits(attempt for attempt in own if attempt.intent.storyboard not in others).billed
    if visible == sums.billed:
        return ""
    other = "shots that are not selected, " if report.plan.selected is not None else ""
    return f"{credits_text(sums.billed - visible)} of it for {other}earlier versions, retakes and other profiles"


def _expiring(report: StatusReport, steps: Sequence[Step], width: int, style: Style) -> list[str]:
    """Paid clips that are not on this disk, with the time when the provider deletes the first of them."""
    missing = [step for step in steps if step.action is Action.RESUME and _paid(report.attempt(step))]
    days = [expires for step in missing if (attempt := report.attempt(step)) and (expires := report.expires(attempt))]
    if not days:
        return []
    # The first few and the day: `fetch`, below, brings all of them.
    names = "  ".join(take_names(missing)[:8]) + (" …" if len(missing) > 8 else "")
    text = f"{names}  paid and not on this disk; the provider keeps the first until {moment(min(days), report.zone)}"
    return labelled("expires", text, width, style, "strong warn", LABEL)


def _orphans(report: StatusReport, storyboard: Storyboard, width: int, style: Style) -> list[str]:
    """Orphans of a storyboard: possibly paid attempts that no current take needs, each with its way out."""
    orphans = [attempt for attempt in report.orphans if attempt.intent.film == storyboard.film]
    return [line for orphan in orphans for line in _orphan(report, orphan, "", width, style)]


def _orphans_without_storyboard(report: StatusReport, width: int, style: Style) -> list[str]:
    """Orphans of storyboards that were renamed or deleted."""
    lines: list[str] = []
    for attempt in report.orphans_without_storyboard():
        origin = f" of {escape_terminal(attempt.intent.storyboard)}, which no longer exists"
        lines += _orphan(report, attempt, origin, width, style)
    return lines


def _orphan(report: StatusReport, attempt: Attempt, origin: str, width: int, style: Style) -> list[str]:
    intent = attempt.intent
    name = f"{escape_terminal(intent.shot)} take {intent.take} ({moment(attempt.intended_at, report.zone)})"
    if attempt.state is AttemptState.UNSETTLED:
        take = f"{storyboard_slug(intent.storyboard)}:{intent.shot}#{intent.take}"
        next_step = f"unsettled: {CommandLine().settle(take)}"
    else:
        next_step = f"{escape_terminal(attempt.task_id or '')}; the next run fetches its clip"
    text = f"{name}{origin}: {credits_text(attempt.credits)} credits, {next_step}"
    return labelled("earlier version", text, width, style, "warn", LABEL)


def _paid(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.state.has_result


def _next(report: StatusReport, width: int, style: Style) -> list[str]:
    line, missing_clips = report.command_line, find_missing_clips(report.plan.steps, report.history)
    plan = as_made(report.plan, missing_clips)
    actions = Counter(step.action for step in plan.steps)
    lines = missing_clip_lines(plan, len(missing_clips), line.fetch(), width, style)
    if actions[Action.UNSETTLED]:
        first = next(step for step in report.plan.steps if step.action is Action.UNSETTLED)
        command = line.of_film(first.shot.film.profile).settle(full_name(first), "--task ID")
        lines += right_aligned(command, "or --not-charged", width, style)
    if doubtful := [step for step in report.plan.steps if step.action is Action.DOUBTFUL]:
        command = line.of_film(doubtful[0].shot.film.profile).accept(full_name(doubtful[0]))
        lines += right_aligned(command, "takes the clip, if it is good; no charge", width, style)
    if awaits_choice(report.plan):
        lines += right_aligned(line.dailies("--serve"), "look, pick with 1 2 3", width, style)
    if any(step.needs_pick for step in report.plan.steps):
        lines += right_aligned(line.pick_any(), "chooses the good take", width, style)
    if any(actions[action] for action in (Action.MAKE, Action.WAIT, Action.RESUME)):
        lines += right_aligned(line.plan(), "what a run would do, and why", width, style)
    # A free film that is whole leads to its real price.
    elif report.plan.is_free and not missing_clips:
        command = line.plan(f"--provider {report.paid_provider}")
        lines += right_aligned(command, "the real price; needs no key", width, style)
    elif not lines:
        lines += right_aligned(line.plan("--all"), "every take, and why", width, style)
    return lines
