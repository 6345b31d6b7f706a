"""What manifest and ledger know of storyboards: for people, and as JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from runner.attempts.history import Attempt, AttemptState, History
from runner.clock import format_utc
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.planning.plan import Action, Plan, Step
from runner.planning.selection import storyboard_slug
from runner.requests.request import credits_json, usd_text
from runner.show.json.run import clip_json
from runner.show.screens.advice import FieldLocator, advice, field_errors, no_location
from runner.show.screens.money_rows import money_rows
from runner.show.screens.plan_table import ACTION_INKS, WIDE
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, length, moment
from runner.show.text.labels import clip_path, full_name, own_clip, take_names
from runner.show.text.layout import from_manifests, joined, labelled, right_aligned, wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

VERSION = 1
_MOST_ROWS = 30
_TROUBLE = (Action.UNSETTLED, Action.REFUSED, Action.GONE, Action.BLOCKED)
_MEDIA_STATES = frozenset({AttemptState.SUCCEEDED, AttemptState.STORED})


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What `status` shows: the plan says how each take stands, the history by which attempt."""

    plan: Plan
    history: History
    now: datetime
    typed: str = ""
    zone: tzinfo | None = None
    asks: str = "kinovi"
    """The paid provider, named where the clips are free ones."""
    places: FieldLocator = no_location
    """Where a shot's fields are said, for what the provider says of single ones."""
    orphans: tuple[Attempt, ...] = ()
    """Attempts in doubt, running or not yet fetched that no take stands by: of earlier words, or of a retake."""
    counted: Mapping[str, Decimal] = field(default_factory=dict)
    """By storyboard, the credits that its budget counts: retakes and other profiles too."""

    def attempt(self, step: Step) -> Attempt | None:
        """The attempt by which a take stands."""
        return self.history.attempts.get(step.attempt) if step.attempt is not None else None

    def expires(self, attempt: Attempt) -> datetime | None:
        """When the provider forgets the clip, as far as its documentation says; None for what is free or not made."""
        if attempt.state not in _MEDIA_STATES or attempt.ended_at is None or self.plan.is_free:
            return None
        return attempt.ended_at + timedelta(days=self.plan.edition.media_days)

    def gone(self) -> list[Attempt]:
        """Those beside whose storyboard is not there any more."""
        boards = {board.path for board in self.plan.batch.storyboards}
        return [attempt for attempt in self.orphans if attempt.intent.storyboard not in boards]

    def perhaps(self, board: Storyboard) -> list[Attempt]:
        """Attempts that ended with a documented 500, and count as charged until they are settled."""
        return [
            attempt
            for attempt in self.history.own()
            if attempt.state is AttemptState.MAYBE_CHARGED and attempt.intent.storyboard == board.path
        ]


def status(standing: StatusReport, width: int, color: bool, all_shots: bool = False) -> str:
    """The screen of `storyboard status`; ends with what to type next."""
    ink, plan = Style(color), standing.plan
    width = min(width, WIDE)
    paths = {shot.storyboard for shot in plan.shots}
    boards = [board for board in plan.batch.storyboards if board.path in paths]
    if not boards:
        return "There is no shot to tell of.\n"
    blocks = [_board(standing, board, width, ink, all_shots) for board in boards]
    if told := from_manifests(plan, standing.history):
        blocks.append(wrapped(told, width))
    blocks += [_gone(standing, width, ink), _next(standing, width, ink)]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _board(standing: StatusReport, board: Storyboard, width: int, ink: Style, all_shots: bool) -> list[str]:
    steps = standing.plan.steps_for(board)
    lines = [
        f"{ink(one_line(board.title, 200), 'strong')}   {escape_terminal(board.path)}   {ink(_from(standing), 'quiet')}"
    ]
    lines += [f"  {line}" for line in joined(_counts(standing.plan, board, steps), width - 2)]
    if rows := _rows(standing, steps, all_shots):
        lines += ["", *table(_COLUMNS, rows, width, ink)]
    notes = [*_money(standing, board, steps, width, ink), *_expiring(standing, steps, width, ink)]
    notes += _beside(standing, board, width, ink)
    return [*lines, "", *notes] if notes else lines


def _from(standing: StatusReport) -> str:
    return escape_terminal(f"clips of {standing.plan.account.provider}")


def _counts(plan: Plan, board: Storyboard, steps: Sequence[Step]) -> Iterable[str]:
    made = {step.shot.id for step in steps if step.action is Action.KEEP}
    wanted = [shot for shot in plan.shots if shot.storyboard == board.path and not shot.skip]
    film = length(sum(shot.request.seconds for shot in wanted if shot.id in made))
    whole = length(sum(shot.request.seconds for shot in wanted))
    yield f"{len(made)} of {count(len(wanted), 'shot')} made, {film} of {whole}"
    counts = Counter(step.action for step in steps)
    yield from (f"{counts[action]} {action}" for action in Action if counts[action])


# -- takes ------------------------------------------------------------------------------------------------

_COLUMNS = (
    Column(least=14, most=40, head="shot"),
    Column("right", head="take"),
    Column(head="stands"),
    Column(least=8, most=36, head="task"),
    Column("right", head="credits"),
    Column(head="since"),
    Column(least=16, head="words"),
)


def _rows(standing: StatusReport, steps: Sequence[Step], all_shots: bool) -> list[TableRow | str]:
    """A line for each take that is not simply made or simply new; all of them when asked."""
    told = list(steps) if all_shots else [step for step in steps if _tells(step)]
    shown = told if all_shots else told[:_MOST_ROWS]
    rows: list[TableRow | str] = [_take(standing, step) for step in shown]
    if len(told) > len(shown):
        rows.append(f"  and {count(len(told) - len(shown), 'take')} more (--json has them all)")
    return rows


def _tells(step: Step) -> bool:
    return (
        step.action in _TROUBLE or step.action is Action.RESUME or (step.action is Action.MAKE and bool(step.attempt))
    )


def _take(standing: StatusReport, step: Step) -> TableRow:
    attempt = standing.attempt(step)
    ink = ACTION_INKS[step.action]
    said = "; ".join((_said(step, attempt), *_about(standing, step, attempt)))
    cells = (
        escape_terminal(step.shot.id),
        str(step.take),
        Cell(step.action.value, ink),
        Cell(escape_terminal(attempt.task_id or "–") if attempt is not None else "–", "quiet"),
        _credits(attempt),
        Cell(moment(attempt.intended_at, standing.zone) if attempt is not None else "–", "quiet"),
    )
    return row(*cells, Cell(said, ink), short="", below=said)


def _said(step: Step, attempt: Attempt | None) -> str:
    """Why it stands so; of a made one its path, of a running one the provider's last word."""
    if step.action is Action.KEEP:
        return (clip_path(attempt, step) if attempt is not None else "") or "made"
    if attempt is not None and attempt.state is AttemptState.RUNNING:
        return one_line(attempt.status, 40) or "running"
    return one_line(step.reason, 400)


def _about(standing: StatusReport, step: Step, attempt: Attempt | None) -> list[str]:
    """Of a refused one what to do about it, and the fields and materials that the provider named."""
    if step.action is not Action.REFUSED:
        return []
    named = field_errors(attempt, step.shot, standing.plan.edition, standing.places)
    return [advice(attempt, step.shot, standing.places), *named]


def _credits(attempt: Attempt | None) -> str:
    return credits_text(attempt.credits) if attempt is not None and attempt.credits else ""


# -- money ------------------------------------------------------------------------------------------------


def _money(standing: StatusReport, board: Storyboard, steps: Sequence[Step], width: int, ink: Style) -> list[str]:
    plan = standing.plan
    if plan.is_free:
        return []
    sums = totals(standing, board, steps)
    perhaps = standing.perhaps(board)
    rows = [
        ("billed", sums["billed"], ""),
        ("running", sums["running"], ""),
        ("unsettled", sums["unsettled"], "counted until it is settled"),
        ("perhaps", sums["perhaps"], f"{count(len(perhaps), 'attempt')} that the server failed; counted as charged"),
        ("to make", sums["to_make"], ""),
    ]
    lines = money_rows([each for each in rows if each[1] or each[0] == "billed"], plan, width, ink)
    if board.budget_credits is not None:
        used = standing.counted.get(board.path, sums["billed"] + sums["running"] + sums["unsettled"])
        text = f"{credits_text(used)} of {credits_text(board.budget_credits)} credits"
        lines += labelled("budget", text, width, ink, "plain", 9)
    return lines


def totals(standing: StatusReport, board: Storyboard, steps: Sequence[Step]) -> dict[str, Decimal]:
    """Credits by how they stand; what shares a clip counts once."""
    sums = dict.fromkeys(("billed", "running", "unsettled", "perhaps", "to_make"), Decimal(0))
    for step in steps:
        attempt = standing.attempt(step)
        if step.is_billable and step.price.credits is not None:
            sums["to_make"] += step.price.credits
        if attempt is None or step.duplicate_of is not None:
            continue
        sums["billed"] += attempt.billed
        if attempt.state in (AttemptState.RUNNING, AttemptState.INTENDED):
            sums["running"] += attempt.credits
        elif attempt.state is AttemptState.UNSETTLED:
            sums["unsettled"] += attempt.credits
    sums["perhaps"] = sum((attempt.credits for attempt in standing.perhaps(board)), Decimal(0))
    return sums


def _expiring(standing: StatusReport, steps: Sequence[Step], width: int, ink: Style) -> list[str]:
    """Clips that are paid and not on this disk, with the day on which the provider forgets the first of them."""
    missing = [step for step in steps if step.action is Action.RESUME and _paid(standing.attempt(step))]
    days = [
        expires for step in missing if (attempt := standing.attempt(step)) and (expires := standing.expires(attempt))
    ]
    if not days:
        return []
    names = "  ".join(take_names(missing)[:8]) + (" …" if len(missing) > 8 else "")
    text = f"{names}  paid and not on this disk; the provider keeps the first until {moment(min(days), standing.zone)}"
    return labelled("expires", text, width, ink, "strong warn", 9)


def _beside(standing: StatusReport, board: Storyboard, width: int, ink: Style) -> list[str]:
    """What may have been paid and is no take of the storyboard now: what it is, and how it ends."""
    found = [attempt for attempt in standing.orphans if attempt.intent.storyboard == board.path]
    return [line for each in found for line in _stray(standing, each, "not asked for now", width, ink)]


def _gone(standing: StatusReport, width: int, ink: Style) -> list[str]:
    """The same of storyboards that are renamed or deleted."""
    lines: list[str] = []
    for attempt in standing.gone():
        why = f"of {escape_terminal(attempt.intent.storyboard)}, which is gone"
        lines += _stray(standing, attempt, why, width, ink)
    return lines


def _stray(standing: StatusReport, attempt: Attempt, why: str, width: int, ink: Style) -> list[str]:
    intent = attempt.intent
    name = f"{escape_terminal(intent.shot)} take {intent.take} of {moment(attempt.intended_at, standing.zone)}"
    if attempt.state is AttemptState.UNSETTLED:
        take = f"{storyboard_slug(intent.storyboard)}:{intent.shot}#{intent.take}"
        end = f"in doubt: storyboard settle {escape_terminal(take)}"
    else:
        end = f"{escape_terminal(attempt.task_id or '')} runs or is to be fetched: the next run brings its clip"
    text = f"{name}, {why}: {credits_text(attempt.credits)} credits, {end}"
    return labelled("beside", text, width, ink, "warn", 9)


def _paid(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.state in _MEDIA_STATES


def _next(standing: StatusReport, width: int, ink: Style) -> list[str]:
    typed = escape_terminal(standing.typed)
    actions = Counter(step.action for step in standing.plan.steps)
    lines: list[str] = []
    if actions[Action.UNSETTLED]:
        first = next(step for step in standing.plan.steps if step.action is Action.UNSETTLED)
        lines += right_aligned(f"storyboard settle {full_name(first)} --task ID", "or --not-charged", width, ink)
    if any(step.needs_pick for step in standing.plan.steps):
        lines += right_aligned("storyboard pick SHOT TAKE", "chooses the good take", width, ink)
    if any(actions[action] for action in (Action.MAKE, Action.WAIT, Action.RESUME)):
        lines += right_aligned(f"storyboard plan {typed}".rstrip(), "what a run would do, and why", width, ink)
    elif standing.plan.is_free:
        command = f"storyboard plan {typed} --provider {escape_terminal(standing.asks)}"
        lines += right_aligned(command, "the real price; needs no key", width, ink)
    elif not lines:
        lines += right_aligned(f"storyboard plan {typed} --all".replace("  ", " "), "every take, and why", width, ink)
    return lines


# -- JSON -------------------------------------------------------------------------------------------------


def status_json(standing: StatusReport) -> dict[str, object]:
    """`{"status": 1, …}`: every take with its attempt, clip and credits, and the sums."""
    plan = standing.plan
    return {
        "status": VERSION,
        "provider": plan.account.provider,
        "host": plan.account.host,
        "edition": plan.edition.name,
        "play": plan.is_free,
        "storyboards": [_board_json(standing, board) for board in plan.batch.storyboards],
        "beside": [{"storyboard": each.intent.storyboard} | _beside_json(each) for each in standing.gone()],
        "totals": _totals_json(standing),
    }


def _board_json(standing: StatusReport, board: Storyboard) -> dict[str, object]:
    by_shot: dict[str, list[Step]] = {}
    for step in standing.plan.steps_for(board):
        by_shot.setdefault(step.shot.id, []).append(step)
    shots = [shot for shot in standing.plan.shots if shot.storyboard == board.path]
    return {
        "path": board.path,
        "title": board.title,
        "shots": [_shot_json(standing, shot, by_shot.get(shot.id, ())) for shot in shots],
        "beside": [_beside_json(attempt) for attempt in standing.orphans if attempt.intent.storyboard == board.path],
    }


def _beside_json(attempt: Attempt) -> dict[str, object]:
    intent = attempt.intent
    return {
        "shot": intent.shot,
        "take": intent.take,
        "fingerprint": intent.fingerprint,
        "stands": "unsettled" if attempt.state is AttemptState.UNSETTLED else "resume",
        "attempt": attempt.id,
        "task_id": attempt.task_id,
        "credits": credits_json(attempt.credits),
        "created_at": format_utc(attempt.intended_at),
    }


def _shot_json(standing: StatusReport, shot: Shot, steps: Sequence[Step]) -> dict[str, object]:
    picks: Mapping[tuple[str, str], int] = standing.history.picks
    return {
        "id": shot.id,
        "picked": picks.get((shot.storyboard, shot.id)),
        "takes": [_take_json(standing, step) for step in steps],
    }


def _take_json(standing: StatusReport, step: Step) -> dict[str, object]:
    attempt = standing.attempt(step)
    expires = standing.expires(attempt) if attempt is not None else None
    clip = own_clip(attempt, step) if attempt is not None else None
    return {
        "take": step.take,
        "fingerprint": step.fingerprint,
        "stands": step.action.value,
        "reason": step.reason,
        "attempt": step.attempt,
        "task_id": attempt.task_id if attempt is not None else None,
        "credits": {
            "quoted": credits_json(step.price.credits),
            "used": credits_json(attempt.credits_used) if attempt is not None else None,
        },
        "created_at": format_utc(attempt.intended_at) if attempt is not None else None,
        "completed_at": format_utc(attempt.ended_at) if attempt is not None and attempt.ended_at is not None else None,
        "expires_at": format_utc(expires) if expires is not None else None,
        "clip": clip_json(clip) if clip is not None else None,
    }


def _totals_json(standing: StatusReport) -> dict[str, object]:
    plan = standing.plan
    sums = dict.fromkeys(("billed", "running", "unsettled", "perhaps", "to_make"), Decimal(0))
    for board in plan.batch.storyboards:
        for name, amount in totals(standing, board, plan.steps_for(board)).items():
            sums[name] += amount
    counts = Counter(step.action for step in plan.steps)
    return {
        "shots": plan.totals.shots,
        "takes": plan.totals.takes,
        **{action.value: counts[action] for action in Action},
        "credits": {name: credits_json(amount) for name, amount in sums.items()},
        "usd": {name: usd_text(plan.usd(amount)) for name, amount in sums.items()},
    }
