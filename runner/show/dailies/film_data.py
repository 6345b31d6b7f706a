"""The content of the dailies page as plain values for JSON. Pure: a film, its files and its sums in.

The names of the fields are read by `page.js`; what has nothing to say is left out, so that 1,000 shots fit a page.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from runner.attempts.attempt import Attempt
from runner.attempts.film import storyboard_slug
from runner.attempts.history import History
from runner.attempts.sums import CreditSums
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import LocalFile, TakeReference
from runner.show.dailies.way_on import way_on
from runner.show.screens.advice import FieldLocator, material_name, no_location
from runner.show.text.command_line import CommandLine
from runner.show.text.format import credits_text, dollars, length
from runner.timeline.cut_list import CutList, Segment
from runner.timeline.shot_note import ShotNote

VERSION = 1
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class PageFile:
    """A clip or picture that the page shows."""

    address: str
    """Relative to the page, percent-encoded."""
    poster: str = ""
    """Key of its poster; "" without one."""
    seconds: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Dailies:
    """All that the page shows of one film."""

    cut: CutList
    storyboard: Storyboard
    plan: Plan
    history: History
    shots: tuple[Shot, ...]
    """The shots in film order, each once; those that the cut leaves out are last."""
    clips: Mapping[tuple[str, int], PageFile] = field(default_factory=dict)
    """The clips at hand, by shot and take."""
    segments: tuple[PageFile | None, ...] = ()
    """The file of each segment of the cut; None for a slate."""
    animatics: Mapping[str, PageFile] = field(default_factory=dict)
    """The drawn clip of each shot that has one beside its paid clips."""
    references: Mapping[str, PageFile] = field(default_factory=dict)
    """The files among the materials, by their paths from the repository's top."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """The prompt of each shot as written in the file."""
    notes: Mapping[str, Sequence[ShotNote]] = field(default_factory=dict)
    sums: CreditSums = CreditSums()
    locate_field: FieldLocator = no_location
    line: CommandLine = CommandLine()
    """The command line that names this film: storyboard, provider and profile."""

    def attempt(self, step: Step) -> Attempt | None:
        """The attempt that determines the state of a take."""
        return self.history.attempts.get(step.attempt or "")


def film_json(dailies: Dailies, posters: Mapping[str, str], *, is_served: bool) -> Json:
    """The film as the page reads it; `posters` has the address of each poster by its key."""
    shots = dailies.shots
    positions = {shot.id: position for position, shot in enumerate(shots)}
    storyboard = dailies.storyboard
    film: Json = {
        "version": VERSION,
        "title": storyboard.title or storyboard_slug(storyboard.path),
        "storyboard": storyboard.path,
        "slug": storyboard_slug(storyboard.path),
        "provider": dailies.plan.account.provider,
        "animatics": dailies.plan.is_free,
        "served": is_served,
        "seconds": float(dailies.cut.seconds),
        "length": length(dailies.cut.seconds),
        "facts": _facts(dailies, shots),
        "notes": list(dailies.cut.notes),
        "posters": dict(posters),
        "shots": [_shot(dailies, shot) for shot in shots],
        "cut": [
            _segment(segment, file, positions)
            for segment, file in zip(dailies.cut.segments, dailies.segments, strict=True)
        ],
    }
    if storyboard.profile is not None:
        film["profile"] = storyboard.profile
    if storyboard.length is not None:
        film["wanted"] = float(storyboard.length)
    return film


def _facts(dailies: Dailies, shots: Sequence[Shot]) -> list[tuple[str, str]]:
    """The totals, each a name and a value."""
    plan, missing = dailies.plan, {segment.label for segment in dailies.cut.missing}
    have = sum(shot.id not in missing for shot in shots)
    takes = [step for shot in shots for step in plan.takes_of(shot)]
    facts = [("shots", f"{have} of {len(shots)}"), ("takes", f"{len(dailies.clips)} of {len(takes)}")]
    picked = sum(any(map(plan.is_picked, plan.takes_of(shot))) for shot in shots)
    facts.append(("picked", f"{picked} of {sum(len(plan.takes_of(shot)) > 1 for shot in shots)}"))
    wanted = dailies.storyboard.length
    facts.append(("film", length(dailies.cut.seconds) + (f" of {length(wanted)} wanted" if wanted else "")))
    if plan.is_free:
        facts.append(("cost", "free"))
        return facts
    sums = dailies.sums
    amounts = (
        ("billed", sums.billed),
        ("in flight", sums.in_flight),
        ("unsettled", sums.unsettled),
        ("maybe charged", sums.maybe_charged),
    )
    for name, amount in amounts:
        # A bill of nothing is an answer to "what was paid so far"; nothing unsettled, or nothing in flight, is none.
        if amount or name == "billed":
            facts.append((name, _money(amount, plan)))
    if to_make := sum((step.price.credits or Decimal(0) for step in takes if step.is_billable), Decimal(0)):
        facts.append(("to make", _money(to_make, plan)))
    return facts


def _money(credits: Decimal, plan: Plan) -> str:
    return f"{credits_text(credits)} credits · {dollars(plan.usd(credits))}"


def _shot(dailies: Dailies, shot: Shot) -> Json:
    request, steps = shot.request, dailies.plan.takes_of(shot)
    written = dailies.prompts.get(shot.id) or request.prompt
    in_film = [
        segment.seconds for segment in dailies.cut.segments if segment.shot is not None and segment.shot.id == shot.id
    ]
    fields: Json = {
        "id": shot.id,
        "title": shot.title,
        "scene": shot.scene,
        "tags": list(shot.tags),
        "model": f"{request.model} · {request.resolution}"
        + (f" · {request.aspect_ratio}" if request.aspect_ratio else ""),
        "clip": request.seconds,
        "seconds": float(sum(in_film) if in_film else dailies.plan.film_seconds(shot)),
        "in": float(shot.in_seconds),
        "out": None if shot.film_seconds is None else float(shot.in_seconds + shot.film_seconds),
        "written": written,
        # Sent once where they are equal, since the page is to stay below 3 MB with 1,000 shots of 3 takes.
        "own": None if shot.own_prompt == written else shot.own_prompt,
        "sent": None if request.prompt == dailies.prompts.get(shot.id) else request.prompt,
        "about": shot.notes,
        "references": [_reference(dailies, shot, number) for number in range(len(request.materials))],
        "notes": [{"at": note.at, "take": note.take, "text": note.text} for note in dailies.notes.get(shot.id, ())],
        "picked": next((step.take for step in steps if dailies.plan.is_picked(step)), None),
        "animatic": _file(dailies.animatics.get(shot.id)),
        "takes": [_take(dailies, step) for step in steps],
    }
    return _without_nothing(fields)


def _take(dailies: Dailies, step: Step) -> Json:
    attempt, file = dailies.attempt(step), dailies.clips.get((step.shot.id, step.take))
    # In a clone the manifest says made and the folder has no clips: the page leads to `fetch`, never to a new order.
    is_missing = step.action is Action.KEEP and file is None
    quoted = attempt.intent.quoted if attempt is not None else step.price.credits
    billed = attempt.credits_used if attempt is not None else None
    fields: Json = {
        "take": step.take,
        "state": step.action.value,
        "reason": "its clip is not on this machine" if is_missing else _reason(step, attempt),
        "retake": step.is_retake or None,
        # Prices of free takes are those of the paid provider: at a take they would read as money that was spent.
        "quoted": credits_text(quoted) if quoted is not None and not dailies.plan.is_free else None,
        "billed": credits_text(billed) if billed is not None and not dailies.plan.is_free else None,
        "words": attempt.message if attempt is not None and attempt.message else None,
        "way": "\n".join(
            way_on(step, attempt, dailies.plan, dailies.locate_field, dailies.line, is_missing=is_missing)
        ),
        # Of any other state the reason says already what is wrong with the clip.
        "about": list(attempt.notes) if attempt is not None and step.action is Action.KEEP else [],
        "file": _file(file),
    }
    return _without_nothing(fields)


def _reason(step: Step, attempt: Attempt | None) -> str | None:
    if step.action is Action.KEEP:
        return None if step.reason.text == "made" else step.reason.text
    if step.action is Action.RESUME and attempt is not None and attempt.status:
        return attempt.status
    return step.reason.text


def _reference(dailies: Dailies, shot: Shot, number: int) -> Json:
    material = shot.request.materials[number]
    fields: Json = {"name": material_name(shot, number), "kind": material.kind}
    if isinstance(material, LocalFile) and (file := dailies.references.get(material.path)) is not None:
        fields["poster"] = file.poster
    if isinstance(material, TakeReference):
        fields["shot"] = material.shot
        files = [dailies.clips.get((material.shot, take)) for take in _takes(dailies, material)]
        fields["poster"] = next((file.poster for file in files if file is not None), "")
    return _without_nothing(fields)


def _takes(dailies: Dailies, material: TakeReference) -> Iterator[int]:
    """The takes whose picture stands for a reference to a shot: the pinned one, the picked one, any other."""
    if material.take is not None:
        yield material.take
    steps = dailies.plan.steps_of((dailies.storyboard.film, material.shot))
    # A sort keeps the order of equals: the picked take first, the others by their numbers.
    yield from (step.take for step in sorted(steps, key=dailies.plan.is_picked, reverse=True))


def _segment(segment: Segment, file: PageFile | None, positions: Mapping[str, int]) -> Json:
    fields: Json = {
        "shot": positions[segment.shot.id] if segment.shot is not None else None,
        "take": segment.take,
        "label": segment.label if segment.shot is None else None,
        "in": float(segment.in_seconds) or None,
        "seconds": float(segment.seconds),
        "reason": segment.reason,
        "file": file.address if file is not None else None,
        "poster": file.poster if file is not None and segment.shot is None else None,
        "picture": segment.is_picture or None,
    }
    # Not `_without_nothing`: of the positions, 0 is the first shot.
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _file(file: PageFile | None) -> Json | None:
    if file is None:
        return None
    fields: Json = {
        "address": file.address,
        "poster": file.poster,
        "seconds": file.seconds,
        "width": file.width,
        "height": file.height,
    }
    return _without_nothing(fields)


def _without_nothing(fields: Mapping[str, object]) -> Json:
    """The fields that have something to say."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], 0.0)}
