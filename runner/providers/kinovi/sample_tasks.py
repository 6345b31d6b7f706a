"""The documented sample tasks, which `doctor --demo` compares with the documentation, free of charge."""

from collections.abc import Mapping

from runner.attempts.events import Failed, Running, Succeeded
from runner.diagnostics.problem import HealthCheck
from runner.providers.api import ApiClient

DEMO: Mapping[str, str] = {
    "demo_task_t2v_success": "success",
    "demo_task_i2v_success": "success",
    "demo_task_fail_text_moderation": "moderation",
    "demo_task_fail_face_detected": "face",
    "demo_task_fail_server_error": "provider",
}
"""The sample tasks with their documented outcome."""


async def sample_tasks(client: ApiClient) -> list[HealthCheck]:
    """One check for each of the sample tasks."""
    return [await _check(client, task, expected) for task, expected in DEMO.items()]


async def _check(client: ApiClient, task: str, expected: str) -> HealthCheck:
    answer = await client.poll(task, None)
    match answer:
        case Succeeded(outputs) if expected == "success" and outputs:
            return HealthCheck(task, "ok", "succeeded, with a clip")
        case Failed(kind, message) if kind == expected:
            return HealthCheck(task, "ok", f"failed as documented: {message}")
        case Running(answered=False, message=message):
            hint = "the sample tasks need the demo key of the documentation" if answer.not_found else "try again"
            return HealthCheck(task, "error", f"could not be read: {message}", hint)
        case _:
            return HealthCheck(task, "warning", f"is {type(answer).__name__.lower()}; documented: {expected}")
