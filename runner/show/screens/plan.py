"""The screen of `plan`: takes, prices and next commands, before anything is spent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from runner.attempts.film import TakeKey
from runner.attempts.sums import CreditSums
from runner.diagnostics.problem import Problem
from runner.language.model import Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.paid_providers import paid_provider_name
from runner.planning.outgoing import OutgoingMaterial
from runner.planning.plan import Action, Plan, Step, price_of, totals
from runner.show.screens.blocked import WaysOn
from runner.show.screens.keep_commands import keep_commands
from runner.show.screens.materials import list_lines, summary_lines
from runner.show.screens.missing_clips import as_made, missing_clip_lines
from runner.show.screens.money_rows import sums_text
from runner.show.screens.plan_table import concerned_shots, plan_table
from runner.show.screens.rows import count_models, usual_model
from runner.show.text.cells import width as cells
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars, lasting, length, money
from runner.show.text.labels import film_title, full_name, number_of_films
from runner.show.text.layout import WIDE, joined, labelled, labelled_lines, right_aligned, warnings, wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

# Types alone: a plan without a limit and without `-o` does not pay for importing them.
if TYPE_CHECKING:
    from runner.planning.alternatives import Alternative
    from runner.planning.saved_plan import SavedPlan

# How many shots a line names.
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Destination:
    """A kind of data that a paid run sends to an address from the settings."""

    what: str
    """The kind of data: `callbacks`."""
    where: str
    detail: str = ""
    previous_address: str | None = None
    """The address of the last approval, `""` if there was none; None when it was the same."""

    def __str__(self) -> str:
        """`callbacks go to https://hooks.example.com, received at 127.0.0.1:8788 (NEW since your last approval)`."""
        detail = f", {self.detail}" if self.detail else ""
        text = f"{self.what} go to {self.where}{detail}"
        if self.previous_address is None:
            return escape_terminal(text)
        change = "NEW since your last approval"
        if self.previous_address:
            change = f"CHANGED since your last approval: {self.previous_address}"
        return escape_terminal(f"{text} ({change})")


@dataclass(frozen=True, slots=True)
class PlanContext:
    """Values that the screen of a plan needs beside the plan."""

    command_line: CommandLine = CommandLine()
    """Files and flags as the user typed them, for the next command."""
    paid_provider: str = field(default_factory=paid_provider_name)
    """The provider whose prices a free plan quotes."""
    warnings: Sequence[Problem] = ()
    stopped_by: str = ""
    """The limit that stops a run, and by how much it is exceeded."""
    cheaper: "Sequence[Alternative]" = ()
    outgoing: Sequence[OutgoingMaterial] = ()
    """Materials that a paid run publishes under public addresses, and those that it cannot."""
    destinations: Sequence[Destination] = ()
    manifest_note: str = ""
    """Note on takes that only a manifest records; empty when this machine's ledger has them all."""
    expected_seconds: float | None = None
    """Estimated duration of a run."""
    concurrency: int | None = None
    sums: Mapping[str, CreditSums] = field(default_factory=dict)
    """Credits billed, running or unsettled so far, by the storyboard's path."""
    replacement: tuple[str, str] | None = None
    """The command to type, with a note, in place of a run that would be refused."""
    ways_on: WaysOn = WaysOn()
    """Commands that help where takes are blocked."""
    missing_clips: frozenset[TakeKey] = frozenset()
    """Takes whose recorded clip is not on this machine."""
    saved: "tuple[str, SavedPlan] | None" = None
    """The file that the plan was saved in, with its contract."""
    before_question: bool = False
    """Whether the question follows: the screen then tells the duration only, no command."""


def screen(plan: Plan, width: int, color: bool, all_shots: bool = False, context: PlanContext | None = None) -> str:
    """The screen of a plan, `width` columns wide; ends with the next command."""
    context, style = context or PlanContext(), Style(color)
    if not plan.steps and not plan.shots:
        return "There is no shot to plan.\n"
    plan = plan if all_shots else as_made(plan, context.missing_clips)
    parts = [_storyboard(plan, storyboard, width, style, all_shots, context) for storyboard in _storyboards(plan)]
    if len(parts) > 1:
        parts.append(_all_storyboards(plan, width, style, context))
    # What to type next does not hang on `--all`: missing clips are fetched, and not run.
    full_plan = as_made(plan, context.missing_clips)
    parts += [_notes(plan, width, style, context, all_shots), _next(full_plan, width, style, context)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def nothing_to_do(plan: Plan) -> bool:
    """Whether every take has its clip."""
    return bool(plan.steps) and all(step.action is Action.KEEP for step in plan.steps)


def _storyboards(plan: Plan) -> list[Storyboard]:
    """The films with at least one selected shot."""
    films = {shot.film for shot in plan.shots}
    return [storyboard for storyboard in plan.batch.storyboards if storyboard.film in films]


# -- one storyboard ---------------------------------------------------------------------------------------


def _storyboard(
    plan: Plan, storyboard: Storyboard, width: int, style: Style, all_shots: bool, context: PlanContext
) -> list[str]:
    steps = plan.steps_for(storyboard)
    head = _head(plan, storyboard, steps, width, style, context)
    if steps and all(step.action is Action.KEEP for step in steps) and not all_shots:
        shots = count(len({step.shot.id for step in steps}), "shot")
        return [*head, "", f"  {style(f'{shots}, all made. Nothing to pay.', 'good')}"]
    return [
        *head,
        "",
        *plan_table(plan, storyboard, steps, width, style, all_shots, context.paid_provider, context.ways_on),
    ]


def _head(
    plan: Plan, storyboard: Storyboard, steps: Sequence[Step], width: int, style: Style, context: PlanContext
) -> list[str]:
    name, path = film_title(plan, storyboard), escape_terminal(storyboard.path)
    facts = f"{plan.account.provider} · edition {plan.edition.name} · 1 credit {dollars(plan.usd_per_credit)}"
    facts = escape_terminal(facts)
    room = min(width, WIDE) - cells(name) - 3 - cells(path) - cells(facts)
    first = f"{style(name, 'strong')}   {path}"
    lines = [f"{first}{' ' * room}{style(facts, 'quiet')}"] if room >= 3 else [first, style(facts, "quiet")]
    return lines + joined(_facts(plan, storyboard, steps, context), min(width, WIDE))


def _facts(plan: Plan, storyboard: Storyboard, steps: Sequence[Step], context: PlanContext) -> Iterable[str]:
    """Facts of one storyboard: number of shots, length of the film, progress."""
    shots = concerned_shots(plan, storyboard, steps)
    scenes = len({shot.scene for shot in shots if shot.scene is not None})
    shots_text = count(len(shots), "shot")
    if len(shots) < len(storyboard.shots):
        shots_text = f"{len(shots):,} of {count(len(storyboard.shots), 'shot')} selected"
    yield shots_text + (f", {count(scenes, 'scene')}" if scenes else "")
    models = count_models(shots)
    if (usual := usual_model(models)) is not None:
        others = len(shots) - models[usual]
        # ` · ` parts the facts of this line.
        yield usual.replace(" · ", " at ") + (f", {others} otherwise" if others else "")
    film = length(plan.film_length(storyboard))
    yield f"film {film}" + (f" of {length(storyboard.length)} wanted" if storyboard.length is not None else "")
    finished = sum(1 for step in steps if step.action is Action.KEEP)
    sums = context.sums.get(storyboard.path, CreditSums())
    if any(step.attempt for step in steps) or any(sums):
        yield f"{finished} of {count(len(steps), 'take')} made"
    else:
        yield "nothing sent yet" + ("" if plan.is_free else ", nothing paid yet")
    if any(sums) and not plan.is_free:
        yield f"so far {sums_text(sums)}"


def _all_storyboards(plan: Plan, width: int, style: Style, context: PlanContext) -> list[str]:
    """Table of several storyboards with their sum."""
    storyboards = _storyboards(plan)
    rows: list[TableRow | str] = []
    for storyboard in storyboards:
        sums = totals(plan.steps_for(storyboard), shots=0)
        billable = sum(1 for step in plan.steps_for(storyboard) if step.is_billable)
        usd = dollars(plan.usd(sums.credits))
        name = Cell(film_title(plan, storyboard))
        rows.append(row(name, f"{billable:,}", f"{sums.seconds:,}", credits_text(sums.credits), usd, indent=1))
    rows.append(row("", "", "", Cell("-" * 7, "quiet")))
    whole = plan.totals
    billable = sum(1 for step in plan.steps if step.is_billable)
    name, price = Cell(number_of_films(plan, len(storyboards)), "strong"), Cell(credits_text(whole.credits), "strong")
    usd = dollars(plan.usd(whole.credits))
    rows.append(row(name, f"{billable:,}", f"{whole.seconds:,}", price, Cell(usd, "strong"), indent=1))
    if whole.later_takes:
        rows += _later(plan)
    credits_head = f"on {escape_terminal(context.paid_provider)}" if plan.is_free else "credits"
    columns = (
        Column(least=12, most=width // 2, head=" now"),
        Column("right", head="takes"),
        Column("right", head="s"),
        Column("right", head=credits_head),
        Column(least=10),
    )
    return table(columns, rows, width, style, indent=1)


def _later(plan: Plan) -> Iterable[TableRow]:
    """Rows below the sum of now: takes after a pick, and all takes."""
    sums, steps = plan.totals, plan.steps
    for name, takes, seconds, credits, more in (
        ("later", sums.later_takes, sums.later_seconds, sums.later_credits, "  after you pick"),
        ("whole", len(steps), sum(step.shot.request.seconds for step in steps), price_of(steps), ""),
    ):
        usd = f"{dollars(plan.usd(credits))}{more}"
        yield row(name, f"{takes:,}", f"{seconds:,}", credits_text(credits), usd, indent=1)


# -- below the table --------------------------------------------------------------------------------------


def free_price(plan: Plan, paid_provider: str) -> str:
    """The price that a free plan would have: `free; on NAME 1,240 credits, $6.20`."""
    credits = plan.totals.credits
    if credits == 0:
        return "free"
    return f"free; on {escape_terminal(paid_provider)} {credits_text(credits)} credits, {dollars(plan.usd(credits))}"


def price_line(plan: Plan, paid_provider: str) -> str:
    """The price of a run now, in one line."""
    return free_price(plan, paid_provider) if plan.is_free else money(plan.totals.credits, plan.usd_per_credit)


def _notes(plan: Plan, width: int, style: Style, context: PlanContext, all_shots: bool) -> list[str]:
    lines = wrapped(context.manifest_note, min(width, WIDE)) if context.manifest_note else []
    if nothing_to_do(plan):
        return lines + warnings(context.warnings, width, style)
    if plan.is_free:
        lines.append("  " + style(free_price(plan, context.paid_provider), "strong good"))
    lines += summary_lines(context.outgoing, width)
    lines += list_lines(context.outgoing) if all_shots else []
    for destination in _untold(context):
        style_name = "plain" if destination.previous_address is None else "warn"
        lines += [style(line, style_name) for line in wrapped(str(destination), width)]
    if plan.given_up:
        lines += [style(line, "warn") for line in wrapped(_given_up(plan, context.command_line), min(width, WIDE))]
    if context.stopped_by:
        lines += labelled("stops", one_line(context.stopped_by, 400), width, style, "bad")
    lines += warnings(context.warnings, width, style)
    if context.cheaper and not plan.is_free:
        # 11 cells are the margin of a line with a label.
        commands = [_priced(alternative) for alternative in context.cheaper]
        lines += labelled_lines("cheaper", joined([*commands[:-1], f"{commands[-1]} now"], width - 11), style)
    return lines


def _priced(alternative: "Alternative") -> str:
    """Flags and price; `takes: 1 for 180`, since `takes: 1 180` reads as one number."""
    between = " for" if alternative.description[-1:].isdigit() else ""
    return f"{escape_terminal(alternative.description)}{between} {credits_text(alternative.credits)}"


def _untold(context: PlanContext) -> Iterable[Destination]:
    """The destinations that are new, or that the line about materials does not name already."""
    hosts = {material.host for material in context.outgoing if material.leaves and material.way == "upload"}
    for destination in context.destinations:
        if destination.previous_address is not None or destination.what != "uploads" or destination.where not in hosts:
            yield destination


def _given_up(plan: Plan, line: CommandLine) -> str:
    """The line `gives up the picks of SH040 and SH050, unless storyboard keep SH040 SH050`."""
    names = [escape_terminal(shot.id) for shot in plan.given_up]
    visible = names[:_MOST_NAMES] + ([f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else [])
    listed = f"{', '.join(visible[:-1])} and {visible[-1]}" if len(visible) > 1 else visible[0]
    several = len(names) > 1
    keys = [shot.key for shot in plan.given_up]
    commands = " and ".join(f"`{command}`{more}" for command, more in keep_commands(line, plan, keys))
    return f"gives up the {'picks' if several else 'pick'} of {listed}, unless {commands}"


def _next(plan: Plan, width: int, style: Style, context: PlanContext) -> list[str]:
    """The next command and its duration; only the duration if the question follows."""
    number, screen_width = len(context.missing_clips), min(width, WIDE)
    if context.before_question:
        duration = f"  {_how_long(plan, context)}".rstrip()
        return [*missing_clip_lines(plan, number, "", screen_width, style), duration]
    lines = missing_clip_lines(plan, number, context.command_line.without_extra_orders().fetch(), screen_width, style)
    if context.saved is not None:
        # Here, since only `plan -o` shows it.
        from runner.show.screens.saved_plan import where_it_lies

        lines += [*where_it_lies(*context.saved, screen_width, style), ""]
    for command, why in _commands(plan, context):
        lines += right_aligned(command, why, screen_width, style)
    return lines


def _how_long(plan: Plan, context: PlanContext) -> str:
    """The note `free, about 40 s, 3 at a time`."""
    duration = f"about {lasting(context.expected_seconds)}" if context.expected_seconds else ""
    concurrency = f"{context.concurrency} at a time" if context.concurrency and context.concurrency > 1 else ""
    return ", ".join(part for part in ("free" if plan.is_free else "", duration, concurrency) if part)


def _commands(plan: Plan, context: PlanContext) -> Iterable[tuple[str, str]]:
    """The commands to type next, each with a note."""
    line, actions = context.command_line, {step.action for step in plan.steps}
    # `fetch` stands above, and nothing else is to be done.
    if context.missing_clips and actions == {Action.KEEP}:
        return
    if Action.UNSETTLED in actions:
        yield line.settle(), "lists the unsettled attempts"
    if doubtful := [step for step in plan.steps if step.action is Action.DOUBTFUL]:
        command = line.of_film(doubtful[0].shot.film.profile).accept(full_name(doubtful[0]))
        yield command, "takes the clip, if it is good; no charge"
    if context.replacement is not None:
        yield escape_terminal(context.replacement[0]), context.replacement[1]
    elif any(step.is_billable for step in plan.steps) or Action.RESUME in actions:
        credits = plan.totals.credits
        # Rounded up: a ceiling of 4,480 for 4,480.5 credits would refuse the very plan.
        ceiling = (
            [] if plan.is_free or not credits else [f"--max-credits {credits.to_integral_value('ROUND_CEILING'):f}"]
        )
        # A saved plan is a ceiling itself.
        yield line.run(*([] if context.saved is not None else ceiling)), _how_long(plan, context)
    elif any(step.needs_pick for step in plan.steps):
        yield line.pick_any(), "chooses the good take"
    elif plan.is_free:
        yield line.plan(f"--provider {context.paid_provider}"), "the real price; needs no key"
    elif not actions & {Action.UNSETTLED, Action.DOUBTFUL}:
        yield line.status(), ""
