"""The plan as a person reads it before anything is spent."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runner.diagnostics.problem import Problem
from runner.language.model import Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.planning.plan import Action, Plan, Step, totals
from runner.requests.request import LocalFile
from runner.show.screens.plan_table import WIDE, plan_table, price_of, said_once
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars, lasting, length, money, volume
from runner.show.text.layout import joined, labelled_lines, right_aligned, warnings, wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

_KINDS = {"image": ("picture", "pictures"), "video": ("video", "videos"), "audio": ("sound", "sounds")}


@dataclass(frozen=True, slots=True)
class CheaperCommand:
    """A cheaper way that would pass: the flags to add, and what it would cost now."""

    flags: str
    credits: Decimal


@dataclass(frozen=True, slots=True)
class Destination:
    """Something that a paid run has sent to an address which a settings file names."""

    what: str
    """`callbacks`."""
    where: str
    more: str = ""
    before: str | None = None
    """Where it went at the last yes, `""` for nowhere; None when that was the same."""

    def __str__(self) -> str:
        """`callbacks go to https://hooks.example.com, heard at 127.0.0.1:8788 (new since the last yes)`."""
        more = f", {self.more}" if self.more else ""
        text = f"{self.what} go to {self.where}{more}"
        if self.before is None:
            return escape_terminal(text)
        return escape_terminal(
            f"{text} ({f'CHANGED since the last yes: {self.before}' if self.before else 'NEW since the last yes'})"
        )


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan's screen says beside the plan itself."""

    typed: str = ""
    """Files and flags as the user typed them, for the command to type next."""
    asks: str = "kinovi"
    """The provider whose prices play money quotes."""
    warnings: Sequence[Problem] = ()
    cheaper: Sequence[CheaperCommand] = ()
    leaving: Sequence[LocalFile] = ()
    """What a paid run puts under public addresses."""
    goes: Sequence[Destination] = ()
    elsewhere: str = ""
    """That only a manifest tells of some takes; empty when this machine's ledger knows them all."""
    about: float | None = None
    """Seconds that a run would probably take."""
    at_once: int | None = None
    spent: Mapping[str, Decimal] = field(default_factory=dict)
    """Credits paid or in doubt so far, by the storyboard's path."""
    instead: tuple[str, str] | None = None
    """The command to type in place of a run that would not pass, and a word about it."""
    asking: bool = False
    """The question comes right below: the command is not named, only how long it takes."""


def screen(plan: Plan, width: int, color: bool, all_shots: bool = False, around: PlanContext | None = None) -> str:
    """The plan at so many columns; ends with what to type next."""
    told, ink = around or PlanContext(), Style(color)
    if not plan.steps and not plan.shots:
        return "There is no shot to plan.\n"
    parts = [_storyboard(plan, board, width, ink, all_shots, told) for board in _boards(plan)]
    if len(parts) > 1:
        parts.append(_together(plan, width, ink, told))
    parts += [_notes(plan, width, ink, told, all_shots), _next(plan, width, ink, told)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def nothing_to_do(plan: Plan) -> bool:
    """Whether every take is made."""
    return bool(plan.steps) and all(step.action is Action.KEEP for step in plan.steps)


def _boards(plan: Plan) -> list[Storyboard]:
    """The storyboards that have a selected shot."""
    paths = {shot.storyboard for shot in plan.shots}
    return [board for board in plan.batch.storyboards if board.path in paths]


# -- one storyboard ---------------------------------------------------------------------------------------


def _storyboard(plan: Plan, board: Storyboard, width: int, ink: Style, all_shots: bool, told: PlanContext) -> list[str]:
    steps = plan.steps_for(board)
    head = _head(plan, board, steps, width, ink, told)
    if steps and all(step.action is Action.KEEP for step in steps) and not all_shots:
        shots = count(len({step.shot.id for step in steps}), "shot")
        return [*head, "", f"  {ink(f'{shots}, all made. Nothing to pay.', 'good')}"]
    return [*head, "", *plan_table(plan, board, steps, width, ink, all_shots, told.asks)]


def _head(plan: Plan, board: Storyboard, steps: Sequence[Step], width: int, ink: Style, told: PlanContext) -> list[str]:
    name, path = one_line(board.title, 200), escape_terminal(board.path)
    facts = f"{plan.account.provider} · edition {plan.edition.name} · 1 credit {dollars(plan.usd_per_credit)}"
    facts = escape_terminal(facts)
    room = min(width, WIDE) - cells(name) - 3 - cells(path) - cells(facts)
    first = f"{ink(name, 'strong')}   {path}"
    lines = [f"{first}{' ' * room}{ink(facts, 'quiet')}"] if room >= 3 else [first, ink(facts, "quiet")]
    return lines + joined(_facts(plan, board, steps, width, told), min(width, WIDE))


def _facts(plan: Plan, board: Storyboard, steps: Sequence[Step], width: int, told: PlanContext) -> Iterable[str]:
    """How much it is, how long the film, how far it has come."""
    shots = [shot for shot in plan.shots if shot.storyboard == board.path]
    named = len({shot.scene for shot in shots if shot.scene is not None})
    chosen = count(len(shots), "shot")
    if len(shots) < len(board.shots):
        chosen = f"{len(shots):,} of {count(len(board.shots), 'shot')} selected"
    yield chosen + (f", {count(named, 'scene')}" if named else "")
    if (kind := said_once(shots, width)) is not None:
        yield kind
    film = length(sum(shot.request.seconds for shot in board.shots if not shot.skip))
    yield f"film {film}" + (f" of {length(board.length)} wanted" if board.length is not None else "")
    made = sum(1 for step in steps if step.action is Action.KEEP)
    spent = told.spent.get(board.path, Decimal(0))
    if any(step.attempt for step in steps) or spent:
        yield f"{made} of {count(len(steps), 'take')} made"
    else:
        yield "nothing sent yet" + ("" if plan.is_free else ", nothing paid yet")
    if spent and not plan.is_free:
        yield f"{credits_text(spent)} credits spent so far"


def _together(plan: Plan, width: int, ink: Style, told: PlanContext) -> list[str]:
    """The sum over several storyboards, with a line for each."""
    boards = _boards(plan)
    rows: list[TableRow | str] = []
    for board in boards:
        sums = totals(plan.steps_for(board), shots=0)
        ordered = sum(1 for step in plan.steps_for(board) if step.is_billable)
        usd = dollars(plan.usd(sums.credits))
        name = Cell(one_line(board.title, 200))
        rows.append(row(name, f"{ordered:,}", f"{sums.seconds:,}", credits_text(sums.credits), usd, indent=1))
    rows.append(row("", "", "", Cell("-" * 7, "quiet")))
    whole = plan.totals
    ordered = sum(1 for step in plan.steps if step.is_billable)
    name, price = Cell(f"{len(boards)} storyboards", "strong"), Cell(credits_text(whole.credits), "strong")
    usd = dollars(plan.usd(whole.credits))
    rows.append(row(name, f"{ordered:,}", f"{whole.seconds:,}", price, Cell(usd, "strong"), indent=1))
    if whole.later_takes:
        rows += _later(plan)
    asked = f"on {escape_terminal(told.asks)}" if plan.is_free else "credits"
    columns = (
        Column(least=12, most=width // 2, head=" now"),
        Column("right", head="takes"),
        Column("right", head="s"),
        Column("right", head=asked),
        Column(least=10),
    )
    return table(columns, rows, width, ink, indent=1)


def _later(plan: Plan) -> Iterable[TableRow]:
    """Under the sum of now: what comes after a pick, and all of it."""
    sums, steps = plan.totals, plan.steps
    for name, takes, seconds, credits, more in (
        ("later", sums.later_takes, sums.later_seconds, sums.later_credits, "  after you pick"),
        ("whole", len(steps), sum(step.shot.request.seconds for step in steps), price_of(steps), ""),
    ):
        usd = f"{dollars(plan.usd(credits))}{more}"
        yield row(name, f"{takes:,}", f"{seconds:,}", credits_text(credits), usd, indent=1)


# -- below the table --------------------------------------------------------------------------------------


def free_words(plan: Plan, asks: str) -> str:
    """What play money stands for: `free; on kinovi 1,240 credits, $6.20`."""
    credits = plan.totals.credits
    if credits == 0:
        return "free"
    return f"free; on {escape_terminal(asks)} {credits_text(credits)} credits, {dollars(plan.usd(credits))}"


def price_line(plan: Plan, asks: str = "kinovi") -> str:
    """What a run would cost now, in one line."""
    return free_words(plan, asks) if plan.is_free else money(plan.totals.credits, plan.usd_per_credit)


def _notes(plan: Plan, width: int, ink: Style, told: PlanContext, everything: bool) -> list[str]:
    lines = wrapped(told.elsewhere, min(width, WIDE)) if told.elsewhere else []
    if nothing_to_do(plan):
        return lines + warnings(told.warnings, width, ink)
    if plan.is_free:
        lines.append("  " + ink(free_words(plan, told.asks), "strong good"))
    if told.leaving and not plan.is_free:
        lines += wrapped(_leaving(told.leaving), width)
        lines += _each(told.leaving) if everything else []
    for each in told.goes:
        inked = wrapped(str(each), width)
        lines += [ink(line, "warn") for line in inked] if each.before is not None else inked
    lines += warnings(told.warnings, width, ink)
    if told.cheaper and not plan.is_free:
        ways = [f"{escape_terminal(way.flags)} {credits_text(way.credits)}" for way in told.cheaper]
        lines += labelled_lines("cheaper", joined([*ways[:-1], f"{ways[-1]} now"], width - 11), ink)
    return lines


def _leaving(files: Sequence[LocalFile]) -> str:
    """`leaves this machine: 5 pictures, 1 sound, 6.2 MB`."""
    counts = Counter[str](file.kind for file in files)
    kinds = [count(counts[kind], one, many) for kind, (one, many) in _KINDS.items() if counts[kind]]
    text = ", ".join([*kinds, volume(sum(file.bytes for file in files))])
    return f"leaves this machine: {text}"


def _each(files: Sequence[LocalFile]) -> list[str]:
    """Every file with its size and how its hash begins: what leaves becomes public."""
    names = [escape_terminal(file.path) for file in files]
    longest = max(map(cells, names))
    return [
        f"    {name}{' ' * (longest - cells(name))}  {volume(file.bytes):>9}  {file.sha256[:12]}"
        for name, file in zip(names, files, strict=True)
    ]


def _next(plan: Plan, width: int, ink: Style, told: PlanContext) -> list[str]:
    """The command to type and how long it takes; above the question only the latter."""
    if told.asking:
        return [f"  {_how_long(plan, told)}".rstrip()]
    lines: list[str] = []
    for command, why in _commands(plan, told):
        lines += right_aligned(command, why, min(width, WIDE), ink)
    return lines


def _how_long(plan: Plan, told: PlanContext) -> str:
    """`free, about 40 s, 3 at a time`."""
    about = f"about {lasting(told.about)}" if told.about else ""
    at_once = f"{told.at_once} at a time" if told.at_once and told.at_once > 1 else ""
    return ", ".join(part for part in ("free" if plan.is_free else "", about, at_once) if part)


def _commands(plan: Plan, told: PlanContext) -> Iterable[tuple[str, str]]:
    """What to type next, each with a word about it."""
    typed, actions = escape_terminal(told.typed), {step.action for step in plan.steps}
    if Action.UNSETTLED in actions:
        yield "storyboard settle", "lists what nobody knows the outcome of"
    if told.instead is not None:
        yield escape_terminal(told.instead[0]), told.instead[1]
    elif any(step.is_billable for step in plan.steps) or Action.RESUME in actions:
        credits = plan.totals.credits
        ceiling = (
            "" if plan.is_free or not credits else f" --max-credits {credits.to_integral_value('ROUND_CEILING'):f}"
        )
        yield f"storyboard run {typed}".rstrip() + ceiling, _how_long(plan, told)
    elif any(step.needs_pick for step in plan.steps):
        yield "storyboard pick SHOT TAKE", "chooses the good take"
    elif plan.is_free:
        yield f"storyboard plan {typed} --provider {escape_terminal(told.asks)}", "the real price; needs no key"
    elif Action.UNSETTLED not in actions:
        yield f"storyboard status {typed}".rstrip(), ""
