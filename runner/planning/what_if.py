"""Prices of the whole film with each model and resolution of the edition, and what keeps shots out. Pure."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from runner.diagnostics.problem import Problem
from runner.editions.edition import Edition
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason why a shot cannot be made with a model and resolution."""

    shot: str
    """The shot's id; "" for a reason that concerns no single shot."""
    why: str


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """The film with one model and resolution in place of the shots' own."""

    model: str
    resolution: str
    credits: Decimal | None
    """Price of all takes that are not made yet, now and after picks; None where shots are kept out."""
    cannot: tuple[Obstacle, ...] = ()


Compile = Callable[[str, str], tuple[Batch, list[Problem]]]
"""Compiles the storyboards with a model and a resolution for all shots; returns the errors beside the batch."""


def compare(edition: Edition, compile_with: Compile, plan: Callable[[Batch], Plan]) -> tuple[WhatIfRow, ...]:
    """Return a row for each model and resolution of the edition: those that can make all shots first, by price."""
    rows = [_row(model, resolution, compile_with, plan) for model, resolution in _combinations(edition)]
    # Those that can make the film first; what has no price would otherwise look like the cheapest.
    return tuple(sorted(rows, key=lambda row: (row.credits is None, row.credits or Decimal(0))))


def _combinations(edition: Edition) -> Iterator[tuple[str, str]]:
    return ((model, resolution) for model in edition.model_rows for resolution in edition.resolutions(model))


def _row(model: str, resolution: str, compile_with: Compile, plan: Callable[[Batch], Plan]) -> WhatIfRow:
    batch, errors = compile_with(model, resolution)
    if errors:
        return WhatIfRow(model, resolution, None, _unique(_obstacles(errors)))
    planned = plan(batch)
    totals = planned.totals
    # A sum without a shot would look like the cheapest way to make the film.
    if totals.credits is None or totals.later_credits is None:
        unpriced = (step for step in planned.steps if step.price.credits is None)
        reasons = (Obstacle(step.shot.id, f"the price book has no price of {step.price.row}") for step in unpriced)
        return WhatIfRow(model, resolution, None, _unique(reasons))
    return WhatIfRow(model, resolution, totals.credits + totals.later_credits)


def _obstacles(errors: Iterable[Problem]) -> Iterator[Obstacle]:
    for problem in errors:
        for shot in problem.shots or ("",):
            yield Obstacle(shot, problem.message)


def _unique(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    return tuple(dict.fromkeys(obstacles))
