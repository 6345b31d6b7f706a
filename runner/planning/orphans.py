"""Orphans: paid attempts that no take of the storyboards asks for any more; on the screen "earlier version". Pure."""

from collections.abc import Callable, Collection
from typing import NamedTuple

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.clip_name import names_files
from runner.attempts.events import Account
from runner.attempts.film import FilmName, TakeKey
from runner.attempts.history import History

StoryboardGone = Callable[[str], bool]
"""Whether a storyboard's file is gone: no run names a renamed or deleted file again."""


def no_storyboard_gone(storyboard: str) -> bool:
    """The rule where no disk is looked at: every storyboard that an attempt names is still there."""
    return False


class Orphan(NamedTuple):
    """An attempt that is possibly paid and still open, and that no take of the storyboards asks for any more."""

    attempt: str
    """The attempt's id."""
    fingerprint: str
    film: FilmName
    shot: str
    take: int
    is_unsettled: bool
    """Whether nobody knows its outcome: it is for the user to settle."""
    is_locked_elsewhere: bool = False
    """Whether another run holds the output that its clip belongs to."""

    @property
    def key(self) -> TakeKey:
        return (self.film, self.shot, self.take)

    @property
    def may_be_fetched(self) -> bool:
        """Whether this run may download its clip: a manifest can be edited, and a shot's id names a folder."""
        return names_files(self.shot) and not self.is_locked_elsewhere


def find_orphans(
    history: History,
    account: Account,
    films: Collection[FilmName],
    is_gone: StoryboardGone,
    wanted: Callable[[], Collection[str | None]],
) -> tuple[Orphan, ...]:
    """The orphans of these films, and of films with their profiles whose storyboard is gone, in the order of intents.

    `wanted` gives the fingerprints of all takes that a plan has, and is called only where something is open.
    """
    # Free clips are drawn again when they are wanted again.
    if account.free:
        return ()
    profiles = {film.profile for film in films}
    candidates = [
        attempt
        for attempt in history.open()
        # Only what this repository ordered from this machine: others' tasks are theirs to collect.
        if attempt.state.is_paid and not attempt.from_manifest and attempt.repository is None
        if attempt.intent.film in films or (attempt.intent.profile in profiles and is_gone(attempt.intent.storyboard))
    ]
    if not candidates:
        return ()
    # Only now: to name what all takes want takes a hash for each of them.
    fingerprints = wanted()
    return tuple(
        _orphan(attempt)
        for attempt in candidates
        if attempt.intent.fingerprint not in fingerprints
        # A take that was ordered again has the later attempt; the earlier one is left over, and perhaps paid.
        or history.current_attempt(attempt.intent.fingerprint) is not attempt
    )


def _orphan(attempt: Attempt) -> Orphan:
    intent = attempt.intent
    is_unsettled = attempt.state is AttemptState.UNSETTLED
    return Orphan(attempt.id, intent.fingerprint, intent.film, intent.shot, intent.take, is_unsettled)
