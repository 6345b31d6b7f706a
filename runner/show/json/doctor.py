"""The document of `doctor --json`."""

from collections.abc import Sequence

from runner.diagnostics.problem import HealthCheck

VERSION = 1


def doctor_json(checks: Sequence[HealthCheck]) -> dict[str, object]:
    """The document `{"doctor": 1, "ready": …, "checks": […]}`."""
    return {
        "doctor": VERSION,
        "ready": all(check.verdict != "error" for check in checks),
        "checks": [
            {"name": check.name, "verdict": check.verdict, "message": check.message, "hint": check.hint}
            for check in checks
        ],
    }
