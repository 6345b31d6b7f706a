"""How a prompt is read: timeline, light, motion."""

import pytest

from runner.animatic.camera import MARGIN, CameraView, camera_of, window
from runner.animatic.palette import Palette, palette_of
from runner.animatic.place_words import place_in
from runner.animatic.prompt_words import Beat, beats, readable, story
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.spec import AnimaticSpec

NOISE = SeededNoise("test")


def _light(prompt: str, variation: int, noise: SeededNoise) -> Palette:
    return palette_of(AnimaticSpec("seedance-20", prompt, 5, 320, 180, variation=variation), noise)


def test_a_prompt_without_a_timeline_is_one_piece() -> None:
    assert beats("She waits 2-5 minutes, aged 20-30.", 5) == ("She waits 2-5 minutes, aged 20-30.", ())


@pytest.mark.parametrize(
    "prompt",
    [
        "At dawn. 0-2s: she stops. 2-5s: she goes on.",
        "At dawn.\n[0-2s] she stops.\n[2-5s] she goes on.",
        "At dawn. 0s-2s: she stops. 2s - 5s: she goes on.",
        "At dawn. (0–2 s): she stops. (2–5 s): she goes on.",
    ],
)
def test_a_timeline_is_found_in_the_ways_people_write_it(prompt: str) -> None:
    whole, timeline = beats(prompt, 5)
    assert whole == "At dawn."
    assert [(beat.start, beat.end) for beat in timeline] == [(0, 2), (2, 5)]
    assert "stops" in timeline[0].text
    assert "goes on" in timeline[1].text


def test_a_timeline_that_outlasts_the_clip_ends_with_it() -> None:
    assert beats("0-2s: a 2-9s: b", 5)[1][1] == Beat(2, 5, "2-9s: b")


def test_controls_and_direction_overrides_are_not_drawn() -> None:
    assert readable("a\u202eb\x1b[31m\u2066c\x00\td\ud800") == "ab[31mc d"
    assert readable("e\u0301") == "é"


@pytest.mark.parametrize(
    ("motion", "sign"),
    [
        ("slow push-in", "zoom>"),
        ("the camera pushes in", "zoom>"),
        ("zoom in on her face", "zoom>"),
        ("pull out", "zoom<"),
        ("pulls slowly back", "zoom<"),
        ("pan left", "pan-"),
        ("the camera pans slowly to the right", "pan+"),
        ("tilt up to the sky", "tilt-"),
        ("tilts down", "tilt+"),
        ("crane up over the roofs", "boom-"),
        ("orbit around her", "truck+"),
        ("tracking shot", "truck+"),
        ("tracking left", "truck-"),
        ("镜头缓缓推近", "zoom>"),
    ],
)
def test_words_of_motion_move_the_camera(motion: str, sign: str) -> None:
    camera = camera_of(f"A quay, {motion}, dawn", 5, 0, NOISE)
    change = camera.view(5).since(camera.view(0))
    value = getattr(change, sign[:-1])
    if sign.startswith("zoom"):
        assert value > 1.1 if sign.endswith(">") else value < 0.9
    else:
        assert abs(value) > 0.1
        assert (value > 0) == sign.endswith("+")


def test_a_static_camera_stands_still() -> None:
    camera = camera_of("Static camera. A door.", 5, 0, NOISE)
    assert {camera.view(moment / 4) for moment in range(21)} == {CameraView()}


def test_a_hand_trembles_and_rests_at_both_ends() -> None:
    camera = camera_of("static, handheld", 5, 0, NOISE)
    assert camera.view(0) == camera.view(5) == CameraView()
    assert len({camera.view(moment / 4).pan for moment in range(1, 20)}) == 19


def test_each_beat_has_its_own_motion() -> None:
    camera = camera_of("0-2s: pan left. 2-4s: push in.", 4, 0, NOISE)
    assert camera.view(2).pan == camera.view(4).pan < camera.view(0).pan
    assert camera.view(2).zoom == camera.view(0).zoom < camera.view(4).zoom


def test_another_take_moves_in_another_way() -> None:
    for prompt in ("A door", "A door, push in"):
        first, second = (camera_of(prompt, 5, variation, SeededNoise(prompt)).view(5) for variation in (0, 1))
        assert first != second


@pytest.mark.parametrize(
    "view", [CameraView(pan=3), CameraView(tilt=-3, zoom=0.1), CameraView(truck=2, boom=2, zoom=9), CameraView()]
)
@pytest.mark.parametrize("depth", [0.25, 1, 1.25])
def test_the_camera_never_looks_past_the_picture(view: CameraView, depth: float) -> None:
    frame, canvas = (1280, 720), (1690, 950)
    left, top, right, bottom = window(view, depth, frame, canvas)
    assert 0 <= left < right <= canvas[0]
    assert 0 <= top < bottom <= canvas[1]
    assert canvas[0] <= frame[0] * (1 + 2 * MARGIN) + 2


def test_the_frame_as_it_is_is_the_middle_of_the_canvas() -> None:
    assert window(CameraView(), 1, (1280, 720), (1690, 950)) == (205, 115, 1485, 835)


def test_light_follows_the_words() -> None:
    def brightness(prompt: str) -> int:
        return sum(sum(colour) for colour in _light(prompt, 0, NOISE).sky)

    assert brightness("A street at night") < brightness("A street at dusk") < brightness("A street at noon")
    assert _light("night", 0, NOISE).night
    assert not _light("noon", 0, NOISE).night


def test_a_named_colour_is_the_accent() -> None:
    assert _light("a woman in a yellow oilskin coat", 0, NOISE).accent == (250, 204, 70)


def test_each_take_has_its_own_tint_and_the_same_accent() -> None:
    palettes = [_light("dawn", variation, SeededNoise("dawn")) for variation in range(4)]
    assert len({palette.sky for palette in palettes}) == 4
    assert len({palette.accent for palette in palettes}) == 1


def test_black_and_white_has_no_colour() -> None:
    for red, green, blue in _light("film noir, a street, dawn", 0, NOISE).sky:
        assert max(red, green, blue) - min(red, green, blue) < 16


SECTIONS = (
    "She waits at the quay. Light: blue hour. Sound: rain on a roof, a bar. Style: forest greens. Avoid: deserts, neon."
)


def test_what_is_only_heard_or_avoided_is_not_drawn() -> None:
    assert story(SECTIONS) == "she waits at the quay."
    assert story(SECTIONS, "light").split() == ["she", "waits", "at", "the", "quay.", "blue", "hour."]
    assert story("Sound: rain") == "sound: rain"


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        (SECTIONS, "harbour"),
        ("The tiled roofs of Lisbon step down to the river", "roofs"),
        ("Inside the office (a cramped harbour office, a zinc counter), he looks up", "room"),
        ("A steep cobbled street in Lisbon, a tram climbs", "street"),
        ("Studio packshot: a bottle", "product"),
        ("She thinks of nothing", "hills"),
    ],
)
def test_the_place_is_what_is_named_most_and_first(prompt: str, place: str) -> None:
    assert (place_in(story(prompt)) or "hills") == place
