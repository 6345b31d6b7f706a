"""Spoken lines: which they are, when they are heard, and that the caption leaves them to the subtitles."""

import math
from array import array

import pytest

from runner.animatic.encode import RATE
from runner.animatic.overlay import caption_of
from runner.animatic.sound import even_volume, sound_track
from runner.animatic.spec import AnimaticSpec
from runner.animatic.speech import spoken_lines, spoken_seconds, syllables, without_lines


def _loudness(samples: "array[float]", start: float, end: float) -> float:
    part = samples[int(start * RATE) : int(end * RATE)]
    return math.sqrt(sum(value * value for value in part) / len(part))


@pytest.mark.parametrize(
    ("prompt", "lines"),
    [
        ('She says quietly: "Not today."', ["Not today."]),
        ("He whispers “Run” and is gone", ["Run"]),
        ("「空は、持っていこう。」", ["空は、持っていこう。"]),
        ('A sign reads "Closed."', []),
        ('A "modern" kitchen', []),
        ('He asks: "Where?" She answers: "Here."', ["Where?", "Here."]),
    ],
)
def test_what_is_said_is_told_from_what_is_only_quoted(prompt: str, lines: list[str]) -> None:
    assert [line.words for line in spoken_lines(prompt, 6)] == lines


def test_a_line_is_heard_in_its_beat_and_two_never_at_once() -> None:
    first, second = spoken_lines('0-2s: he asks: "Where?" 2-5s: she says: "Here, by the sea."', 5)
    assert 0 <= first.start < first.end <= 2.2
    assert 2 <= second.start < second.end <= 5
    one, two = spoken_lines('He says: "One." She says: "Two."', 2)
    assert one.end <= two.start


def test_a_long_line_begins_so_early_that_it_ends_with_the_clip() -> None:
    (line,) = spoken_lines("She says: “" + "a very long line indeed, " * 4 + "”", 4)
    assert (line.start, line.end) == (0.0, 4)


@pytest.mark.parametrize(
    ("words", "count"), [("Not today", 3), ("Bring your own sky", 4), ("céu", 1), ("空は", 2), ("!", 1)]
)
def test_syllables_are_counted(words: str, count: int) -> None:
    assert syllables(words) == count


def test_more_words_and_more_pauses_take_longer() -> None:
    assert spoken_seconds("No.") < spoken_seconds("No, no.") < spoken_seconds("No, no, not today.")


def test_the_caption_leaves_the_lines_to_the_subtitles() -> None:
    assert without_lines('She says: "Not today." A sign reads "Bar".') == 'She says: … A sign reads "Bar".'
    spec = AnimaticSpec("m", "sent", 4, 640, 360, caption='@maria says: "Not today."')
    shown = " ".join(line.text for page in caption_of(spec, (640, 360)).pages for line in page.lines)
    assert shown == "@maria says: …"


def test_lines_are_heard_as_long_as_they_take_and_pauses_are_silent() -> None:
    spec = AnimaticSpec("m", 'A room. She says: "Not today."', 4, 320, 180)
    (line,) = spoken_lines(spec.prompt, 4)
    track = sound_track(spec, ())
    assert _loudness(track, line.start + 0.05, line.end - 0.4) > 10 * _loudness(track, line.end + 0.1, 4)


def test_quiet_and_loud_references_are_heard_equally_loud() -> None:
    spec = AnimaticSpec("m", "A room", 1, 320, 180)
    tone = array("f", [0.5 if at // 60 % 2 else -0.5 for at in range(RATE)])
    quiet = array("f", [value / 40 for value in tone])
    loud, soft = (_loudness(sound_track(spec, [samples]), 0.1, 0.6) for samples in (tone, quiet))
    assert loud == pytest.approx(soft, rel=0.1)
    assert even_volume(array("f", [0.0] * 100)) == 0
