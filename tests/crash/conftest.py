"""Prepared programs, which all tests of a process of the suite share."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .prepared import PreparedProgram, build_library
from .programs import Programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with ExitStack() as started:
        yield Programs(build_library(tmp_path_factory.mktemp("cut")), started)


@pytest.fixture
def program(programs: Programs) -> Iterator[PreparedProgram]:
    with programs.borrow() as prepared:
        yield prepared
