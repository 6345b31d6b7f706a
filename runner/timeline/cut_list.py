"""The cut list: every piece of a film in its order, each with the clip that shows it or the reason why none does. Pure.

Whoever shows a film (the joined video, the contact sheet, the dailies, an editor's timeline) begins with this value.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import is_clip_of
from runner.attempts.events import Clip
from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.language.edit import CutEntry, EntryKind, Music
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Plan, Step
from runner.planning.selection import is_in_output

ClipExists = Callable[[Clip], bool]
"""Whether a clip's file lies on this machine, unchanged."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the film. Without `path` a slate stands in for it."""

    kind: EntryKind
    label: str
    """The shot's id, the clip's path as written, or the words on the slate."""
    in_seconds: Decimal
    """Where in the clip the piece begins."""
    seconds: Decimal
    """How long the piece is on screen; of a whole clip its probed length."""
    path: str | None = None
    """The clip or picture, from the repository's top; None is a slate."""
    is_picture: bool = False
    is_whole: bool = False
    """Whether the clip is shown from its first picture to its last."""
    level: Decimal | None = None
    """Decibels by which the sound is raised or lowered; None leaves it as it is."""
    shot: Shot | None = None
    take: int | None = None
    """The take that is shown, or that is missing; None when no take can be named."""
    is_picked: bool = False
    """Whether the take shown is the picked one."""
    state: Action | None = None
    """What stands with the take in the plan; None for a clip of the user's own, a slate, and a skipped shot."""
    reason: str = ""
    """Why a shot has no clip to show: `new`, `the prompt changed`, `its clip is not on this machine`."""
    is_damaged: bool = False
    """Whether the clip is on this machine, and its file cannot be opened."""
    clip: Clip | None = None
    """The stored clip, with its probed size and length."""

    @property
    def end_seconds(self) -> Decimal:
        """The moment of the clip at which the piece ends."""
        return self.in_seconds + self.seconds


@dataclass(frozen=True, slots=True)
class CutList:
    """The film of one storyboard in its order."""

    storyboard: str
    """Path of the storyboard from the repository's top."""
    title: str
    segments: tuple[Segment, ...]
    music: Music | None = None
    notes: tuple[str, ...] = ()
    """What does not fit the clips that came, each one sentence: a clip shorter than the edit needs."""
    profile: str | None = None
    """The combination of profiles that the film is made with."""

    @property
    def film(self) -> FilmName:
        return FilmName(self.storyboard, self.profile)

    @property
    def seconds(self) -> Decimal:
        """The length of the film."""
        return sum((segment.seconds for segment in self.segments), Decimal(0))

    @property
    def missing(self) -> tuple[Segment, ...]:
        """The segments of shots that have no clip to show."""
        return tuple(segment for segment in self.segments if segment.kind == "shot" and segment.path is None)


def cut_list(storyboard: Storyboard, plan: Plan, history: History, clip_exists: ClipExists) -> CutList:
    """The film of a storyboard: its `cut:`, else every shot once in the order of the file.

    `plan` is that of the whole storyboard, without a selection; times are seconds of film.
    """
    resolver = _Resolver(storyboard, plan, history, clip_exists)
    segments, notes = tuple(resolver.segments()), tuple(resolver.notes)
    return CutList(storyboard.path, storyboard.title, segments, storyboard.music, notes, storyboard.profile)


class _Resolver:
    """The search for the clip of every entry, which collects what does not fit."""

    def __init__(self, storyboard: Storyboard, plan: Plan, history: History, clip_exists: ClipExists) -> None:
        self.storyboard = storyboard
        self.plan = plan
        self.history = history
        self.clip_exists = clip_exists
        self.shots = {shot.id: shot for shot in storyboard.shots}
        self.notes: list[str] = []

    def segments(self) -> Iterator[Segment]:
        if self.storyboard.cut is None:
            for shot in self.storyboard.shots:
                segment = self._of_shot(shot, None)
                # A skipped shot that was made once keeps its place; without a clip it leaves no slate.
                if segment.path is not None or not shot.skip:
                    yield segment
            return
        for entry in self.storyboard.cut:
            if entry.kind != "shot":
                yield _of_own_material(entry)
            elif entry.text in self.shots:
                yield self._of_shot(self.shots[entry.text], entry)

    def _of_shot(self, shot: Shot, entry: CutEntry | None) -> Segment:
        step = self._shown_take(shot, entry.take if entry else None)
        clip, reason = self._clip(step) if step is not None else (None, "skipped" if shot.skip else "no such take")
        in_seconds, seconds = shot.film_range(entry)
        is_whole = clip is not None and in_seconds == 0 and seconds is None
        length = _clip_length(clip) if clip is not None else None
        planned = shot.on_screen(entry)
        used_seconds = self._used_seconds(shot, length, in_seconds, seconds) if length is not None else planned
        # The slate has the planned length, so that all that follows keeps its time in the film.
        if used_seconds <= 0:
            clip, reason, used_seconds, is_whole = None, "its clip ends before the edit begins", planned, False
        if entry is not None and shot.skip and clip is None:
            self.notes.append(f"{shot.id}: is skipped and has no clip; a slate stands in")
        return Segment(
            "shot",
            shot.id,
            in_seconds,
            used_seconds,
            clip.path if clip is not None else None,
            is_whole=is_whole,
            level=entry.level if entry is not None else None,
            shot=shot,
            take=step.take if step is not None else entry.take if entry is not None else None,
            is_picked=step is not None and self.plan.is_picked(step),
            state=step.action if step is not None and not shot.skip else None,
            reason=reason,
            clip=clip,
        )

    def _used_seconds(self, shot: Shot, length: Decimal, in_seconds: Decimal, seconds: Decimal | None) -> Decimal:
        """Seconds that a clip of this length is on screen; a clip that came shorter than the edit needs is noted."""
        available = length - in_seconds
        if seconds is None:
            return available
        if seconds > available + _ONE_PICTURE:
            self.notes.append(
                f"{shot.id}: the edit uses the clip to {in_seconds + seconds:f} s, and it has {length:f} s"
            )
        return min(seconds, available)

    def _shown_take(self, shot: Shot, number: int | None) -> Step | None:
        """The take that an entry names, else the picked one, else the lowest that is made, else the first."""
        steps = self.plan.takes_of(shot)
        if number is not None:
            # No other take stands in for one that the cut names: it would be another film.
            return next((step for step in steps if step.take == number), None)
        picked = next(filter(self.plan.is_picked, steps), None)
        lowest = next((step for step in steps if step.action is Action.KEEP), None)
        # Of takes that nobody has picked the lowest: which one is shown must not change when another one is finished.
        return picked or lowest or next(iter(steps), None)

    def _clip(self, step: Step) -> tuple[Clip | None, str]:
        """The clip of a take, or why there is none to show."""
        attempt = self.history.attempts.get(step.attempt or "")
        if step.action is not Action.KEEP or attempt is None:
            return None, step.reason.text
        clips = [clip for clip in _clips_of(attempt, step) if self.clip_exists(clip)]
        return (clips[0], "") if clips else (None, "its clip is not on this machine")


# A picture at 24 a second: by so much a clip may be shorter than it was ordered.
_ONE_PICTURE = Decimal("0.042")


def _clips_of(attempt: Attempt, step: Step) -> list[Clip]:
    """The clip of an attempt under each of its names in this repository, that of the take first."""
    # A copy in another repository may be gone tomorrow, and no path of this one leads there.
    local = [clip for clip in attempt.clips if clip.repository is None]
    return sorted(
        local,
        key=lambda clip: (
            not is_clip_of(clip.path, step.shot.id, step.take),
            not is_in_output(clip.path, step.shot.film),
        ),
    )


def _clip_length(clip: Clip) -> Decimal:
    """The probed length in seconds, to the millisecond."""
    # As text first: a float's own digits would show as 4.000000000001 s.
    return round(Decimal(str(clip.seconds)), 3).normalize()


def _of_own_material(entry: CutEntry) -> Segment:
    """The segment of a finished clip, a picture or a slate: the compiler has measured it."""
    return Segment(
        entry.kind,
        entry.text,
        entry.in_seconds or Decimal(0),
        entry.seconds or Decimal(0),
        entry.path,
        is_picture=entry.is_picture,
        level=entry.level,
    )
