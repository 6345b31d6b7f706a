"""Nothing that is shown can steer a terminal, hide text, or stop a stream."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.show.text.escape import escape_terminal, in_ascii, json_document, json_line, json_pieces, one_line

ANY = st.text(st.characters(exclude_categories=()), max_size=200)
ATTACKS = {
    "window title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\here",
    "erase": "\x1b[2K\x1b[1A",
    "eight-bit CSI": "\x9b31m",
    "overwrite": "refused\rmade   ",
    "backspace": "160\b\b\b0",
    "bidi override": "quay\u202egnp.4pm",
    "bidi isolate": "\u2066quay\u2069",
    "line separator": "one\u2028two\u2029three",
    "next line": "one\x85two",
    "tag": "a\U000e0041",
    "lone surrogate": "a\ud800b",
    "delete": "a\x7f",
    "zero-width space mark": "a\ufeffb",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_is_shown_and_does_nothing(text: str) -> None:
    shown = escape_terminal(text)
    assert shown != text
    assert shown.isprintable()


@given(ANY)
def test_whatever_comes_in_what_goes_out_is_harmless_and_can_be_written(text: str) -> None:
    shown = escape_terminal(text)
    shown.encode("utf-8")
    hidden = {char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert hidden <= {"\u200c", "\u200d"}


@given(ANY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert escape_terminal(escape_terminal(text)) == escape_terminal(text)


@pytest.mark.parametrize("text", ["Harbour at dawn", "港の夜明け", "فجر الميناء", "می‌خواهم", "👩‍🚀 ok", "naïve"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert escape_terminal(text) == text


def test_an_escape_says_which_character_it_was() -> None:
    assert escape_terminal("a\x1b[31m\u202e\ud800\n") == "a\\x1b[31m\\u202e\\ud800\\n"
    assert escape_terminal("one\ntwo\x1b", keep="\n") == "one\ntwo\\x1b"


@given(ANY, st.integers(20, 100))
def test_somebody_elses_words_are_one_line_of_bounded_length(text: str, most: int) -> None:
    said = one_line(text, most)
    assert "\n" not in said
    assert len(said) <= most or len(text) * 10 >= len(said)
    assert said.isprintable() or "\u200c" in said or "\u200d" in said or "\u00a0" in said


def test_a_long_message_is_cut() -> None:
    assert one_line("a" * 5000, 400) == "a" * 399 + "…"


@given(ANY)
def test_an_ascii_terminal_gets_ascii(text: str) -> None:
    assert in_ascii(escape_terminal(text)).isascii()


def test_our_own_signs_have_look_alikes_of_the_same_width() -> None:
    assert in_ascii("20 · 720p → 4k ×3 ██░░ 1…") == "20 - 720p > 4k x3 ##.. 1~"


@settings(max_examples=40)
@given(st.dictionaries(ANY, ANY | st.integers() | st.lists(st.dictionaries(ANY, ANY))))
def test_json_is_printable_ascii_and_says_the_same(value: dict[str, object]) -> None:
    assert json.loads(json_line(value)) == value
    assert json.loads(json_document(value)) == value
    assert json_line(value).isascii()
    assert json_line(value).isprintable()
    assert json_document(value).replace("\n", "").isprintable()


def test_the_pieces_of_a_document_are_its_text() -> None:
    value = {"plan": 1, "shots": [{"id": f"shot{number}", "takes": [{"take": 1}]} for number in range(1_000)]}
    pieces = json_pieces(value, deep=2)
    assert len(pieces) > 5
    assert json.loads("".join(pieces)) == value
    assert "".join(pieces) == json_document(value, deep=2)


def test_a_json_document_has_a_line_for_each_item_of_a_table() -> None:
    text = json_document({"plan": 1, "shots": [{"id": "a", "takes": [{"take": 1}, {"take": 2}]}, {"id": "b"}]})
    assert text.splitlines() == [
        "{",
        ' "plan": 1,',
        ' "shots": [',
        "  {",
        '   "id": "a",',
        '   "takes": [',
        '    {"take": 1},',
        '    {"take": 2}',
        "   ]",
        "  },",
        '  {"id": "b"}',
        " ]",
        "}",
    ]
