"""The words of a shot that travel beside its request. Pure."""

import re

from runner.language.model import Shot
from runner.lazy_pattern import lazy_pattern
from runner.planning.plan import Plan
from runner.requests.shot_text import MAX_BYTES, ShotText, own_part

# Positions in another shot's prompt are those of its materials, not of this shot's.
_POSITION = lazy_pattern(r"@(?:image|video|audio)\d+ ?", re.IGNORECASE)


def shot_text(plan: Plan, shot: Shot) -> ShotText:
    """The shot's own prompt; its scene with the own prompts of the scene's other shots, as far as a header holds."""
    if shot.scene is None:
        return ShotText(shot.own_prompt)
    lines, length = [" ".join(shot.scene.split())], len(shot.scene)
    for other in plan.shots_by_scene.get((shot.film, shot.scene), []):
        if other.id != shot.id and other.own_prompt and length < MAX_BYTES:
            lines.append(" ".join(_POSITION.sub("", own_part(other.own_prompt, other.request.prompt or "")).split()))
            length += len(lines[-1])
    return ShotText(shot.own_prompt, "\n".join(lines))
