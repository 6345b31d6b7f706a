"""Parts of local sounds and videos, and frames of videos, as materials of a shot."""

from decimal import Decimal
from pathlib import Path

import pytest

from runner.requests.request import FilePart, LocalFile, fingerprint, fingerprint_fast, neutral_form
from tests.builders.media_files import colours, film, wav
from tests.builders.storyboards import codes, compiled, picture, shots

WHOLE = "storyboard: 1\nassets:\n  score: {{audio: score.wav{part}}}\n  door: door.png\nshots:\n"
DANCE = "  - {id: dance, prompt: '@door moves to the beat of @score'}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    wav(tmp_path / "score.wav", 40)
    picture(tmp_path / "door.png")
    film(tmp_path / "logo.mp4", colours(48))
    return tmp_path


def score_of(root: Path, part: str) -> LocalFile:
    material = shots(root, WHOLE.format(part=part) + DANCE)["dance"].request.materials[1]
    assert isinstance(material, LocalFile)
    return material


@pytest.mark.parametrize(
    ("written", "seconds", "stored"),
    [
        (", start: 12, seconds: 8", "8", "12+8"),
        (", start: 30.5", "9.5", "30.5"),
        (", seconds: 7", "7", "0+7"),
        (", start: 12.0, seconds: 8.00", "8", "12+8"),
        (", start: 32, seconds: 8", "8", "32"),
    ],
)
def test_a_part_has_its_own_length_and_is_checked_by_it(root: Path, written: str, seconds: str, stored: str) -> None:
    material = score_of(root, written)

    assert material.seconds == Decimal(seconds)
    assert str(material.part) == stored


def test_a_sound_that_is_too_long_as_a_whole_passes_in_part(root: Path) -> None:
    assert codes(root, WHOLE.format(part="") + DANCE) == ["audio-length"]
    assert codes(root, WHOLE.format(part=", start: 12, seconds: 8") + DANCE) == []
    assert codes(root, WHOLE.format(part=", start: 12, seconds: 16") + DANCE) == ["audio-length"]


def test_a_part_that_is_the_whole_file_is_the_file(root: Path) -> None:
    text = WHOLE.format(part=", start: 0, seconds: 40") + DANCE

    assert codes(root, text) == ["audio-length"]


def test_another_part_is_another_request_and_a_moved_file_is_none(root: Path) -> None:
    def identity(part: str, folder: str = "") -> str:
        board = WHOLE.format(part=part).replace("score.wav", f"{folder}score.wav") + DANCE
        request = shots(root, board)["dance"].request
        form = neutral_form(request, 1, lambda reference: None)  # type: ignore[arg-type,return-value]
        assert fingerprint(form) == fingerprint_fast(request, 1, lambda reference: None)  # type: ignore[arg-type,return-value]
        return fingerprint(form)

    (root / "moved").mkdir()
    (root / "moved" / "score.wav").write_bytes((root / "score.wav").read_bytes())
    first = identity(", start: 12, seconds: 8")

    assert first == identity(", start: 12, seconds: 8", "moved/")
    assert len({first, identity(", start: 13, seconds: 8"), identity(", start: 12, seconds: 9")}) == 3


def test_a_frame_of_a_video_is_a_picture_by_field_and_by_mention(root: Path) -> None:
    text = (
        "storyboard: 1\nassets:\n  logo: logo.mp4\nshots:\n"
        "  - {id: open, first_frame: '@logo.last_frame', prompt: It turns}\n"
        "  - {id: close, prompt: 'fade to @logo.first_frame and @logo.last_frame'}\n"
    )
    made = shots(root, text)
    [start] = made["open"].request.materials
    assert isinstance(start, LocalFile)
    assert (start.kind, start.name, start.width, start.height) == ("image", "logo.mp4 (last frame)", 64, 36)
    assert made["open"].request.mode == "keyframe"
    assert made["close"].request.prompt == "fade to @image1 and @image2"
    assert not made["close"].request.has_video
    assert made["close"].names == ("logo.first_frame", "logo.last_frame")


def test_the_frame_at_a_time_is_the_first_frame_of_a_part(root: Path) -> None:
    text = (
        "storyboard: 1\nassets:\n  logo: {video: logo.mp4, start: 1.5}\nshots:\n"
        "  - {id: open, first_frame: '@logo.first_frame', prompt: It turns}\n"
    )
    [start] = shots(root, text)["open"].request.materials

    assert isinstance(start, LocalFile)
    assert start.part == FilePart(Decimal("1.5"), None, "first_frame")


def test_a_video_where_a_frame_is_wanted_offers_its_frame(root: Path) -> None:
    text = "storyboard: 1\nassets:\n  logo: logo.mp4\nshots:\n  - {id: open, first_frame: logo, prompt: It turns}\n"
    [problem] = compiled(root, text)[1].errors

    assert problem.code == "material-kind"
    assert problem.hint == 'write "@logo.first_frame"'


@pytest.mark.parametrize("start", ["-1", "soon", "[1]", "1e9"])
def test_a_start_that_is_no_time_is_a_problem_of_its_value(root: Path, start: str) -> None:
    assert codes(root, WHOLE.format(part=f", start: {start}, seconds: 8") + DANCE)[0] in ("wrong-type", "wrong-value")
