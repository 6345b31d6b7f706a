"""The record of a task as recordInfo tells it, and what a faults file makes of it. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from runner.requests.request import Plain
from runner.sandbox.state.task import Task, end, status

_TEN_YEARS = 10 * 366 * 86_400_000


def told(task: Task, now: float, output: list[Plain], looks: int) -> dict[str, Plain] | None:
    """The record at this moment; None: 404. `output` is what a success shows, `looks` counts polls, with this one."""
    if looks <= _whole(task.fault.get("missing")):
        return None
    gone_after = task.fault.get("vanish")
    if isinstance(gone_after, int | float) and now >= task.made + gone_after:
        return None
    honest = _honest(task, now, output)
    return _bent(task.fault, honest, task) if task.fault else honest


def _honest(task: Task, now: float, output: list[Plain]) -> dict[str, Plain]:
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


def backwards(told: Mapping[str, Plain]) -> dict[str, Plain]:
    """A record of a success that says generating again."""
    return {**told, "status": "generating", "output": None, "completeTime": None}


def _bent(fault: Mapping[str, Plain], honest: dict[str, Plain], task: Task) -> dict[str, Plain]:
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


def _error(form: Plain, words: str) -> Plain:
    told: dict[str, Plain] = {"code": "TASK_FAILED", "message": words}
    forms: dict[str, Plain] = {"object": told, "list": [told]}
    return forms.get(str(form), words)


def _output(what: str, honest: Plain) -> Plain:
    shown = honest[0] if isinstance(honest, list) and isinstance(honest[0], dict) else {}
    elsewhere = {
        "file": "file:///etc/hostname",
        "private": "http://169.254.169.254/latest/meta-data/video.mp4",
        "elsewhere": "https://media.invalid/video.mp4",
    }
    if what in elsewhere:
        return [{**shown, "url": elsewhere[what]}]
    forms: dict[str, Plain] = {
        "empty": [],
        "no-url": [{key: value for key, value in shown.items() if key != "url"}],
        "two": [shown, {**shown, "url": f"{shown.get('url')}&clip=2"}],
    }
    return forms.get(what)


def _time(form: str, honest: Plain) -> Plain:
    if not isinstance(honest, int):
        return honest
    forms: dict[str, Plain] = {
        "seconds": honest // 1000,
        "iso": datetime.fromtimestamp(honest / 1000, UTC).isoformat(),
        "future": honest + _TEN_YEARS,
    }
    return forms.get(form)


def _whole(value: Plain) -> int:
    return value if isinstance(value, int) else 0
