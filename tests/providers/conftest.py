"""Fixtures of the tests of the HTTP client."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def certificate() -> Path:
    """A self-signed certificate for loopback, with its worthless private key."""
    return Path(__file__).parents[1] / "double" / "localhost.pem"
