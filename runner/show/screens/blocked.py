"""The block about takes that cannot be sent: each cause once with its shots, and the ways to go on. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runner.editions.edition import Edition, edition_with_uploads
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Plan, Step, material_name, totals
from runner.requests.request import TakeReference
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text
from runner.show.text.layout import labelled, wrapped
from runner.show.text.style import Style

# A line each: more of them would push the total off the screen; `--all` has every row.
_MOST_CAUSES = 8
# Shots behind a cause: enough to know the scene by.
_MOST_NAMED = 6
# Below the text of a line with a label, which begins there.
_MARGIN = " " * 11


@dataclass(frozen=True, slots=True)
class WaysOn:
    """Commands that help where takes are blocked; an empty one is left out."""

    free_run: str = ""
    """The run that draws the shots free, which needs no public addresses."""
    wider_selection: str = ""
    """The plan of the selection with the shots that it is made from."""
    wider_credits: Decimal | None = None
    """The price of that selection."""
    not_git: tuple[tuple[str, str], ...] = ()
    """Where `git_url` is set: why git cannot serve a blocked material, by its name."""

    @property
    def git_notes(self) -> dict[str, str]:
        """The line below a blocked material, by its name, safe for a terminal."""
        return {escape_terminal(name): f"not git: {escape_terminal(reason)}" for name, reason in self.not_git}


def publishing(edition: Edition, has_git: bool = False) -> str:
    """Ways in which the settings give materials a public address; `has_git`: `git_url` is set already."""
    ways = ["set `[publish] store`" + ("" if has_git else " or `git_url`")]
    if edition.has_uploads:
        ways.insert(0, "add `upload` to `[publish] ways`")
    elif (other := edition_with_uploads()) is not None:
        ways.insert(0, f'take an edition with uploads (edition = "{other}")')
    return ", ".join(ways)


def short_cause(step: Step) -> str:
    """The cause of a blocked take as its row names it; the block says it in full."""
    if step.unpublished:
        return "no address"
    return escape_terminal(f"by {', '.join(step.blockers)}") if step.blockers else one_line(step.reason.text, 200)


def unpublished_materials(steps: Iterable[Step]) -> list[tuple[str, list[str]]]:
    """The materials that have no way to the provider, each once with the shots that it blocks, by the user's names."""
    shots: dict[str, dict[str, None]] = {}
    for step in steps:
        for material in step.unpublished:
            shots.setdefault(escape_terminal(material_name(material)), {}).setdefault(escape_terminal(step.shot.id))
    return [(name, list(names)) for name, names in shots.items()]


def blocked_lines(plan: Plan, steps: Sequence[Step], width: int, style: Style, ways: WaysOn) -> list[str]:
    """The block of one storyboard's blocked takes; empty when there is none."""
    blocked = [step for step in steps if step.action is Action.BLOCKED]
    if not blocked:
        return []
    credits = totals(blocked, shots=0).blocked_credits
    price = "" if plan.is_free else f", {credits_text(credits)} credits"
    head = f"{count(len(blocked), 'take')}{price}, not in the price now"
    lines = labelled("blocked", head, width, style, "bad")
    materials = unpublished_materials(blocked)
    if materials:
        provider = escape_terminal(plan.account.provider)
        lines += _indented(f"{provider} takes public https addresses only, and these have none:", width)
    others: dict[str, dict[str, None]] = {}
    for step in blocked:
        if not step.unpublished:
            others.setdefault(one_line(step.reason.text, 200), {}).setdefault(escape_terminal(step.shot.id))
    causes = [*materials, *((reason, list(names)) for reason, names in others.items())]
    lines += _causes(causes, width, ways.git_notes)
    # A frame of another shot is no file that could be given an address.
    only_frames = all(isinstance(material, TakeReference) for step in blocked for material in step.unpublished)
    own_addresses = "" if only_frames else ", give the files https addresses"
    advice = f"{publishing(plan.edition, bool(ways.not_git))}{own_addresses}, or draw the film free:"
    return lines + _ways(advice if materials else "", ways, width, style)


def _causes(causes: Sequence[tuple[str, list[str]]], width: int, notes: Mapping[str, str]) -> list[str]:
    """A line for each cause, with the shots that it blocks; below a material its note."""
    lines: list[str] = []
    room = min(max((cells(cause) for cause, _ in causes), default=0), max(20, width // 2))
    for cause, names in causes[:_MOST_CAUSES]:
        more = [f"and {len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
        text = f"{cause}{' ' * max(0, room - cells(cause))}   {', '.join([*names[:_MOST_NAMED], *more])}"
        lines += [f"  {_MARGIN}{text}"] if 2 + len(_MARGIN) + cells(text) <= width else _indented(text, width, 2)
        lines += _indented(notes[cause], width, 4) if cause in notes else []
    if len(causes) > _MOST_CAUSES:
        lines.append(f"  {_MARGIN}and {count(len(causes) - _MOST_CAUSES, 'cause')} more: --all")
    return lines


def _indented(text: str, width: int, more: int = 0) -> list[str]:
    return wrapped(text, width, len(_MARGIN) + more)


def _ways(advice: str, ways: WaysOn, width: int, style: Style) -> list[str]:
    """The ways out, each command on a line of its own; `advice` is about materials, empty if none is missing."""
    lines: list[str] = []
    # The advice ends with a colon, and leads nowhere without the run.
    if advice and ways.free_run:
        lines += _indented(advice, width)
        lines.append(f"{_MARGIN}  {style(escape_terminal(ways.free_run), 'command')}")
    if ways.wider_selection:
        price = "" if ways.wider_credits is None else f", {credits_text(ways.wider_credits)} credits"
        lines += _indented(f"with the shots that they are made from{price}:", width)
        lines.append(f"{_MARGIN}  {style(escape_terminal(ways.wider_selection), 'command')}")
    return lines
