"""Golden files: whole screens beside the tests, written anew by `pytest --rewrite`."""

from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"
Golden = Callable[[str, str], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(name, text)`: the text is what the file of that name holds; colour is written as `␛`."""

    def compare(name: str, text: str) -> None:
        path, shown = FOLDER / f"{name}.txt", text.replace("\x1b", "␛")
        if request.config.getoption("--rewrite"):
            path.write_text(shown, "utf-8")
        assert shown == path.read_text("utf-8")

    return compare
