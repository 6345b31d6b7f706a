"""Times as shot lists write them: seconds, minutes and seconds, time codes with frames. Pure."""

import re
from decimal import Decimal

from runner.lazy_pattern import lazy_pattern

# Digits are counted in all three: a cell may have a million of them.
_SECONDS = lazy_pattern(r"(\d{1,6}(?:[.,]\d{1,6})?)\s*(?:s|sec|secs|seconds?|\"|″)?\Z", re.IGNORECASE)
_CLOCK = lazy_pattern(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:[.,]\d{1,6})?)\Z")
_TIME_CODE = lazy_pattern(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2})\Z")
DEFAULT_RATE = 24
"""Pictures a second where a list does not name them."""


def parse_seconds(text: str, rate: int = DEFAULT_RATE) -> Decimal | None:
    """The seconds of `4`, `4,5`, `5s`, `0:05`, `1:00:58.5`, `01:00:09:12`; None for any other text."""
    text = text.strip()
    if match := _SECONDS.match(text):
        return Decimal(match[1].replace(",", "."))
    # `01:02:03.04` may have hundredths of a second; with a third sign before the last pair they are pictures.
    if (frame := parse_frames(text, rate)) is not None and text.count(":") + text.count(";") > 2:
        return frame_seconds(frame, rate, ";" in text)
    if match := _CLOCK.match(text):
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), Decimal(match[3].replace(",", "."))
        return hours * 3600 + minutes * 60 + seconds
    return None


def parse_frames(text: str, rate: int) -> int | None:
    """The number of a picture by its time code `HH:MM:SS:FF`; with a semicolon drop-frame, at 30 a second."""
    match = _TIME_CODE.match(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, frames = int(match[1]), int(match[2]), int(match[3]), int(match[5])
    minutes += hours * 60
    if match[4] == ";":
        # Drop-frame leaves out two numbers at each minute, but at no tenth one.
        return (minutes * 60 + seconds) * 30 + frames - 2 * (minutes - minutes // 10)
    return (minutes * 60 + seconds) * rate + frames


def frame_seconds(frames: int, rate: int, drop_frame: bool = False) -> Decimal:
    """Seconds of so many pictures, to the millisecond."""
    # 29.97 pictures a second are 30,000 / 1,001.
    exact = Decimal(frames) * 1001 / 30_000 if drop_frame else Decimal(frames) / rate
    return plain_number(exact)


def plain_number(number: Decimal) -> Decimal:
    """A number to three places, without zeros at its end."""
    rounded = round(number, 3)
    return rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded.normalize()
