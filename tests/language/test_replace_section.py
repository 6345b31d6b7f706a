"""One section of a YAML file is replaced by its offsets, and every other character stays."""

import pytest

from runner.language.yaml.replace_section import SectionNotReplaced, replace_section

NEW = "cut:\n  - b\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1\ncut: [x]\nb: 2\n", f"a: 1\n{NEW}b: 2\n"),
        ("cut:\n- x\n- y\n\n# of b\nb: 2\n", f"{NEW}\n# of b\nb: 2\n"),
        ("a: 1\ncut:\n  - x", f"a: 1\n{NEW}"),
        ("a: 1\n", f"a: 1\n{NEW}"),
        ("a: 1", f"a: 1\n{NEW}"),
        ("---\na: 1\n...\n", f"---\na: 1\n{NEW}...\n"),
        ('"cut": [x] # why\nb: ünï\n', f"{NEW}b: ünï\n"),
        ("a: &a [1]\ncut: [x]\nb: *a\n", f"a: &a [1]\n{NEW}b: *a\n"),
        ("a: 1\r\ncut: [x]\r\n\r\nb: 2\r\n", f"a: 1\r\n{NEW}\r\nb: 2\r\n"),
    ],
)
def test_the_section_alone_changes(before: str, after: str) -> None:
    assert replace_section(before, "cut", NEW).text == after


def test_comments_in_the_old_section_are_counted_as_lost() -> None:
    assert replace_section("cut:\n  - x  # first\nb: 2\n", "cut", NEW).lost_comments
    assert not replace_section("cut:\n  - x\n# of b\nb: 2\n", "cut", NEW).lost_comments


@pytest.mark.parametrize(
    "text",
    [
        "{a: 1, cut: [x]}\n",
        "cut: &edit [x]\nb: *edit\n",
        "x-base: &base {cut: [x]}\n<<: *base\na: 1\n",
        "a: [1\n",
    ],
)
def test_a_section_that_is_tied_to_others_is_left_alone(text: str) -> None:
    with pytest.raises(SectionNotReplaced):
        replace_section(text, "cut", NEW)
