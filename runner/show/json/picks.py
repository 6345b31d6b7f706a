"""A pick in the documents of `plan` and `status`."""

from runner.attempts.pick import Pick
from runner.clock import format_utc


def pick_json(pick: Pick | None) -> dict[str, object] | None:
    """A pick with the clip that it is bound to; None where no pick counts."""
    if pick is None:
        return None
    at = None if pick.at is None else format_utc(pick.at)
    return {"take": pick.take, "fingerprint": pick.fingerprint, "task_id": pick.task_id, "at": at}
