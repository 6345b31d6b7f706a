"""Options that the whole suite shares, and surroundings that are the same on every machine."""

import gc
import importlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

from tests.builders.ledgers import IMPLEMENTATIONS, LedgerHome
from tests.builders.scheduling import is_ordinary
from tests.drawn_once import RESULTS

_PREFIXES = ("STORYBOARD_", "SEEDANCE_", "XDG_", "GIT_")
_NAMES = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_OWN_HOME = pytest.StashKey[Path]()
_OWN_RESULTS = pytest.StashKey[Path]()
_OWN_MEMORY = pytest.StashKey[Path]()
_MEMORY, _ENOUGH_BYTES = Path("/dev/shm"), 1 << 30
_FOLDER = Path(__file__).parent

# A loaded machine is slow, and no fault of an example.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

# Compiled modules are kept: the suite starts six workers and hundreds of interpreters, and each would compile anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write what is shown now into the golden files")


def pytest_configure(config: pytest.Config) -> None:
    """An empty home for each process of the suite: no test sees, or changes, what the user has."""
    if config.getoption("--host", default=None):  # the live tests need the user's key and proxy
        return
    # A shell starts what runs in the background with Ctrl-C ignored, and every process of a test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name in _NAMES or name.lower() in _PROXIES:
            del os.environ[name]
    _put_files_into_memory(config)
    home = Path(tempfile.mkdtemp(prefix="storyboard-tests-home-"))
    os.environ |= {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    config.stash[_OWN_HOME] = home
    if RESULTS not in os.environ:  # a worker inherits it
        config.stash[_OWN_RESULTS] = Path(tempfile.mkdtemp(prefix="drawn-once-"))
        os.environ[RESULTS] = str(config.stash[_OWN_RESULTS])


def _put_files_into_memory(config: pytest.Config) -> None:
    """Put the files of a run by workers into memory, where it is plenty: they would wait for thousands of commits.

    A run without workers leaves its files where pytest does, for a look at them.
    """
    has_workers = config.getoption("numprocesses", default=None)
    if not has_workers or hasattr(config, "workerinput"):  # a worker inherits the folder
        return
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
        config.stash[_OWN_MEMORY] = Path(tempfile.mkdtemp(prefix="storyboard-tests-", dir=_MEMORY))
        os.environ["TMPDIR"] = tempfile.tempdir = str(config.stash[_OWN_MEMORY])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: no search for garbage goes over it, while it is collected or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three workers for each core: a good part of these tests is waiting, for answers, processes and disks."""
    return 3 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[object]) -> None:
    """Compile the test modules that have changed, once: the workers begin together, and each would compile them all."""
    changed = [path for path in sorted(_FOLDER.glob("**/test_*.py")) if not _is_compiled(path)]
    cores = os.cpu_count() or 1
    shares = [changed[place::cores] for place in range(cores)]
    for pid in [_start_import(share) for share in shares if share]:
        os.waitpid(pid, 0)


def _is_compiled(path: Path) -> bool:
    pattern = f"{path.stem}.{sys.implementation.cache_tag}-pytest-*.pyc"
    compiled = (path.parent / "__pycache__").glob(pattern)
    return any(path.stat().st_mtime < other.stat().st_mtime for other in compiled)


def _start_import(modules: Sequence[Path]) -> int:
    """Import modules in a process of its own, and return its id; what is wrong with one is for the worker to report."""
    pid = os.fork()
    if pid == 0:
        try:
            for path in modules:
                importlib.import_module(".".join(path.relative_to(_FOLDER.parent).with_suffix("").parts))
        finally:
            os._exit(0)
    return pid


def pytest_unconfigure(config: pytest.Config) -> None:
    for own in (_OWN_HOME, _OWN_RESULTS, _OWN_MEMORY):
        if (folder := config.stash.get(own, None)) is not None:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _home_stays_empty(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that writes into the home would write into its user's ledger: that test fails."""
    yield
    home = request.config.stash.get(_OWN_HOME, None)
    written = sorted(home.iterdir()) if home is not None else []
    for path in written:
        shutil.rmtree(path, ignore_errors=True)
    assert not written, "this test wrote into HOME"


@pytest.fixture(autouse=True)
def _scheduling_stays_ordinary() -> Iterator[None]:
    """A test that raises the priority of its process raises that of every process after it: that test fails."""
    yield
    assert is_ordinary(), "this test left its process at a real-time priority"


@pytest.fixture(params=IMPLEMENTATIONS)
def ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerHome:
    """A place for a ledger, for each implementation there is."""
    return LedgerHome(tmp_path, request.param)
