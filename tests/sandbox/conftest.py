"""One sandbox that tests share who leave it as it was, and one of its own for who does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.sandbox_client import Guest, house


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    with house(tmp_path_factory.mktemp("shared")) as guest:
        yield guest


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Guest]:
    with house(tmp_path) as guest:
        yield guest
