"""The five sample tasks of the documentation, open to the demo key, which can do nothing else."""

from collections.abc import Callable, Mapping

from runner.animatic.spec import AnimaticSpec, to_json
from runner.requests.request import JsonValue
from runner.sandbox.state.task import TASK_ERRORS

# Times of the pages' own samples.
_CREATED_MS, _COMPLETED_MS = 1_735_599_634_000, 1_735_599_754_000
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


def record(task_id: str, base_url: str, link: Callable[[str, str, str], str]) -> dict[str, JsonValue] | None:
    """The record of a sample task; None for any other id."""
    if task_id not in _ERRORS:
        return None
    error = _ERRORS[task_id]
    clip: list[JsonValue] = [{"url": link(base_url, task_id, "video.mp4"), "width": 1280, "height": 720}]
    return {
        "taskId": task_id,
        "model": "seedance-20",
        "status": "fail" if error else "success",
        # 200 as in the sample: five seconds at 40.
        "creditsUsed": 0 if error else 200,
        "output": None if error else clip,
        "error": error,
        "createTime": _CREATED_MS,
        "completeTime": None if error else _COMPLETED_MS,
    }


def spec(task_id: str) -> dict[str, JsonValue] | None:
    """The spec of a successful sample task's clip."""
    prompt = _PROMPTS.get(task_id)
    return None if prompt is None else to_json(AnimaticSpec("seedance-20", prompt, 5, 1280, 720))
