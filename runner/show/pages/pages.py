"""The pages of the documentation, by name."""

from pathlib import Path

from runner.files.packaged import packaged_folder
from runner.lazy_pattern import lazy_pattern
from runner.show.text.cells import wrap

# About the code: who types `storyboard docs` writes storyboards.
_FOR_DEVELOPERS = ("architecture", "performance")
# A bar parts two cells unless it is escaped, as in a list of values: `flat\|each`.
_CELLS = lazy_pattern(r"(?<!\\)\|")
_LINK = lazy_pattern(r"\[([^\]]+)\]\([^)]*\)")


def page_paths() -> dict[str, Path]:
    """The pages that users need, by name, in alphabetical order."""
    paths = sorted(packaged_folder("docs").glob("*.md"))
    return {path.stem: path for path in paths if path.stem not in _FOR_DEVELOPERS}


def page_title(path: Path) -> str:
    """The first heading of a page."""
    return next((line[2:] for line in path.read_text("utf-8").splitlines() if line.startswith("# ")), path.stem)


def page_list(width: int) -> str:
    """Each page's name and title, a line each; titles are wrapped to `width`."""
    paths = page_paths()
    names = max(map(len, paths), default=0)
    lines: list[str] = []
    for name, path in paths.items():
        first, *rest = wrap(page_title(path), max(20, width - names - 2))
        lines += [f"{name:<{names}}  {first}", *(" " * (names + 2) + line for line in rest)]
    return "".join(f"{line}\n" for line in lines)


def table_rows(page: str, header: str) -> dict[str, tuple[str, ...]]:
    """The rows of the first table of a page whose header begins so, by their first cell, as plain text.

    Empty without such a table.
    """
    path = page_paths().get(page)
    lines = path.read_text("utf-8").splitlines() if path is not None else []
    start = next((number for number, line in enumerate(lines) if line.startswith(header)), len(lines))
    rows: dict[str, tuple[str, ...]] = {}
    # Behind the head and the rule below it.
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, *others = [plain_text(cell.strip()) for cell in _CELLS.split(line)[1:-1]]
        rows[first] = tuple(others)
    return rows


def plain_text(markdown: str) -> str:
    """A cell without the marks of code and links."""
    return _LINK.sub(r"\1", markdown).replace("`", "").replace("\\|", "|")
