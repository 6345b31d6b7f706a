"""What stands in a shot: its place, its people, how near they are; the author's pictures before drawings."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageStat

from runner.animatic.camera import Camera
from runner.animatic.depicted import depicted_of
from runner.animatic.encode import empty_frame
from runner.animatic.palette import coat_of, palette_of, readable_on_dark
from runner.animatic.people import Figure
from runner.animatic.planes import Planes, planes_over
from runner.animatic.render import stage_size
from runner.animatic.scenery import Scene, cast_of, place_name, scene_of
from runner.animatic.seeded_noise import SeededNoise
from runner.animatic.shot_size import ShotSize, named_people, people_in, shot_size_of
from runner.animatic.spec import AnimaticSpec, Reference
from runner.animatic.standee import standee

SIZE = (320, 180)


def _spec(prompt: str, **more: object) -> AnimaticSpec:
    return AnimaticSpec(**{"model": "m", "prompt": prompt, "seconds": 4, "width": 320, "height": 180, **more})  # type: ignore[arg-type]


def _picture(path: Path, colour: str, size: tuple[int, int] = (320, 180), figure: str | None = None) -> Path:
    image = Image.new("RGB", size, colour)
    if figure is not None:
        ImageDraw.Draw(image).ellipse((size[0] * 0.3, size[1] * 0.1, size[0] * 0.7, size[1] * 0.95), fill=figure)
    image.save(path)
    return path


def _scene(spec: AnimaticSpec) -> Scene:
    return scene_of(spec, SIZE, SeededNoise(spec.story))


def _mean(scene: Scene, box: tuple[int, int, int, int]) -> tuple[float, float, float]:
    planes = planes_over(empty_frame(scene.size))
    scene.shoot(planes, Camera(4, ()), 2.0)
    low = (box[0] // 2, box[1] // 2, box[2] // 2, box[3] // 2)
    y, u, v = (
        ImageStat.Stat(plane.crop(part)).mean[0] for plane, part in ((planes.y, box), (planes.u, low), (planes.v, low))
    )
    return y, u, v


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("wide shot of a street", ShotSize.WIDE),
        ("medium close-up, 50 mm", ShotSize.MEDIUM_CLOSE),
        ("medium shot from behind", ShotSize.MEDIUM),
        ("close-up of her face", ShotSize.CLOSE),
        ("macro insert, 100 mm", ShotSize.MACRO),
        ("extreme close-up. hands", ShotSize.MACRO),
        ("a two-shot at the bar", ShotSize.TWO_SHOT),
        ("extreme wide: one light", ShotSize.EXTREME_WIDE),
        ("high aerial, slow drift", ShotSize.EXTREME_WIDE),
        ("she waits", ShotSize.FULL),
    ],
)
def test_the_words_for_shot_size_are_understood(words: str, size: ShotSize) -> None:
    assert shot_size_of(words) is size


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("the moon over an empty street", 0),
        ("nobody is there yet", 0),
        ("a woman waits", 1),
        ("she waits", 1),
        ("a man and a woman talk", 2),
        ("the man stops beside the woman", 2),
        ("two women and a boy carry bread", 3),
        ("four children run", 4),
        ("the couple laughs", 2),
        ("12 musicians play", 3),
    ],
)
def test_as_many_people_stand_there_as_are_named(words: str, count: int) -> None:
    assert people_in(words) == count


def test_the_place_is_the_shots_own_else_its_scenes_and_never_that_of_sound_or_style() -> None:
    wrapped = "She waits. Sound: the sea. Light: a bar. Style: forest. Avoid: deserts."
    own = {"shot": "She waits.", "caption": "She waits."}
    assert place_name(_spec(wrapped, **own)) == "hills"
    assert place_name(_spec(wrapped, **own, scene="night\nA tram climbs the street.")) == "street"
    assert place_name(_spec(wrapped, **own, scene="harbour\nHe waits, too.")) == "harbour"
    assert place_name(_spec("At the kitchen table.", scene="harbour\nA quay.")) == "room"
    scene = "bridge\nThe river, a bridge.\nA boat on the river.\nThe city, the bridge, the street, the bridge."
    assert place_name(_spec(wrapped, **own, scene=scene)) == "sea"
    assert place_name(_spec('He says: "We drive to the desert." Behind him the harbour.')) == "harbour"


@pytest.mark.parametrize(
    ("words", "nouns"),
    [
        ("two women and a boy carry bread", ["women", "women", "boy"]),
        ("three people sit there: the woman, the man and an old man", ["woman", "man", "old man"]),
        ("three people wait", ["people", "people", "people"]),
        ("a red boat", []),
    ],
)
def test_each_person_has_a_word(words: str, nouns: list[str]) -> None:
    assert named_people(words) == nouns


def test_a_coat_keeps_its_colour_through_a_scene() -> None:
    coats = {"red": (226, 74, 66), "blue": (86, 148, 226)}
    scene = "street\nA woman in a red coat waits.\nA man in a heavy blue coat runs."
    assert coat_of("woman", "a woman in a red coat waits.") == coats["red"]
    assert coat_of("man", scene) == coats["blue"]
    assert coat_of("girl", scene) is None
    picture = _scene(_spec("Close-up of the woman, at night in a street.", scene=scene))
    plain = _scene(_spec("Close-up of the woman, at night in a street.", scene="street\nA lamp."))
    chest = (130, 120, 190, 150)
    assert _mean(picture, chest)[2] > _mean(plain, chest)[2] + 15


@pytest.mark.parametrize(
    ("prompt", "colours"),
    [
        ("Two-shot in a street by day. The man laughs. The two wait together.", ["blue", "red"]),
        ("Medium shot in a street by day. She shakes her head.", ["red"]),
    ],
)
def test_people_without_a_word_are_those_of_the_scene(prompt: str, colours: list[str]) -> None:
    scene = _scene(_spec(prompt, scene="street\nA woman in a red coat.\nA man in a blue coat."))
    people = [layer.poses[0].picture for layer in scene.layers if isinstance(layer, Figure)]
    tints = ["red" if picture is not None and _redness(picture) > 0 else "blue" for picture in people]
    assert tints == colours


def _redness(planes: Planes) -> float:
    """How much redder than blue the middle of a picture is."""
    half = planes.u.size
    box = (half[0] * 2 // 5, half[1] * 2 // 5, half[0] * 3 // 5, half[1] * 3 // 5)
    return ImageStat.Stat(planes.v.crop(box)).mean[0] - ImageStat.Stat(planes.u.crop(box)).mean[0]


def test_the_colour_of_a_thing_is_that_of_the_authors_own_words() -> None:
    prompt = "Close on the quay (a stone quay with a green door): a brass lamp."
    spec = _spec(prompt, caption="Close on the @quay: a brass lamp.")
    assert palette_of(spec, SeededNoise("")).accent == (214, 168, 88)
    assert palette_of(_spec(prompt), SeededNoise("")).accent == (98, 178, 112)
    assert palette_of(_spec("A white coat.", caption="In blue light."), SeededNoise("")).accent == (244, 240, 230)
    assert readable_on_dark((244, 240, 230)) == (244, 240, 230)
    assert min(readable_on_dark((104, 110, 124))) > 140


def test_the_head_of_a_near_person_stays_in_the_frame_whatever_the_caption() -> None:
    long = "A woman waits in a street by day, medium shot. " + "The rain has gone and the lamps are lit. " * 12
    short, tall = (_person_top(text) for text in ("A woman waits in a street by day, medium shot.", long))
    assert tall > 0
    assert abs(short - tall) < 12


def _person_top(prompt: str) -> int:
    """Canvas rows above the person of a shot, from the frame's upper edge."""
    scene = _scene(_spec(prompt))
    figure = next(layer for layer in scene.layers if isinstance(layer, Figure))
    return figure.poses[0].at[1] - (scene.canvas[1] - scene.size[1]) // 2


def test_a_picture_of_a_place_fills_the_frame_and_people_with_pictures_stand_in_it(tmp_path: Path) -> None:
    place = Reference("image", "image1", _picture(tmp_path / "quay.png", "#00c000"), name="quay")
    maria = Reference("image", "image2", _picture(tmp_path / "maria.png", "white", (200, 300), "#c00000"), name="maria")
    prompt = "Static. On the @image1 (a quay of stone) waits @image2 (a woman in a red coat)."
    empty = _scene(_spec("Static. The @image1 (a quay of stone), nobody.", references=(place,)))
    _, u, v = _mean(empty, (140, 40, 180, 120))
    assert (u < 100, v < 100) == (True, True)  # green
    scene = _scene(_spec(prompt, references=(place, maria)))
    assert set(scene.materials) == {place, maria}
    _, _, red = _mean(scene, (120, 60, 200, 120))
    assert red > v + 15
    assert abs(_mean(scene, (0, 20, 20, 80))[2] - v) < 12


def test_the_roles_of_pictures_follow_from_their_words_their_place_in_the_sentence_and_their_names(
    tmp_path: Path,
) -> None:
    path = _picture(tmp_path / "a.png", "grey")
    names = ("", "", "", "rooftop", "")
    references = tuple(Reference("image", f"image{at + 1}", path, name=name) for at, name in enumerate(names))
    prompt = (
        "@image1 (a small white river ferry with a funnel) casts off; @image2 (an old ferryman with a cap) nods. "
        "@image3 walks. The @image4. Rain inside the @image5."
    )
    roles = [one.role for one in depicted_of(_spec(prompt, references=references))]
    assert roles == ["thing", "person", "person", "place", "place"]


def test_each_mentioned_person_with_a_picture_stands_there_once_and_the_others_are_drawn(tmp_path: Path) -> None:
    path = _picture(tmp_path / "a.png", "white", (200, 300), "navy")
    references = tuple(Reference("image", f"image{at}", path) for at in (1, 2, 3))
    prompt = "@image1 @image2 (a woman in yellow) and @image3 (a boy) meet tomas (an old man). @image3 laughs."
    spec = _spec(prompt, references=references)
    cast = cast_of(spec, depicted_of(spec), ShotSize.FULL, SIZE)
    assert (len(cast.standees), cast.drawn) == (2, 1)


def test_a_person_is_larger_the_nearer_the_shot() -> None:
    def covered(words: str) -> float:
        spec = _spec(f"{words}. A woman in a red coat stands in a desert at noon. Static.")
        return _mean(_scene(spec), (100, 20, 220, 150))[2]

    assert covered("Extreme wide") < covered("Full shot") < covered("Medium shot")


def test_a_figure_on_a_plain_ground_is_cut_out_and_a_transparent_one_keeps_its_outline(tmp_path: Path) -> None:
    plain = standee(_picture(tmp_path / "plain.png", "white", (200, 300), "navy"), 100, is_person=True)
    clear = Image.new("RGBA", (200, 300))
    ImageDraw.Draw(clear).ellipse((60, 30, 140, 285), fill="navy")
    clear.save(tmp_path / "clear.png")
    outlined = standee(tmp_path / "clear.png", 100, is_person=True)
    for figure in (plain, outlined):
        assert figure is not None
        assert not figure.is_card
        assert figure.mask.getpixel((1, 1)) == 0
        assert figure.mask.getpixel((figure.mask.width // 2, figure.mask.height // 2)) == 255
    assert standee(tmp_path / "gone.png", 100, is_person=True) is None


def _portrait(path: Path) -> Path:
    """A person in front of a ground that cannot be taken away: green on the left, red on the right."""
    image = Image.new("RGB", (320, 180), "green")
    image.paste("red", (160, 0, 320, 180))
    ImageDraw.Draw(image).ellipse((130, 20, 190, 80), fill="white")
    image.save(path)
    return path


def test_a_person_in_front_of_a_ground_is_a_card_with_a_border(tmp_path: Path) -> None:
    card = standee(_portrait(tmp_path / "a.png"), 100, is_person=True)
    assert card is not None
    assert card.is_card
    assert card.mask.getpixel((card.mask.width // 2, 3)) == 255
    assert min(card.picture.getpixel((card.mask.width // 2, 3))) > 230  # type: ignore[arg-type]
    assert card.mask.getpixel((0, 0)) == 0


def test_near_the_only_person_on_a_card_fills_the_frame(tmp_path: Path) -> None:
    references = (Reference("image", "image1", _portrait(tmp_path / "a.png")),)
    near = _scene(_spec("Close-up of @image1 (a woman) in a street.", references=references))
    far = _scene(_spec("Full shot of @image1 (a woman) in a street.", references=references))
    # Green has less red than blue; the street behind a card has neither.
    left, right = _mean(near, (4, 20, 60, 100)), _mean(near, (260, 20, 316, 100))
    assert left[2] < 115
    assert right[2] > 200
    assert _mean(far, (260, 20, 316, 100))[2] < 200
    assert near.materials == far.materials == references


def test_the_scene_is_drawn_smaller_than_the_letters() -> None:
    assert stage_size((1280, 720)) == (640, 360)
    assert stage_size((854, 480)) == (512, 288)
    assert stage_size((320, 180)) == (320, 180)
