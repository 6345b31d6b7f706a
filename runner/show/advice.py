"""What to do about a take that the provider refused or failed, in a few words."""

from runner.history import (
    Attempt,
    State,
)


def advice(attempt: Attempt | None) -> str:
    """By what the provider said: what to change, and whether it is sent again."""
    failure = attempt.failure if attempt is not None else None
    if failure == "face":
        return "give a drawn picture, or leave the person out; it is not sent again until it changes"
    if failure == "moderation":
        return "change what it says or shows; it is not sent again until it changes"
    if attempt is not None and attempt.state is State.REFUSED:
        return "it is not sent again until it changes"
    if failure == "review":
        return "the clip did not pass the provider's review; the next run tries again"
    return "the next run tries again"
