"""The form of a task's id, as answers, manifests and the command line may have it. Pure."""

from runner.lazy_pattern import lazy_pattern

_ID = lazy_pattern(r"[A-Za-z0-9._:-]{1,200}")


def is_task_id(text: str) -> bool:
    """Whether a text can be the id of a task."""
    return _ID.fullmatch(text) is not None
