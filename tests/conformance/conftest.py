"""Which host is asked: the sandbox, or with `--host` the one that the user names.

    make test-live                                            the documented host, read-only
    make test-live HOST=https://api.example.com SPEND=120     and at most 120 credits

The key comes from `SEEDANCE_API_KEY`, the documented demo key from `SEEDANCE_DEMO_KEY`.
"""

import os
from collections.abc import Iterator

import pytest

from runner.editions.edition import load
from runner.sandbox.embedded import embedded
from tests.conformance.host import Host


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--host", help="address of a host of the API; without it, the sandbox")
    parser.addoption("--spend", type=int, default=0, help="credits that the tests may spend at that host")


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The host under test."""
    named = request.config.getoption("--host", default=None)
    if named is None:
        with embedded(tmp_path_factory.mktemp("sandbox"), load("classic"), seconds=0.3, plain_clips=True) as address:
            yield Host(address.base_url, address.key, "sandbox_demo_readonly", 100_000, 30)
        return
    if os.environ.get("CI"):
        pytest.exit("the live tests do not run in CI: they want an account of somebody's own", 1)
    key = os.environ.get("SEEDANCE_API_KEY")
    if not key:
        pytest.exit("the live tests want SEEDANCE_API_KEY", 1)
    spend = request.config.getoption("--spend", default=0)
    yield Host(named, key, os.environ.get("SEEDANCE_DEMO_KEY", ""), spend, 900)


@pytest.fixture
def demo_key(host: Host) -> str:
    """The read-only key of the documentation."""
    if not host.demo_key:
        pytest.skip("SEEDANCE_DEMO_KEY is not set")
    return host.demo_key
