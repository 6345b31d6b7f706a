"""Scenes, film time, the cut, the music, aliases and combined profiles: what a storyboard says, and what it costs."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from runner.attempts.film import FilmName
from runner.language.compile_options import CompileOptions
from runner.language.edit import CutEntry, Music
from runner.language.explain import explain_shot
from runner.language.model import Storyboard
from runner.requests.request import fingerprint_fast
from tests.builders.storyboards import codes, compiled, picture, shots

HUM = Path(__file__).parent.parent / "storyboards/bad/files/hum.wav"
"""A sound of two seconds."""
HEAD = "storyboard: 1\n"


def board(root: Path, text: str) -> Storyboard:
    """The only storyboard of a file in which nothing is wrong."""
    batch, problems = compiled(root, text)
    assert not problems.errors, problems.errors
    return batch.storyboards[0]


def prints(root: Path, text: str) -> list[str]:
    """The fingerprints of the first takes."""
    return [fingerprint_fast(shot.request, 1, lambda reference: None) for shot in board(root, text).shots]  # type: ignore[arg-type,return-value]


# -- scenes -----------------------------------------------------------------------------------------------

SCENES = """\
storyboard: 1
assets: {oven: {words: a brick oven}}
defaults: {resolution: 480p, vars: {light: noon}, takes: 2}
scenes:
  bakery: {resolution: 720p, title: The bakery, vars: {light: dawn}, tags: [inside]}
  street: {}
shots:
  - {id: dough, scene: bakery, prompt: "Dough at {{ light }}"}
  - {id: loaf, scene: bakery, resolution: 1080p, vars: {light: fire}, prompt: "A loaf by {{ light }}"}
  - {id: rain, scene: street, prompt: "Rain at {{ light }}"}
  - id: crumb
    matrix: {where: [bakery, street]}
    scene: "{{ where }}"
    prompt: "A crumb at {{ light }}"
"""


def test_a_scene_stands_between_the_defaults_and_the_shot(tmp_path: Path) -> None:
    by_id = shots(tmp_path, SCENES)
    assert {name: (shot.request.resolution, shot.request.prompt) for name, shot in by_id.items()} == {
        "dough": ("720p", "Dough at dawn"),
        "loaf": ("1080p", "A loaf by fire"),
        "rain": ("480p", "Rain at noon"),
        "crumb-bakery": ("720p", "A crumb at dawn"),
        "crumb-street": ("480p", "A crumb at noon"),
    }
    assert by_id["dough"].title == "The bakery"
    assert {shot.takes for shot in by_id.values()} == {2}


def test_a_profile_wins_over_a_scene(tmp_path: Path) -> None:
    text = SCENES.replace("shots:", "profiles: {draft: {resolution: 480p}}\nshots:")
    assert shots(tmp_path, text, CompileOptions("draft"))["dough"].request.resolution == "480p"


def test_an_include_may_hold_scenes(tmp_path: Path) -> None:
    (tmp_path / "scenes.yaml").write_text("scenes: {bakery: {resolution: 720p, takes: 3}}\n")
    text = HEAD + "include: [scenes.yaml]\nscenes: {bakery: {takes: 1}}\nshots: [{id: a, scene: bakery, prompt: A}]\n"
    (shot,) = shots(tmp_path, text).values()
    assert (shot.request.resolution, shot.takes) == ("720p", 1)


def test_without_scenes_the_scene_of_a_shot_is_any_text(tmp_path: Path) -> None:
    assert codes(tmp_path, HEAD + 'shots: [{id: a, scene: "Act 1: Youth", prompt: A}]\n') == []


def test_a_wrong_field_of_a_scene_is_told_once(tmp_path: Path) -> None:
    text = SCENES.replace("resolution: 720p, title", "resolution: 555p, title")
    assert codes(tmp_path, text) == ["wrong-value"]


def test_explain_names_the_scene_that_a_value_comes_from(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(SCENES)
    explained = explain_shot([tmp_path / "board.yaml"], tmp_path, CompileOptions(), (FilmName("board.yaml"), "dough"))
    assert explained is not None
    wheres = {value.name: value.where for value in (*explained.fields, *explained.variables)}
    assert (wheres["resolution"], wheres["light"], wheres["takes"]) == ("scene bakery", "scene bakery", "defaults")


# -- film time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "clip", "film"),
    [
        ("seconds: 3.2", 4, "3.2"),
        ("seconds: 5", 5, "5"),
        ("seconds: 5.1", 6, "5.1"),
        ("in: 0.5, seconds: 6.5", 7, "6.5"),
        ("seconds: 2.1, in: 3.9", 6, "2.1"),
        ("duration: 8, seconds: 3", 8, "3"),
        ("duration: 8, in: 3", 8, "5"),
        ("in: 1.5", 5, "3.5"),
        ('seconds: "{{ 4.5 }}"', 5, "4.5"),
        ("seconds: 15", 15, "15"),
    ],
)
def test_the_clip_is_the_smallest_that_holds_the_film_time(tmp_path: Path, fields: str, clip: int, film: str) -> None:
    (shot,) = shots(tmp_path, HEAD + f"shots: [{{id: a, {fields}, prompt: A}}]\n").values()
    assert (shot.request.seconds, shot.on_screen()) == (clip, Decimal(film))


def test_a_duration_from_any_layer_counts_and_null_lets_it_follow(tmp_path: Path) -> None:
    text = HEAD + "defaults: {duration: 10}\nshots:\n"
    text += "  - {id: a, seconds: 4, prompt: A}\n  - {id: b, seconds: 4, duration: null, prompt: B}\n"
    assert [shot.request.seconds for shot in shots(tmp_path, text).values()] == [10, 4]


def test_film_time_is_no_part_of_the_fingerprint_and_the_duration_that_follows_is(tmp_path: Path) -> None:
    shot = HEAD + "shots: [{id: a, FIELDS prompt: A}]\n"
    plain = prints(tmp_path, shot.replace("FIELDS", "duration: 5,"))
    assert prints(tmp_path, shot.replace("FIELDS", "duration: 5, in: 1, seconds: 2,")) == plain
    assert prints(tmp_path, shot.replace("FIELDS", "seconds: 4.5,")) == plain
    assert prints(tmp_path, shot.replace("FIELDS", "seconds: 5.5,")) != plain


# -- the cut and the music --------------------------------------------------------------------------------

TWO = "shots:\n  - {id: quay, seconds: 4, prompt: A quay}\n  - {id: boat, duration: 6, prompt: A boat}\n"


def test_the_cut_is_read_as_it_is_written(tmp_path: Path) -> None:
    picture(tmp_path / "logo.png")
    cut = "cut: [{slate: 7, seconds: 3}, Quay, {shot: boat, take: 2, in: 0.5, seconds: 1.2, level: -6}"
    storyboard = board(tmp_path, HEAD + cut + ", {clip: logo.png, seconds: 2.5}]\n" + TWO)
    assert storyboard.cut is not None
    facts = [
        (entry.kind, entry.text, entry.take, entry.path, entry.in_seconds, entry.seconds, entry.level)
        for entry in storyboard.cut
    ]
    assert facts == [
        ("slate", "7", None, None, None, Decimal(3), None),
        ("shot", "quay", None, None, None, None, None),
        ("shot", "boat", 2, None, Decimal("0.5"), Decimal("1.2"), Decimal(-6)),
        ("clip", "logo.png", None, "logo.png", None, Decimal("2.5"), None),
    ]
    assert [entry.place.line for entry in storyboard.cut] == [2, 2, 2, 2]


def test_neither_the_cut_nor_the_music_is_part_of_a_fingerprint(tmp_path: Path) -> None:
    shutil.copy(HUM, tmp_path / "hum.wav")
    plain = prints(tmp_path, HEAD + TWO)
    edit = "cut: [{shot: boat, in: 1, seconds: 2, take: 3}, quay]\nmusic: {audio: hum.wav, start: 1, level: -12}\n"
    assert prints(tmp_path, HEAD + edit + TWO) == plain


def test_music_has_its_measured_length(tmp_path: Path) -> None:
    shutil.copy(HUM, tmp_path / "hum.wav")
    music = board(tmp_path, HEAD + "music: {audio: hum.wav, start: 0.5, level: -12}\n" + TWO).music
    assert music == Music("hum.wav", Decimal("0.5"), Decimal(-12), Decimal(2))


def test_a_storyboard_without_an_edit_has_none(tmp_path: Path) -> None:
    storyboard = board(tmp_path, HEAD + TWO)
    assert (storyboard.cut, storyboard.music) == (None, None)


def test_one_wrong_entry_hides_no_other(tmp_path: Path) -> None:
    cut = "cut: [{shot: quay, take: 0}, nobody, {shot: quay, in: 2, seconds: 3}, {shot: boat, start: 1}]\n"
    assert codes(tmp_path, HEAD + cut + TWO) == ["wrong-value", "cut-name", "cut-range", "unknown-field"]


def test_an_entry_of_a_shot_with_a_problem_is_no_second_problem(tmp_path: Path) -> None:
    text = HEAD + "cut: [quay, {shot: boat, in: 1}]\n" + TWO.replace("prompt: A boat", "prompt: '@nobody in a boat'")
    assert codes(tmp_path, text) == ["unknown-name"]


def test_an_entry_is_a_value(tmp_path: Path) -> None:
    storyboard = board(tmp_path, HEAD + "cut: [quay, boat]\n" + TWO)
    assert storyboard.cut is not None
    assert storyboard.cut[0] == CutEntry("shot", "quay", storyboard.cut[0].place)


# -- aliases ----------------------------------------------------------------------------------------------


def test_an_alias_is_a_further_name_of_an_asset(tmp_path: Path) -> None:
    picture(tmp_path / "maria.png")
    text = HEAD + "assets: {maria: {image: maria.png, words: a woman, aliases: [the-captain, 船长]}}\nshots:\n"
    text += '  - {id: a, prompt: "@the-captain nods, @maria waits, @船长 leaves"}\n'
    (shot,) = shots(tmp_path, text).values()
    assert shot.request.prompt == "@image1 (a woman) nods, @image1 waits, @image1 leaves"
    assert len(shot.request.materials) == 1


@pytest.mark.parametrize(
    ("aliases", "code"), [("[quay]", "name-taken"), ("[boatman]", "name-taken"), ("['the captain']", "asset-name")]
)
def test_an_alias_shares_the_space_of_all_names(tmp_path: Path, aliases: str, code: str) -> None:
    text = HEAD + f"assets: {{maria: {{words: a woman, aliases: {aliases}}}, boatman: {{words: a man}}}}\n"
    assert code in codes(tmp_path, text + 'shots: [{id: quay, prompt: "@maria and @boatman"}]\n')


# -- skip and profiles ------------------------------------------------------------------------------------


def test_defaults_and_profiles_may_skip(tmp_path: Path) -> None:
    text = HEAD + "defaults: {skip: true}\nprofiles: {all: {skip: false}}\n"
    text += "shots: [{id: a, prompt: A}, {id: b, skip: false, prompt: B}]\n"
    assert [shot.skip for shot in shots(tmp_path, text).values()] == [True, False]
    assert [shot.skip for shot in shots(tmp_path, text, CompileOptions("all")).values()] == [False, False]


def test_combined_profiles_lie_one_over_the_other_in_their_order(tmp_path: Path) -> None:
    text = HEAD + "profiles:\n  tall: {aspect_ratio: '9:16', resolution: 1080p}\n  draft: {resolution: 480p}\n"
    text += "shots: [{id: a, prompt: A}]\n"

    def output(profile: str) -> tuple[str | None, str]:
        (shot,) = shots(tmp_path, text, CompileOptions(profile)).values()
        return shot.request.aspect_ratio, shot.request.resolution

    assert output("tall+draft") == ("9:16", "480p")
    assert output("draft+tall") == ("9:16", "1080p")
