"""The real program, killed or denied the disk at every call by which it changes files or talks to the provider.

The judge is the provider's journal. `CRASH_SHARD=2/8` runs the second eighth of the whole; the library is built here
with the C compiler, and without one these tests are skipped.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import missing

from .scene import Provider, Scene, served

HOWS = ("before", "after", "enospc", "eio", "full")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        missing("a C compiler, on Linux")
    built = tmp_path_factory.mktemp("cut") / "cut.so"
    source = Path(__file__).with_name("cut.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True, timeout=60)
    return built


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with served("--seconds", "0.2") as found:
        yield found


@pytest.fixture(scope="module")
def calls(library: Path, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The calls of a whole run, in order: `send the provider`."""
    folder = tmp_path_factory.mktemp("whole")
    whole = Scene(folder, "whole", provider)
    log = folder / "log"
    assert whole.cut(library, 0, "", log).code == 0
    return [line.split(" ", 1)[1] for line in log.read_text().splitlines()]


def judged(folder: Path, name: str, provider: Provider, library: Path, at: int, how: str) -> tuple[str, list[str]]:
    """What became of a scene that was cut off at a call and then run twice; and what may never be."""
    scene = Scene(folder, name, provider)
    scene.cut(library, at, how)
    scene.run()
    last = scene.run()
    arrived = sum(provider.tasks(name).values())
    ended = "whole" if last.code == 0 else f"unsettled, {'arrived' if arrived == 3 else 'nothing sent'}"
    return ended, scene.violations()


def around_the_request(calls: list[str]) -> list[int]:
    """From the last call before the first createTask's bytes to the row of its task id."""
    receipt = next(number for number, call in enumerate(calls) if "/runs/" in call and call.startswith("fdatasync"))
    return list(range(receipt - 5, receipt + 3))


def test_a_kill_around_the_request_never_pays_twice(
    calls: list[str], library: Path, provider: Provider, tmp_path: Path
) -> None:
    for at in around_the_request(calls)[1:8:3]:
        ended, violations = judged(tmp_path / f"k{at}", f"around{at}", provider, library, at + 1, "before")
        assert not violations, (at, calls[at], ended, violations)


@pytest.mark.parametrize("how", ["full", "eio"])
def test_a_disk_that_fails_after_the_answer_loses_no_task(
    calls: list[str], library: Path, provider: Provider, tmp_path: Path, how: str
) -> None:
    at = around_the_request(calls)[5]
    ended, violations = judged(tmp_path / how, f"{how}{at}", provider, library, at + 1, how)
    assert not violations, (at, calls[at], ended, violations)


@pytest.mark.long
@pytest.mark.parametrize("how", HOWS)
def test_no_call_of_the_whole_run_can_be_cut_off_with_harm(
    calls: list[str], library: Path, provider: Provider, tmp_path: Path, how: str
) -> None:
    part, parts = (int(number) for number in os.environ.get("CRASH_SHARD", "1/1").split("/"))
    harm, tally = [], Counter[str]()
    for at in range(part, len(calls) + 1, parts):
        ended, violations = judged(tmp_path / str(at), f"{how}{at}", provider, library, at, how)
        tally[ended] += 1
        harm += [(at, calls[at - 1], violation) for violation in violations]
        shutil.rmtree(tmp_path / str(at))
        print(how, at, calls[at - 1].rsplit("/", 1)[-1], ended, violations, flush=True)
    print(how, dict(tally))
    assert not harm
