"""The size and rate of a film: those that most of its film time has; of equals the larger."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from runner.assembly.parts import Assembly, FilmShape
from runner.assembly.sources import SourceFacts

# Lines of a film that is made to be looked at once.
_QUICK_LINES = 480
# Pictures a second that common screens show: more would only make the film larger.
_MAX_RATE = Fraction(60)


def shape_of(assembly: Assembly, sources: Mapping[Path, SourceFacts]) -> FilmShape:
    """The shape of the whole film file, `quick` aside."""
    sizes: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
    rates: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for part in assembly.parts:
        if part.kind == "clip" and part.path is not None:
            facts = sources[part.path]
            sizes[facts.shown_size] += part.seconds
            rates[min(_MAX_RATE, facts.video.rate)] += part.seconds
    if not sizes:
        return assembly.fallback
    width, height = max(sizes, key=lambda size: (sizes[size], size[0] * size[1], size))
    rate = max(rates, key=lambda rate: (rates[rate], rate))
    return FilmShape(_even(width), _even(height), rate)


def quick_shape(shape: FilmShape) -> FilmShape:
    """The shape at no more than 480 lines on its shorter side."""
    short = min(shape.width, shape.height)
    if short <= _QUICK_LINES:
        return shape
    share = Fraction(_QUICK_LINES, short)
    return FilmShape(_even(round(shape.width * share)), _even(round(shape.height * share)), shape.rate)


def fitted(size: tuple[int, int], shape: FilmShape) -> tuple[int, int]:
    """The largest size of the same proportions (even numbers) that fits into the film's picture: bars fill the rest."""
    share = min(Fraction(shape.width, size[0]), Fraction(shape.height, size[1]))
    return min(shape.width, _even(round(size[0] * share))), min(shape.height, _even(round(size[1] * share)))


def _even(length: int) -> int:
    # The encoders take even sizes only: a sample of colour belongs to two by two pixels.
    return max(2, length + length % 2)
