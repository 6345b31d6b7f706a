"""The documentation's pages as values: fenced blocks, sections, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "runner/show/templates").rglob("*.md")],
    key=str,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what stands after the fence, its text, its line, and the paragraph before it."""

    kind: str
    text: str
    line: int
    before: str


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    lines = page.read_text("utf-8").splitlines()
    at = 0
    before: list[str] = []
    while at < len(lines):
        if fence := re.match(r"(```+)(\w*)\s*$", lines[at]):
            end = lines.index(fence[1], at + 1)
            yield Block(fence[2], "\n".join(lines[at + 1 : end]) + "\n", at + 1, "\n".join(before))
            at, before = end, []
        else:
            before = [*before, lines[at]] if lines[at].strip() else before
        at += 1


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^(```+)\w*\s*$.*?^\1$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def sections(page: Path, level: int = 2) -> dict[str, str]:
    """Text by heading of that level, fenced blocks included."""
    parts = re.split(rf"^{'#' * level} (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip((name.strip("` ") for name in parts[1::2]), parts[2::2], strict=True))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
