"""The words of a shot beside its request: two headers, cut to a length, and found again in the prompt as sent."""

import pytest

from runner.requests.shot_text import MAX_BYTES, PROMPT_HEADER, SCENE_HEADER, ShotText, headers_of, own_part, text_of


@pytest.mark.parametrize("text", ["Dawn, 100% @quay", "Ünï 你好\nzweite Zeile", "مرحبا — “hello”", ""])
def test_the_words_come_back_as_they_were(text: str) -> None:
    headers = headers_of(ShotText(text, "arrival\nshe walks"))
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert text_of(headers.get(PROMPT_HEADER), headers.get(SCENE_HEADER)) == ShotText(text, "arrival\nshe walks")


def test_a_shot_without_words_has_no_headers() -> None:
    assert headers_of(ShotText()) == {}
    assert text_of(None, None) == ShotText()


@pytest.mark.parametrize("sign", ["a", "é", "你", "🎬"])
def test_a_long_text_is_cut_between_two_characters(sign: str) -> None:
    value = headers_of(ShotText(sign * 9_000))[PROMPT_HEADER]
    assert MAX_BYTES - 12 <= len(value) <= MAX_BYTES
    assert set(text_of(value, None).prompt) == {sign}


@pytest.mark.parametrize(
    ("own", "sent", "part"),
    [
        ("A quay at dawn.", "Wide. A quay at dawn. Style: paper.", "A quay at dawn."),
        (
            "@maria walks along the @quay towards\nus.",
            "Wide. @image1 @image2 (a woman (tall)) walks along the quay (wet stone) towards us. Light: low.",
            "@image1 @image2 (a woman (tall)) walks along the quay (wet stone) towards us.",
        ),
        ("@maria @tomas talk", "Two-shot. @image1 @image2 @image3 talk, slowly.", "@image1 @image2 @image3 talk"),
        (
            "@maria turns to the @door.last_frame",
            "maria (a woman) turns to the @image1",
            "maria (a woman) turns to the @image1",
        ),
        ("SHOUTED by a filter", "shouted BY A FILTER", "SHOUTED by a filter"),
        ("", "anything", ""),
    ],
)
def test_the_own_part_of_a_prompt_is_found_in_the_prompt_as_sent(own: str, sent: str, part: str) -> None:
    assert own_part(own, sent) == part


def test_a_hostile_prompt_is_searched_in_little_time() -> None:
    own = " ".join(["@a"] * 200) + " end"
    assert own_part(own, " ".join(f"@image{number % 9 + 1}" for number in range(400))) == own
