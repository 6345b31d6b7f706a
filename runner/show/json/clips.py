"""The documents of `verify --json` and `fetch --json`."""

from collections.abc import Sequence
from typing import Literal

from runner.show.json.shapes import film_json
from runner.show.screens.clips import ClipCheck

VERSION = 1


def clips_json(checks: Sequence[ClipCheck], command: Literal["verify", "fetch"]) -> dict[str, object]:
    """The document `{"verify": 1, "whole": …, "clips": […]}`, or the same with `fetch`."""
    return {
        command: VERSION,
        "whole": all(check.is_fine for check in checks),
        "clips": [
            {
                **film_json(check.film),
                "shot": check.shot,
                "take": check.take,
                "path": check.path,
                "verdict": check.verdict,
                "message": check.message,
            }
            for check in checks
        ],
    }
