"""What tests of the wire share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def certificate() -> Path:
    """A certificate for this machine's loopback, with its key, that no one vouches for; it guards nothing."""
    return Path(__file__).parents[1] / "double" / "localhost.pem"
