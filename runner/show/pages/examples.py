"""The example storyboards that the installation carries, by name."""

from pathlib import Path

from runner.files.packaged import packaged_folder

# The storyboard that `storyboard init` writes: it needs no file beside it.
_STARTER = Path(__file__).resolve().parent.parent / "templates" / "init" / "storyboards"


def example_paths() -> dict[str, Path]:
    """The examples by name, the one that stands alone first."""
    paths = [*sorted(_STARTER.glob("*.yaml")), *sorted(packaged_folder("storyboards").glob("*.yaml"))]
    return {path.stem: path for path in paths}


def needs_files(path: Path) -> bool:
    """Whether an example refers to files that lie beside it."""
    return path.parent != _STARTER


def example_title(path: Path) -> str:
    """The `title:` of an example."""
    prefix = "title:"
    lines = path.read_text("utf-8").splitlines()
    return next((line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)), path.stem)
