"""The five sample tasks that the documentation lets anybody look at, with the key that can do nothing else."""

from collections.abc import Callable, Mapping

from runner.animatic.spec import AnimaticSpec, to_json
from runner.requests.request import JsonValue
from runner.sandbox.state.task import TASK_ERRORS

_MADE, _DONE = 1_735_599_634_000, 1_735_599_754_000
_ERRORS: Mapping[str, str | None] = {
    "demo_task_t2v_success": None,
    "demo_task_i2v_success": None,
    "demo_task_fail_text_moderation": TASK_ERRORS["text"],
    "demo_task_fail_face_detected": TASK_ERRORS["face"],
    "demo_task_fail_server_error": TASK_ERRORS["server"],
}
NAMES = tuple(_ERRORS)
_PROMPTS = {
    "demo_task_t2v_success": "A lighthouse at dusk, the beam sweeps over a calm sea",
    "demo_task_i2v_success": "The boat drifts out of the harbour, slow push in",
}


def record(task_id: str, base: str, link: Callable[[str, str, str], str]) -> dict[str, JsonValue] | None:
    """What recordInfo says of a sample task; None when it is none."""
    if task_id not in _ERRORS:
        return None
    error = _ERRORS[task_id]
    clip: list[JsonValue] = [{"url": link(base, task_id, "video.mp4"), "width": 1280, "height": 720}]
    return {
        "taskId": task_id,
        "model": "seedance-20",
        "status": "fail" if error else "success",
        "creditsUsed": 0 if error else 200,
        "output": None if error else clip,
        "error": error,
        "createTime": _MADE,
        "completeTime": None if error else _DONE,
    }


def order(task_id: str) -> dict[str, JsonValue] | None:
    """What to draw for a sample task that succeeded."""
    prompt = _PROMPTS.get(task_id)
    return None if prompt is None else to_json(AnimaticSpec("seedance-20", prompt, 5, 1280, 720))
