"""Helpers that write a storyboard into a folder and compile it."""

from collections.abc import Mapping
from pathlib import Path

from runner.diagnostics.problem import Problems
from runner.language import compiler as language
from runner.language.compiler import CompileOptions
from runner.language.model import Batch, Shot


def compiled(root: Path, text: str | bytes, options: CompileOptions | None = None) -> tuple[Batch, Problems]:
    """The batch of one storyboard, `board.yaml` at the top of a repository."""
    board = root / "board.yaml"
    board.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return language.compile([board], root, options or CompileOptions())


def shots(root: Path, text: str, options: CompileOptions | None = None) -> Mapping[str, Shot]:
    """The shots of a storyboard in which nothing is wrong, by id."""
    batch, problems = compiled(root, text, options)
    assert not problems.errors, problems.errors
    return {shot.id: shot for shot in batch.shots}


def codes(root: Path, text: str | bytes, options: CompileOptions | None = None) -> list[str]:
    """The codes of what is wrong, in file order."""
    return [problem.code for problem in compiled(root, text, options)[1]]


def picture(path: Path, width: int = 64, height: int = 36) -> None:
    """A small PNG."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (40, 80, 120)).save(path)
