"""Cheaper alternatives to a plan: profiles, lower resolutions, fewer takes, single scenes. Pure."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial

from runner.attempts.film import ShotKey
from runner.editions.edition import Edition
from runner.editions.model import SHORT_SIDE
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import dataclass, replace

# The resolutions of a draft, lowest first.
_DRAFTS = [name for name in SHORT_SIDE if SHORT_SIDE[name] < 1080]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One cheaper alternative: the flag or field to write, and the credits of the run with it."""

    description: str
    credits: Decimal
    command: bool
    """Whether it is a flag of the command line rather than a line of the storyboard."""


PriceOf = Callable[[Batch, frozenset[ShotKey] | None], Decimal | None]
"""Computes the credits of a run's new orders for a batch and a selection."""

# More would be a catalogue: the price table is another command.
_MAX_ALTERNATIVES = 4
# Scenes that are priced, of more the longest and the shortest: each takes a plan of the whole film.
_MAX_SCENES = 8


def find_cheaper(
    batch: Batch, edition: Edition, price: PriceOf, limit: Decimal | None, profiles: Mapping[str, Batch]
) -> tuple[Alternative, ...]:
    """Alternatives cheaper than the batch, within `limit` if given; flags before fields, dearest first.

    None of a batch that costs nothing. `profiles`: the batches of more profiles, by the flags that give them.
    """
    full_cost = price(batch, None)
    if full_cost == 0:
        return ()
    alternatives = [Alternative(flags, cost, True) for flags, cost in _priced(price, profiles)]
    alternatives += _lower_resolutions(batch, edition, price)
    alternatives += _fewer_takes(batch, price)
    alternatives += _scenes(batch, price)
    passing = [
        alternative
        for alternative in alternatives
        if alternative.credits > 0
        and (limit is None or alternative.credits <= limit)
        and (full_cost is None or alternative.credits < full_cost)
    ]
    passing.sort(key=lambda alternative: (not alternative.command, -alternative.credits, alternative.description))
    return tuple(passing[:_MAX_ALTERNATIVES])


def _priced(price: PriceOf, batches: Mapping[str, Batch]) -> Iterable[tuple[str, Decimal]]:
    for name, batch in batches.items():
        if (cost := price(batch, None)) is not None:
            yield name, cost


def _lower_resolutions(batch: Batch, edition: Edition, price: PriceOf) -> list[Alternative]:
    """Alternatives with a lower resolution that all models of the batch have."""
    models = {shot.request.model for shot in batch.shots}
    common = [name for name in _DRAFTS if all(name in edition.resolutions(model) for model in models)]
    used = {shot.request.resolution for shot in batch.shots}
    batches = {name: _with(batch, partial(_at, name)) for name in common if used - {name}}
    return [Alternative(f"resolution: {name}", cost, False) for name, cost in _priced(price, batches)]


def _at(resolution: str, shot: Shot) -> Shot:
    return shot._replace(request=shot.request._replace(resolution=resolution, upscale=None))


def _fewer_takes(batch: Batch, price: PriceOf) -> list[Alternative]:
    if all(shot.takes == 1 for shot in batch.shots):
        return []
    cost = price(_with(batch, lambda shot: shot._replace(takes=1)), None)
    return [] if cost is None else [Alternative("takes: 1", cost, False)]


def _scenes(batch: Batch, price: PriceOf) -> list[Alternative]:
    scenes: dict[str, list[Shot]] = {}
    for shot in batch.shots:
        # Only names that `--select scene:` takes without quotes, which a shell would take apart.
        if shot.scene and not set(shot.scene) & set(" ,+:*?["):
            scenes.setdefault(shot.scene, []).append(shot)
    names = list(scenes)
    if len(names) > _MAX_SCENES:
        # The length on the order stands for the price here, which would take a plan of each.
        names.sort(key=lambda scene: sum(shot.request.seconds * shot.takes for shot in scenes[scene]))
        names = names[: _MAX_SCENES // 2] + names[-_MAX_SCENES // 2 :]
    alternatives = []
    for scene in names:
        chosen = frozenset(shot.key for shot in scenes[scene])
        if (cost := price(batch, chosen)) is not None:
            alternatives.append(Alternative(f"--select scene:{scene}", cost, True))
    return alternatives


def _with(batch: Batch, change: Callable[[Shot], Shot]) -> Batch:
    storyboards = (
        replace(storyboard, shots=tuple(change(shot) for shot in storyboard.shots)) for storyboard in batch.storyboards
    )
    return Batch(tuple(storyboards))
