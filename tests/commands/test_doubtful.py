"""A clip that was paid for and fails a check is kept beside, reported at once, and taken when the user says so."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import containers, media_files
from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import KEY
from tests.commands.test_never_twice import committed, fresh
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import CREATE, MEDIA, Step

BOARD = "storyboards/film.yaml"
FILM = """\
storyboard: 1
title: A boat
shots:
  - id: boat
    prompt: A paper boat on still water
"""
RUN = ("run", BOARD, "--yes", "--json")
CLIP = clip(80, 5.0, 1280, 720)
BESIDE = "renders/film/kinovi/clips/boat/take-1.doubtful.mp4"
FINAL = "renders/film/kinovi/clips/boat/take-1.mp4"


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    """One shot at 200 credits."""
    return content(tmp_path, FILM)


@pytest.fixture
def provider() -> Iterator[Callable[[bytes], Double]]:
    """Starts a provider whose clips are these bytes."""
    doubles: list[Double] = []

    def start(media: bytes) -> Double:
        doubles.append(Double(media=media).__enter__())
        return doubles[-1]

    yield start
    for double in doubles:
        double.__exit__(None, None, None)


def env(double: Double) -> dict[str, str]:
    return {"SEEDANCE_BASE_URL": double.url, "SEEDANCE_API_KEY": KEY, "STORYBOARD_PROVIDER": "kinovi"}


def keyless(double: Double) -> dict[str, str]:
    """As `env`, for what needs nobody's key."""
    return {name: value for name, value in env(double).items() if name != "SEEDANCE_API_KEY"}


def too_short(_: Path) -> bytes:
    """Its index states three times the length that its frames have."""
    data = bytearray(CLIP)
    at = data.index(b"mdhd") + 16
    struct.pack_into(">I", data, at + 4, struct.unpack_from(">I", data, at)[0] * 15)
    return bytes(data)


def without_last_frame(_: Path) -> bytes:
    start = CLIP.index(b"mdat") + 4
    end = start - 8 + struct.unpack_from(">I", CLIP, start - 8)[0]
    return CLIP[: end - 60] + b"\xff" * 60 + CLIP[end:]


def sound_alone(folder: Path) -> bytes:
    return media_files.sound(folder / "sound.mp4", "aac", "mp4").read_bytes()


def webm(folder: Path) -> bytes:
    return containers.film(folder / "film.webm", "libvpx-vp9", format="webm").read_bytes()


def with_more_at_its_end(_: Path) -> bytes:
    return CLIP + b"\0\0\0\4more"


DOUBTS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "shorter than its index says": (too_short, "is damaged: its video has 5.00 seconds instead of 15.00"),
    "without its last frame": (without_last_frame, "is damaged"),
    "without a video": (sound_alone, "has no video track"),
    "another container": (webm, "is a WebM or Matroska video, no MP4"),
    "bytes behind its end": (with_more_at_its_end, "is damaged: a box is smaller than its header"),
}


def take(film: ContentRepo) -> dict[str, Any]:
    [only] = film.manifest(variant="kinovi")["shots"][0]["takes"]
    taken: dict[str, Any] = only
    return taken


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_paid_clip_that_fails_a_check_is_kept_reported_and_accepted(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path, doubt: str
) -> None:
    make, words = DOUBTS[doubt]
    media = make(tmp_path)
    double = provider(media)
    first = film.storyboard(*RUN, **env(double))
    assert first.code == 1, first.out + first.err
    [told] = [event for event in first.events if event["event"] == "failed"]
    assert words in told["message"]
    assert BESIDE in told["message"]
    assert "`fetch --accept` takes it" in told["message"]
    assert (film.clips(), (film.root / BESIDE).read_bytes()) == ([BESIDE], media)
    assert (take(film)["status"], take(film)["credits"]["used"]) == ("doubtful", 200)
    assert words in take(film)["doubt"]

    again = film.storyboard(*RUN, **env(double))
    assert (again.code, len(double.requests(CREATE)), len(double.requests(MEDIA))) == (1, 1, 1)
    assert [fate["shot"] for fate in again.events[-1]["doubtful"]] == ["boat"]

    accepted = film.storyboard("fetch", "--accept", "boat", "--json", **keyless(double))
    assert accepted.code == 0, accepted.err
    assert [check["verdict"] for check in accepted.json["clips"]] == ["accepted"]
    assert (film.clips(), (film.root / FINAL).read_bytes()) == ([FINAL], media)
    assert take(film)["status"] == "succeeded"
    assert "doubt" not in take(film)
    assert film.storyboard("verify", BOARD, **keyless(double)).code == 0
    assert (film.storyboard(*RUN, **env(double)).code, len(double.requests(CREATE))) == (0, 1)


def test_what_is_doubtful_stands_on_every_screen_with_the_way_to_take_it(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    screens = [film.storyboard("run", BOARD, "--no-cut", "--yes", **env(double))]
    screens += [film.storyboard(command, BOARD, **env(double)) for command in ("plan", "status")]
    for screen in screens:
        assert "doubtful" in screen.out
        assert "--accept film:boat" in screen.out
    assert "one take is doubtful" in screens[0].out
    for command in ("verify", "fetch"):
        assert (
            "storyboard fetch storyboards/film.yaml --accept film:boat"
            in film.storyboard(command, BOARD, **env(double)).out
        )
    for command, code in (("verify", 1), ("fetch", 1)):
        checked = film.storyboard(command, BOARD, "--json", **env(double))
        assert checked.code == code
        assert [check["verdict"] for check in checked.json["clips"]] == ["doubtful"]
    plan = film.storyboard("plan", BOARD, "--json", **env(double)).json
    assert plan["totals"]["doubtful"] == 1
    assert film.storyboard("spend", "--json", **env(double)).json["total"]["billed"] == 200


def test_a_clip_that_is_cut_off_at_the_provider_is_asked_for_once_more_and_then_doubtful(
    film: ContentRepo, provider: Callable[[bytes], Double]
) -> None:
    double = provider(CLIP[: len(CLIP) // 2])
    first = film.storyboard(*RUN, **env(double))
    assert (first.code, film.clips()) == (1, [BESIDE])
    [warned] = [event for event in first.events if event["event"] == "warning" and "cut off" in event["message"]]
    assert "asked for once more" in warned["message"]
    assert (len(double.requests(CREATE)), len(double.requests(MEDIA))) == (1, 2)


def test_a_clip_that_is_cut_off_only_once_is_taken(film: ContentRepo, provider: Callable[[bytes], Double]) -> None:
    double = provider(CLIP)
    double.play(Step(on=MEDIA, body=CLIP[: len(CLIP) // 2]))
    assert film.storyboard(*RUN, **env(double)).code == 0
    assert (film.clips(), len(double.requests(CREATE))) == ([FINAL], 1)


def test_a_doubtful_file_that_is_deleted_is_fetched_again_and_may_be_whole(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    assert film.storyboard(*RUN, **env(double)).code == 1
    (film.root / BESIDE).unlink()
    assert film.storyboard("fetch", BOARD, **env(double)).code == 1
    assert film.clips() == [BESIDE]
    (film.root / BESIDE).unlink()
    double.media = CLIP
    assert film.storyboard("fetch", BOARD, **env(double)).code == 0
    assert (film.clips(), len(double.requests(CREATE))) == ([FINAL], 1)
    assert film.storyboard(*RUN, **env(double)).code == 0


def test_a_clone_knows_what_is_doubtful_and_may_accept_it(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    assert film.storyboard(*RUN, **env(double)).code == 1
    committed(film)
    other, state = fresh(film, "other")
    assert other.storyboard(*RUN, **env(double) | state).code == 1
    assert other.storyboard("fetch", "--accept", "boat#1", **env(double) | state).code == 0
    assert other.clips() == [FINAL]
    assert other.storyboard(*RUN, **env(double) | state).code == 0
    assert len(double.requests(CREATE)) == 1


def test_a_renamed_shot_keeps_its_doubtful_clip(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    assert film.storyboard(*RUN, **env(double)).code == 1
    film.write(BOARD, FILM.replace("id: boat", "id: ship"))
    assert film.storyboard(*RUN, **env(double)).code == 1
    assert film.storyboard("fetch", "--accept", "ship", **keyless(double)).code == 0
    assert film.clips() == [FINAL.replace("boat", "ship")]
    assert (film.storyboard(*RUN, **env(double)).code, len(double.requests(CREATE))) == (0, 1)


def test_a_doubtful_clip_of_an_earlier_prompt_is_kept_in_the_archive(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    assert film.storyboard(*RUN, "--no-wait", **env(double)).code == 9
    film.write(BOARD, FILM.replace("still", "dark"))
    assert film.storyboard("run", BOARD, "--max-credits", "0", **env(double)).code == 4
    [clip_path] = film.clips()
    assert clip_path.startswith("renders/film/kinovi/clips/boat/earlier/take-1.")
    assert clip_path.endswith(".doubtful.mp4")
    film.write(BOARD, FILM)
    assert film.storyboard("fetch", "--accept", "boat", **keyless(double)).code == 0
    assert (film.clips(), len(double.requests(CREATE))) == ([FINAL], 1)


def test_a_doubtful_retake_is_accepted_as_any_other_take(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(CLIP)
    assert film.storyboard(*RUN, **env(double)).code == 0
    double.media = too_short(tmp_path)
    assert film.storyboard(*RUN, "--retake", "boat", **env(double)).code == 1
    assert film.storyboard("fetch", "--accept", "boat", **keyless(double)).code == 0
    assert film.clips() == [FINAL, FINAL.replace("take-1", "take-2")]


def test_a_retake_of_a_doubtful_take_is_another_take(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    assert film.storyboard(*RUN, **env(double)).code == 1
    double.media = CLIP
    assert film.storyboard(*RUN, "--retake", "boat", **env(double)).code == 0
    assert film.clips() == [BESIDE, FINAL.replace("take-1", "take-2")]


def test_a_shot_that_is_made_from_a_doubtful_clip_is_blocked(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path
) -> None:
    double = provider(too_short(tmp_path))
    assert film.storyboard(*RUN, **env(double)).code == 1
    film.write(BOARD, FILM + '  - {id: shore, first_frame: "@boat.last_frame", prompt: It lands}\n')
    plan = film.storyboard("plan", BOARD, "--json", **env(double)).json
    takes = {shot["id"]: shot["takes"][0]["action"] for shot in plan["storyboards"][0]["shots"]}
    assert takes == {"boat": "doubtful", "shore": "blocked"}


@pytest.mark.parametrize("name", ["boat", "nobody"])
def test_nothing_is_accepted_where_nothing_is_doubtful(
    film: ContentRepo, provider: Callable[[bytes], Double], name: str
) -> None:
    double = provider(CLIP)
    assert film.storyboard(*RUN, **env(double)).code == 0
    refused = film.storyboard("fetch", "--accept", name, **keyless(double))
    assert refused.code == 2
    assert name in refused.err


FEATURES: dict[str, Callable[[Path], Path]] = {
    "a cover picture": lambda to: containers.add_cover(containers.film(to / "a.mp4"), to / "b.mp4", "mjpeg"),
    "an edit list": lambda to: containers.edit(containers.film(to / "a.mp4"), to / "b.mp4", [(1.5, 0.5, 0x10000)]),
    "a turned picture": lambda to: containers.turn(containers.film(to / "a.mp4"), to / "b.mp4", 90),
    "late sound": lambda to: containers.film(to / "a.mp4", sound=(1, 2)),
    "an empty track of sound": lambda to: containers.film(
        to / "a.mp4", sound=(0, 0), movflags="frag_keyframe+empty_moov"
    ),
    "HEVC": lambda to: containers.film(to / "a.mp4", "libx265"),
    "VP9": lambda to: containers.film(to / "a.mp4", "libvpx-vp9"),
    "chapters and AV1": lambda to: containers.film(to / "a.mp4", "libsvtav1", prepare=containers.add_chapters),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_whole_clip_is_taken_whatever_its_container_holds(
    film: ContentRepo, provider: Callable[[bytes], Double], tmp_path: Path, feature: str
) -> None:
    double = provider(FEATURES[feature](tmp_path).read_bytes())
    assert film.storyboard(*RUN, **env(double)).code == 0
    assert (film.clips(), take(film)["status"]) == ([FINAL], "succeeded")
    assert film.storyboard("verify", BOARD, **keyless(double)).code == 0
