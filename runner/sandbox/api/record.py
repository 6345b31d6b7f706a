"""The record of a task as recordInfo tells it, and what a faults file makes of it. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from runner.requests.request import JsonValue
from runner.sandbox.state.task import Task, end, status

_TEN_YEARS = 10 * 366 * 86_400_000


def render_record(task: Task, now: float, output: list[JsonValue], looks: int) -> dict[str, JsonValue] | None:
    """The record at this moment; None: 404. `output` is what a success shows, `looks` counts polls, with this one."""
    if looks <= _whole(task.fault.get("missing")):
        return None
    gone_after = task.fault.get("vanish")
    if isinstance(gone_after, int | float) and now >= task.made + gone_after:
        return None
    honest = _honest(task, now, output)
    return _apply_fault(task.fault, honest, task) if task.fault else honest


def _honest(task: Task, now: float, output: list[JsonValue]) -> dict[str, JsonValue]:
    state, over = status(task, now), end(task)
    return {
        "taskId": task.id,
        "model": task.model,
        "status": state,
        "creditsUsed": 0 if state == "fail" else task.credits,
        "output": output if state == "success" else None,
        "error": task.error if state == "fail" else None,
        "createTime": int(task.made * 1000),
        "completeTime": int(over * 1000) if over is not None and state == "success" else None,
    }


def backwards(told: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A record of a success that says generating again."""
    return {**told, "status": "generating", "output": None, "completeTime": None}


def _apply_fault(fault: Mapping[str, JsonValue], honest: dict[str, JsonValue], task: Task) -> dict[str, JsonValue]:
    over = honest["status"] in ("success", "fail")
    bent = dict(honest)
    word = "final_status" if over else "status"
    if word in fault:
        bent["status"] = fault[word]
    if "credits" in fault:
        bent["creditsUsed"] = fault["credits"]
    if fault.get("reserved") and honest["status"] == "fail":
        bent["creditsUsed"] = task.credits
    if honest["status"] == "fail":
        bent["error"] = _error(fault.get("error_form"), task.error or "")
    if honest["status"] == "success" and "output" in fault:
        bent["output"] = _output(str(fault["output"]), honest["output"])
    if "record" in fault:
        bent |= {"taskId": "task_clsomebodyelse0000000000"} if fault["record"] == "other-task" else {"model": "veo-3"}
    if "times" in fault:
        bent |= {name: _time(str(fault["times"]), honest[name]) for name in ("createTime", "completeTime")}
    return bent


def _error(form: JsonValue, words: str) -> JsonValue:
    told: dict[str, JsonValue] = {"code": "TASK_FAILED", "message": words}
    forms: dict[str, JsonValue] = {"object": told, "list": [told]}
    return forms.get(str(form), words)


def _output(what: str, honest: JsonValue) -> JsonValue:
    shown = honest[0] if isinstance(honest, list) and isinstance(honest[0], dict) else {}
    elsewhere = {
        "file": "file:///etc/hostname",
        "private": "http://169.254.169.254/latest/meta-data/video.mp4",
        "elsewhere": "https://media.invalid/video.mp4",
    }
    if what in elsewhere:
        return [{**shown, "url": elsewhere[what]}]
    forms: dict[str, JsonValue] = {
        "empty": [],
        "no-url": [{key: value for key, value in shown.items() if key != "url"}],
        "two": [shown, {**shown, "url": f"{shown.get('url')}&clip=2"}],
    }
    return forms.get(what)


def _time(form: str, honest: JsonValue) -> JsonValue:
    if not isinstance(honest, int):
        return honest
    forms: dict[str, JsonValue] = {
        "seconds": honest // 1000,
        "iso": datetime.fromtimestamp(honest / 1000, UTC).isoformat(),
        "future": honest + _TEN_YEARS,
    }
    return forms.get(form)


def _whole(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
