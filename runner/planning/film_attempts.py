"""The attempts of a film: those that were ordered for it, and those of other films whose clip it shares. Pure."""

from collections.abc import Collection

from runner.attempts.attempt import Attempt
from runner.attempts.film import FilmName
from runner.planning.selection import is_in_output


def was_ordered_for(film: FilmName, attempt: Attempt, storyboards: Collection[str]) -> bool:
    """Whether an attempt was ordered for a film; a storyboard that the batch does not have may be its old path.

    `storyboards` are the paths of the batch.
    """
    intent = attempt.intent
    is_here = intent.storyboard == film.storyboard or intent.storyboard not in storyboards
    return is_here and intent.profile == film.profile


def has_clip_in(film: FilmName, attempt: Attempt) -> bool:
    """Whether a copy of an attempt's clip lies in the output of a film, which shares it with another film."""
    return any(clip.repository is None and is_in_output(clip.path, film) for clip in attempt.clips)
