"""The record of a task in recordInfo's form, with the changes of a faults file. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from runner.requests.request import JsonValue
from runner.sandbox.state.task import Task, bill, end_time, status

# In milliseconds, as the record has its times.
_TEN_YEARS = 10 * 366 * 86_400_000


def render_record(task: Task, now: float, output: list[JsonValue], polls: int) -> dict[str, JsonValue] | None:
    """The record at a moment; None: 404. `output` belongs to a success; `polls` counts this poll, too."""
    # A replica that lags behind: the first polls do not know the task yet.
    if polls <= _count(task.fault.get("missing")):
        return None
    gone_after = task.fault.get("vanish")
    if isinstance(gone_after, int | float) and now >= task.created_at + gone_after:
        return None
    record = _true_record(task, now, output)
    return _apply_fault(task.fault, record, task) if task.fault else record


def _true_record(task: Task, now: float, output: list[JsonValue]) -> dict[str, JsonValue]:
    state, ended_at = status(task, now), end_time(task)
    return {
        "taskId": task.id,
        "model": task.model,
        "status": state,
        "creditsUsed": bill(task, now),
        "output": output if state == "success" else None,
        "error": task.error if state == "fail" else None,
        "createTime": int(task.created_at * 1000),
        "completeTime": int(ended_at * 1000) if ended_at is not None and state == "success" else None,
    }


def as_still_generating(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The record of a success, turned back to generating."""
    return {**record, "status": "generating", "output": None, "completeTime": None}


def _apply_fault(fault: Mapping[str, JsonValue], true_record: dict[str, JsonValue], task: Task) -> dict[str, JsonValue]:
    is_over = true_record["status"] in ("success", "fail")
    record = dict(true_record)
    status_fault = "final_status" if is_over else "status"
    if status_fault in fault:
        record["status"] = fault[status_fault]
    if "credits" in fault:
        record["creditsUsed"] = fault["credits"]
    # The vendor gives the credits back, and the record of a failed task goes on showing them.
    if fault.get("reserved") and true_record["status"] == "fail":
        record["creditsUsed"] = task.credits
    if true_record["status"] == "fail":
        record["error"] = _error(fault.get("error_form"), task.error or "")
    if true_record["status"] == "success" and "output" in fault:
        record["output"] = _output(str(fault["output"]), true_record["output"])
    if "record" in fault:
        # A cache or a proxy that mixes up answers.
        record |= {"taskId": "task_clsomebodyelse0000000000"} if fault["record"] == "other-task" else {"model": "veo-3"}
    if "times" in fault:
        record |= {name: _time(str(fault["times"]), true_record[name]) for name in ("createTime", "completeTime")}
    return record


def _error(form: JsonValue, message: str) -> JsonValue:
    error: dict[str, JsonValue] = {"code": "TASK_FAILED", "message": message}
    forms: dict[str, JsonValue] = {"object": error, "list": [error]}
    return forms.get(str(form), message)


def _output(fault: str, output: JsonValue) -> JsonValue:
    clip = output[0] if isinstance(output, list) and isinstance(output[0], dict) else {}
    other_urls = {
        "file": "file:///etc/hostname",
        "private": "http://169.254.169.254/latest/meta-data/video.mp4",
        "elsewhere": "https://media.invalid/video.mp4",
    }
    if fault in other_urls:
        return [{**clip, "url": other_urls[fault]}]
    forms: dict[str, JsonValue] = {
        "empty": [],
        "no-url": [{key: value for key, value in clip.items() if key != "url"}],
        "two": [clip, {**clip, "url": f"{clip.get('url')}&clip=2"}],
    }
    return forms.get(fault)


def _time(form: str, milliseconds: JsonValue) -> JsonValue:
    if not isinstance(milliseconds, int):
        return milliseconds
    forms: dict[str, JsonValue] = {
        "seconds": milliseconds // 1000,
        "iso": datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(),
        "future": milliseconds + _TEN_YEARS,
    }
    return forms.get(form)


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
