"""The prompt is readable: in lines, on pages, in every script that a font here draws."""

import os

import pytest
from PIL import Image

from runner.animatic.caption import label, lay_out_caption, measure, page_masks, right_to_left, wrap
from runner.animatic.fonts import faces_of, missing_font, runs
from tests import requirements

LONG = "The camera follows @image1 along the quay while the gulls circle. " * 60
BOX = (1216, 260)


def _text(prompt: str, seconds: float = 5, box: tuple[int, int] = BOX) -> str:
    layout = lay_out_caption(prompt, seconds, *box)
    return " ".join(line.text for page in layout.pages for line in page.lines)


def test_a_short_prompt_is_set_large_on_one_page() -> None:
    layout = lay_out_caption("Sunrise over the roofs of Lisbon", 5, *BOX)
    assert len(layout.pages) == 1
    assert layout.size >= 36


@pytest.mark.parametrize("box", [BOX, (656, 640), (656, 300), (400, 120)])
def test_not_a_word_of_a_long_prompt_is_lost_and_every_page_fits(box: tuple[int, int]) -> None:
    layout = lay_out_caption(LONG[:4000], 5, *box)
    assert _text(LONG[:4000], box=box).split() == LONG[:4000].split()
    assert layout.pages[0].start == 0
    assert layout.pages[-1].end == 5
    for page in layout.pages:
        assert len(page.lines) * layout.line_height <= max(box[1], layout.line_height)
        assert all(line.width <= box[0] for line in page.lines)


def test_a_word_without_an_end_is_broken_anyway() -> None:
    lines = wrap("x" * 500, 24, 300, faces_of("x"))
    assert "".join(text for text, _ in lines) == "x" * 500
    assert all(width <= 300 for _, width in lines)


def test_the_beat_that_plays_stands_out() -> None:
    layout = lay_out_caption("At dawn. 0-2s: she stops. 2-5s: she goes on.", 5, *BOX)
    assert [(page.start, page.end, page.beat) for page in layout.pages] == [(0, 2, 0), (2, 5, 1)]
    first, second = (_strengths(page_masks(page, layout, BOX[0])[0], layout.line_height) for page in layout.pages)
    assert first[1] > first[2]
    assert second[2] > second[1]


def _strengths(letters: Image.Image, line: int) -> list[int]:
    """The brightest pixel of each line."""
    rows = (letters.crop((0, top, letters.width, top + line)) for top in range(0, letters.height, line))
    return [max(row.tobytes()) for row in rows]


def test_mentions_are_written_apart_in_the_place_that_is_left_for_them() -> None:
    layout = lay_out_caption("Then @image1 dances", 5, *BOX)
    letters, mentions = page_masks(layout.pages[0], layout, BOX[0])
    box = mentions.getbbox()
    assert box is not None
    assert letters.crop(box).getbbox() is None
    assert abs(box[0] - measure("Then ", layout.size, layout.faces)) < 6


def test_a_line_in_hebrew_begins_at_the_right() -> None:
    assert right_to_left("@image1 \u05de\u05d1\u05d9\u05d8\u05d4")
    assert not right_to_left("she says \u05e9\u05dc\u05d5\u05dd")


@pytest.mark.parametrize(
    "prompt",
    [
        "\u0639\u0646\u062f \u0627\u0644\u0641\u062c\u0631 \u062a\u0645\u0634\u064a",
        "\u05d1\u05d6\u05e8\u05d9\u05d7\u05d4 \u05d0\u05d9\u05e9\u05d4",
    ],
)
def test_scripts_from_the_right_are_set_to_the_right(prompt: str) -> None:
    requirements.font(prompt)
    layout = lay_out_caption(prompt, 5, *BOX)
    box = page_masks(layout.pages[0], layout, BOX[0])[0].getbbox()
    assert box is not None
    assert box[2] > BOX[0] - 10
    assert box[0] > BOX[0] / 3


def test_chinese_is_broken_between_signs_and_no_line_begins_with_a_stop() -> None:
    prompt = "黎明时分，穿黄色雨衣的女人沿着港口的石码头走来，镜头缓缓推近；海鸥在渔船上空盘旋。" * 3
    requirements.font(prompt)
    lines = wrap(prompt, 24, 500, faces_of(prompt))
    assert "".join(text for text, _ in lines) == prompt
    assert len(lines) > 3
    assert not any(text[0] in "，。；" for text, _ in lines)


def test_a_sign_that_no_font_draws_is_named_with_what_to_install() -> None:
    message = missing_font("a road \U0001e922 at night", os.environ)
    assert message is None or message.startswith(
        "no font on this machine draws \U0001e922 (Adlam); install fonts-noto-core"
    )


def test_a_line_from_right_to_left_that_no_font_draws_is_boxes() -> None:
    assert label("\U0001e922 at night", 20).getbbox() is not None


def test_plain_words_need_no_font_of_the_machine() -> None:
    assert missing_font("plain words, 12:30, 'yes'", os.environ) is None


def test_dashes_and_quotation_marks_are_drawn_by_a_font_of_the_machine() -> None:
    requirements.font("–“”")
    assert missing_font("plain words, 12:30 – “yes”", os.environ) is None


def test_the_faces_of_a_text_follow_from_the_text_alone() -> None:
    before = faces_of("naïve café → quay")
    for text in ("你好", "مرحبا", "שלום", "Привет"):
        faces_of(text)
    faces_of.cache_clear()
    assert faces_of("naïve café → quay") == before


def test_runs_lose_nothing() -> None:
    text = "Maria 你好 walks → café مرحبا"
    assert "".join(run.text for run in runs(text, faces_of(text))) == text


@pytest.mark.parametrize("prompt", ["", "   \n ", "\u202e\u0000"])
def test_no_words_need_no_page(prompt: str) -> None:
    assert lay_out_caption(prompt, 5, *BOX).pages == ()


def test_a_page_begins_with_a_paragraph_where_it_can() -> None:
    prompt = (
        "She walks along the quay and looks at the boats, then she turns. " * 9
        + "\nLight: "
        + "blue hour, lamps. " * 20
    )
    layout = lay_out_caption(prompt, 6, *BOX)
    assert len(layout.pages) == 2
    assert layout.pages[1].lines[0].text.startswith("Light:")
    assert layout.pages[0].end == layout.pages[1].start > 3
