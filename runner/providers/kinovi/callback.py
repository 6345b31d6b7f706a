"""What a webhook says, in every known shape. Pure; never believed: it names a task to ask about, and nothing more."""

from runner.attempts.task_facts import Callback
from runner.providers.kinovi.create_response import envelopes, parse_task_id
from runner.providers.kinovi.task_record import known_status
from runner.providers.transport import strict_json


def read_callback(body: bytes) -> Callback | None:
    """Flat, or in an envelope `{code, message, data}`; with `status` or `state`. None for anything else."""
    try:
        said = strict_json.parse(body)
    except strict_json.NotJsonError:
        return None
    found = list(envelopes(said))
    tasks = {parse_task_id(box[key]) for box in found for key in ("taskId", "task_id") if key in box} - {None}
    if len(tasks) != 1:
        return None
    words = (known_status(box[key]) for box in found for key in ("status", "state") if key in box)
    return Callback(str(tasks.pop()), next((word for word in words if word is not None), None))
