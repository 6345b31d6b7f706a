"""Parser of webhook bodies in every known shape. Pure; a webhook is only a hint to poll a task, never evidence."""

from runner.attempts.task_facts import Callback
from runner.providers.kinovi.create_response import envelopes, parse_task_id
from runner.providers.kinovi.task_record import documented_status
from runner.providers.transport import strict_json


def read_callback(body: bytes) -> Callback | None:
    """Parse a callback: flat or in an envelope `{code, message, data}`, with `status` or `state`; else None."""
    try:
        payload = strict_json.parse(body)
    except strict_json.NotJsonError:
        return None
    objects = list(envelopes(payload))
    tasks = {parse_task_id(fields[key]) for fields in objects for key in ("taskId", "task_id") if key in fields} - {
        None
    }
    # A callback is about one task: of several nobody knows which has ended.
    if len(tasks) != 1:
        return None
    statuses = (documented_status(fields[key]) for fields in objects for key in ("status", "state") if key in fields)
    return Callback(str(tasks.pop()), next((status for status in statuses if status is not None), None))
