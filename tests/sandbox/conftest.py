"""A sandbox shared by the tests that leave no trace in it, and one per test for the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.sandbox_client import SandboxClient, running_sandbox


@pytest.fixture(scope="package")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxClient]:
    with running_sandbox(tmp_path_factory.mktemp("shared")) as client:
        yield client


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxClient]:
    with running_sandbox(tmp_path) as client:
        yield client
