"""What a problem says about the way out: the name, file or form that was probably meant."""

from pathlib import Path
from typing import Literal
from unicodedata import normalize
from urllib.parse import unquote

import pytest

from runner.language import compiler as language
from tests.builders.storyboards import codes, compiled, picture, shots

Form = Literal["NFC", "NFD"]
URL = "https://x.example.net/y"


def prompted(prompt: str) -> str:
    return f"storyboard: 1\nassets: {{door: {URL}/door.png}}\nshots:\n  - {{id: a, prompt: '{prompt}'}}\n"


def framed(path: str) -> str:
    return f'storyboard: 1\nshots:\n  - {{id: a, prompt: x, first_frame: "{path}"}}\n'


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *(("图片1", "image1"), ("视频2", "video2"), ("音频1", "audio1"), ("圖1", "image1"), ("画像3", "image3")),
        *(("参考图1", "image1"), ("參考圖片2", "image2"), ("图片１", "image1"), ("Image #1", "image1")),
        *(
            ("Image 1", "image1"),
            ("image_1", "image1"),
            ("Video 1", "video1"),
            ("img-2", "image2"),
            ("이미지1", "image1"),
        ),
        *(
            ("Bild1", "image1"),
            ("imagen 2", "image2"),
            ("видео1", "video1"),
            ("áudio 1", "audio1"),
            ("写真1", "image1"),
        ),
        *(
            ("图片一", "image1"),
            ("图片②", "image2"),
            ("第1张图", "image1"),
            ("第二张图片", "image2"),
            ("image¹", "image1"),
        ),
        *(("image(1)", "image1"), ("image【1】", "image1"), ("image.1", "image1"), ("image\u30001", "image1")),
    ],
)
def test_a_position_as_other_tools_write_it_gets_the_name_it_has_here(tmp_path: Path, written: str, name: str) -> None:
    for at in ("@", "@@"):
        _, problems = compiled(tmp_path, prompted(f"{at}{written} walks"))
        assert f"write @{name}" in problems.errors[0].hint


@pytest.mark.parametrize("written", ["角色1", "素材2", "ref1", "reference 1", "kuva1"])
def test_a_numbered_word_of_an_unlisted_language_names_the_positions(tmp_path: Path, written: str) -> None:
    _, problems = compiled(tmp_path, prompted(f"@{written} walks"))
    assert "a position among the references is written @image1" in problems.errors[0].hint


@pytest.mark.parametrize("text", ["a@@image.com", "@@ 5 pm", "the @@imagery of 1999", "@@video"])
def test_other_text_behind_an_escaped_at_is_sent_as_it_stands(tmp_path: Path, text: str) -> None:
    assert shots(tmp_path, prompted(text))["a"].request.prompt == text.replace("@@", "@")


def test_a_path_behind_an_at_names_the_asset_that_is_this_file(tmp_path: Path) -> None:
    _, problems = compiled(tmp_path, prompted("@assets/door.png opens"))
    assert problems.errors[0].hint == "a path is no mention; the asset that is this file is @door"
    _, problems = compiled(tmp_path, prompted("@assets/gate.png opens"))
    assert "define an asset, `NAME: assets/gate.png`" in problems.errors[0].hint


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("assets/maria front.png", "assets/Maria Front.PNG"),
        ("assets/Maria%20Front.png", "assets/Maria Front.png"),
        ("assets/dooor.png", "assets/door.png"),
        ("assets/door.jpg", "assets/door.png"),
        ("Assets/door.png", "assets/door.png"),
        ("door.png", "assets/door.png"),
        ("pictures/door.png", "assets/doors/door.png"),
    ],
)
def test_a_file_that_exists_under_nearly_that_name_is_named(tmp_path: Path, written: str, there: str) -> None:
    picture(tmp_path / there)
    _, problems = compiled(tmp_path, framed(written))
    assert (problems.errors[0].code, problems.errors[0].hint) == ("file-missing", f"the repository has {there}")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("storyboards/pictures/door.png", "the repository has storyboards/pictures/door.png: write pictures/door.png"),
        ("assets/gate.png", "the repository has assets/gate.png: write ../assets/gate.png"),
    ],
)
def test_the_hint_for_a_missing_file_is_the_path_that_would_work(tmp_path: Path, written: str, hint: str) -> None:
    picture(tmp_path / "storyboards/pictures/door.png")
    picture(tmp_path / "assets/gate.png")
    (tmp_path / "storyboards/film.yaml").write_text(framed(written))
    _, problems = language.compile([tmp_path / "storyboards/film.yaml"], tmp_path, language.CompileOptions())
    assert [problem.hint for problem in problems.errors] == [hint]


@pytest.mark.parametrize(("written", "there"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_the_other_unicode_form_of_a_file_name_is_named(tmp_path: Path, written: Form, there: Form) -> None:
    name = "assets/señorita.png"
    picture(tmp_path / normalize(there, name))
    _, problems = compiled(tmp_path, framed(normalize(written, name)))
    assert f"in another Unicode form ({there})" in problems.errors[0].hint


def test_no_hidden_file_is_named(tmp_path: Path) -> None:
    picture(tmp_path / ".git" / "door.png")
    _, problems = compiled(tmp_path, framed("door.png"))
    assert problems.errors[0].hint == ""


@pytest.mark.parametrize(("written", "text"), [("1", "1"), ("1.50", "1.50"), ("007", "007"), ("2e3", "2e3")])
def test_an_id_that_is_a_number_is_its_text_as_written(tmp_path: Path, written: str, text: str) -> None:
    board = (
        f"storyboard: 1\nshots:\n  - {{id: {written}, prompt: x}}\n  - {{id: b, first_frame: '@{text}.last_frame'}}\n"
    )
    assert list(shots(tmp_path, board)) == [text, "b"]


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("video", ".mov"),
        ("video", ".MOV"),
        ("video", ".avi"),
        ("video", ".png"),
        ("image", ".mp4"),
        ("image", ".heic"),
        ("audio", ".mp4"),
        *[("video", ending) for ending in (".m3u8", ".mpd", ".ts", ".html", ".zip", ".gif", ".fcpxml", ".srt")],
        *[("image", ending) for ending in (".tiff", ".cr3", ".svg", ".htm", ".m3u8", ".psd", ".exr", ".pdf")],
        *[("audio", ending) for ending in (".wma", ".aiff", ".m3u", ".midi", ".webm", ".xspf", ".7z", ".png")],
        ("video", "%2Emov"),
        ("video", "%2e%6D%6fv"),
        ("image", ".mp%34"),
    ],
)
@pytest.mark.parametrize("also_wrong", ["", ", duration: 99"])
def test_a_wrong_ending_of_an_address_is_reported_also_beside_another_fault(
    tmp_path: Path, kind: str, ending: str, also_wrong: str
) -> None:
    asset = f"{{{kind}: {URL}{ending}" + ("" if kind == "image" else ", seconds: 5") + "}"
    board = f"storyboard: 1\nassets: {{m: {asset}, n: {URL}.png}}\nshots:\n  - {{id: a, prompt: '@m @n'{also_wrong}}}\n"
    _, problems = compiled(tmp_path, board)
    assert any(
        problem.code == "material-kind" and unquote(ending).lower() in problem.message for problem in problems.errors
    )


def test_an_address_shows_its_kind_by_an_ending_in_percent_signs(tmp_path: Path) -> None:
    board = f"storyboard: 1\nassets: {{m: {URL}%2Epng}}\nshots:\n  - {{id: a, prompt: '@m'}}\n"
    [material] = shots(tmp_path, board)["a"].request.materials
    assert material.kind == "image"


def test_an_address_with_another_or_no_ending_is_taken_as_what_it_is_declared(tmp_path: Path) -> None:
    for ending in ("", ".php", "/v/2.0"):
        asset = f"{{video: {URL}{ending}, seconds: 5}}"
        assert codes(tmp_path, f"storyboard: 1\nassets: {{m: {asset}}}\nshots:\n  - {{id: a, prompt: '@m'}}\n") == []


@pytest.mark.parametrize(
    ("ending", "message"),
    [(".m3u8", "ends with .m3u8, a playlist, not the media"), (".html", "ends with .html, a page, not the media")],
)
def test_an_address_of_no_declared_kind_with_an_unfit_ending_says_what_it_is(
    tmp_path: Path, ending: str, message: str
) -> None:
    board = f"storyboard: 1\nassets: {{m: {URL}{ending}}}\nshots:\n  - {{id: a, prompt: '@m'}}\n"
    _, problems = compiled(tmp_path, board)
    assert [problem.message for problem in problems.errors] == [f"`{URL}{ending}` {message}"]
    assert problems.errors[0].hint.startswith("the provider takes .jpg")


CIRCLE = """storyboard: 1
shots:
  - {id: b, first_frame: "@c.last_frame", prompt: x}
  - {id: c, first_frame: "@b.last_frame", prompt: "%s"%s}
"""


@pytest.mark.parametrize(
    ("prompt", "more"),
    [("x", ""), ("x", ", duration: 99"), ("x", ", promt: y"), ("{{ 1 | uppper }}", ""), ("@nobody", "")],
)
def test_a_circle_is_reported_also_beside_another_fault_of_its_shots(tmp_path: Path, prompt: str, more: str) -> None:
    assert "circle" in codes(tmp_path, CIRCLE % (prompt, more))


def test_the_shots_of_a_file_are_counted_whatever_of_them_is_wrong(tmp_path: Path) -> None:
    entries = "".join(f"  - {{id: s{i}, prompt: x{', duration: 99' if i < 3 else ''}}}\n" for i in range(8))
    batch, _ = compiled(tmp_path, f"storyboard: 1\nshots:\n{entries}")
    assert [storyboard.shot_count for storyboard in batch.storyboards] == [8]


SHOT = "storyboard: 1\nshots:\n  - id: a\n    vars: {k: x}\n    prompt: "
TEXTS = {
    "folded": ">\n      one {{ k }}\n      two {{ k }}\n      three {{ k }} and «WRONG»\n",
    "literal": "|\n      one {{ k }}\n      three {{ k }} and «WRONG»\n",
    "quoted": '"one {{ k }} two «WRONG»"\n',
    "plain": "one {{ k }} two «WRONG»\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    ("markup", "code", "mark"),
    [
        ("{{ k | uppper }}", "template-filter", "uppper"),
        ("{{ k is odddd }}", "template-filter", "odddd"),
        ("{{ k k }}", "template-syntax", "{{ k k }}"),
        ("{{ kk }}", "undefined-variable", "{{ kk }}"),
    ],
)
def test_a_fault_in_a_template_is_marked_at_its_own_expression(
    tmp_path: Path, text: str, markup: str, code: str, mark: str
) -> None:
    board = SHOT + text.replace("«WRONG»", markup)
    _, problems = compiled(tmp_path, board)
    [problem] = problems.errors
    line = board.split("\n")[problem.place.line - 1]
    start = line.index(markup) + markup.index(mark)
    assert (problem.code, problem.place.column) == (code, start + 1)


def test_a_frame_of_another_shape_is_told_once_with_its_shots_and_a_reference_never(tmp_path: Path) -> None:
    picture(tmp_path / "square.png", 64, 64)
    board = """storyboard: 1
assets: {square: square.png}
shots:
  - {id: a, prompt: "@square on a quay"}
  - {id: b, prompt: "@image1 on a quay", references: [square.png], aspect_ratio: 9:16}
  - {id: c, prompt: one, first_frame: square}
  - {id: d, prompt: two, first_frame: "@c.last_frame", last_frame: square.png}
  - {id: e, prompt: three, first_frame: square, aspect_ratio: 9:16}
  - {id: f, prompt: four, first_frame: square, aspect_ratio: 1:1}
"""
    _, problems = compiled(tmp_path, board)
    [problem] = problems.items
    assert (problem.code, problem.place.line, problem.shots) == ("shape", 6, ("c", "d", "e"))
    assert problem.message == "`square` is 64 × 64, but 3 shots are 16:9 and 9:16"


@pytest.mark.parametrize(
    ("content", "label"),
    [("Scene,Shot\nHarbour,1A\n", "text"), ("12\n", "a single value"), ("- quay\n", "a list")],
)
def test_a_file_that_is_no_mapping_is_called_what_it_is(tmp_path: Path, content: str, label: str) -> None:
    _, problems = compiled(tmp_path, content)
    assert [problem.message for problem in problems] == [f"a storyboard is a mapping of fields, but this is {label}"]
