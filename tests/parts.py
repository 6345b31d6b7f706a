"""Parts of the machine that a test needs: without one it is skipped at home, and fails in CI."""

import os
from typing import NoReturn

import pytest


def missing(words: str) -> NoReturn:
    """Ends the test: `.ci/run` installs what tests need, so that in CI nothing is skipped for want of it."""
    if os.environ.get("CI"):
        pytest.fail(f"in CI every part is there: {words}")
    pytest.skip(words)
