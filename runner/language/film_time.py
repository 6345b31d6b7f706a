"""Film time: how long a shot is on screen, and the length of the clip that follows from it."""

from decimal import ROUND_CEILING, Decimal

from runner.diagnostics.plural import count
from runner.language.shot_reporter import ShotReporter
from runner.language.yaml.document import Value
from runner.requests.decimals import decimal_text, exact_decimal

# Times are compared to the millisecond: a sum of decimal fractions in a file is exact to a person.
_ROUNDING = Decimal("0.001")


def whole_seconds(end: Decimal) -> int:
    """The smallest whole number of seconds that holds a time."""
    return int(end.quantize(_ROUNDING).to_integral_value(ROUND_CEILING))


def clip_seconds(in_seconds: Value, film_seconds: Value, limits: tuple[int, int], default: int) -> int:
    """The length of a clip without `duration`: what holds `in` and `seconds`, within an edition's limits.

    A shot without film time, or with `in` alone, has the model's default length.
    """
    length = exact_decimal(film_seconds)
    if length is None:
        return default
    shortest, longest = limits
    return min(max(whole_seconds((exact_decimal(in_seconds) or Decimal(0)) + length), shortest), longest)


def check_film_time(reporter: ShotReporter, clip: int, longest: int) -> None:
    """Report a shot whose film time no clip can hold, or that ends after its clip of so many seconds."""
    draft = reporter.draft
    in_seconds, length = exact_decimal(draft.values.get("in")), exact_decimal(draft.values.get("seconds"))
    if (in_seconds is None and length is None) or not draft.broken.isdisjoint(("in", "seconds", "duration")):
        return
    start = in_seconds or Decimal(0)
    end = start + (length or Decimal(0))
    if end <= clip and start < clip:
        return
    field = "seconds" if length is not None else "in"
    # A shot that begins at the very end of a second needs a clip that goes on beyond it.
    needed = max(whole_seconds(end), int(start) + 1)
    if needed > longest:
        message = f"this shot needs {_range(start, end)} of a clip, and the longest clip has {longest} seconds"
        parts = -(-needed // longest)
        hint = f"split it into {count(parts, 'shot')} that continue each other: {_continued(draft.id)}"
        reporter.note("film-time-long", draft.origin(field), message, hint)
        return
    message = f"this shot uses its clip to {decimal_text(end)} s, and the clip has {clip} seconds"
    if length is None:
        message = f"this shot begins at {decimal_text(start)} s of its clip, and the clip has {clip} seconds"
    hint = f"write duration: {needed}, or duration: null, which lets it follow from `seconds`"
    if length is None:
        hint = f"write duration: {needed}, or an earlier `in`"
    reporter.note("film-time", draft.origin(field), message, hint)


def check_range(what: str, start: Decimal, length: Decimal | None, clip: Decimal) -> tuple[str, str] | None:
    """Message and hint of a range that does not lie within something of so many seconds; None when it does."""
    if start >= clip:
        return f"this begins at {decimal_text(start)} s of {what}, which has {decimal_text(clip)} s", "begin earlier"
    if length is not None and (start + length).quantize(_ROUNDING) > clip.quantize(_ROUNDING):
        message = f"this uses {what} to {decimal_text(start + length)} s, and it has {decimal_text(clip)} s"
        return message, f"write seconds: {decimal_text(clip - start)}, or less"
    return None


def _range(start: Decimal, end: Decimal) -> str:
    return (
        f"{decimal_text(end)} seconds" if start == 0 else f"{decimal_text(end)} seconds (`in` and `seconds` together)"
    )


def _continued(shot: str) -> str:
    return f'first_frame: "@{shot}.last_frame"'
