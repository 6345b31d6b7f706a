"""The form of a task's id, as answers, manifests and the command line may have it. Pure."""

import re

_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")


def is_task_id(text: str) -> bool:
    """Whether a text can be the id of a task."""
    return _ID.fullmatch(text) is not None
