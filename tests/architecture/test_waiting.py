"""Tests wait for what happens, and never for a fixed time; none passes or fails by how fast the machine is."""

import ast
import functools
from pathlib import Path

import hypothesis

TESTS = Path(__file__).parents[1]
WAITING = {"time.sleep", "anyio.sleep", "asyncio.sleep", "sleep"}
TIMING = {"time.monotonic", "time.perf_counter", "time.perf_counter_ns", "time.monotonic_ns"}
EXCEPTIONS = {
    "waiting.py": "the one place that waits",
    "engine": "the clock is virtual: its seconds pass at once",
    "golden/v1/make.py": "makes the golden state by hand, and is no test",
    "show/driver.py": "plays a film for somebody who looks on, in the seconds that were asked for",
    "double": "a server that is slow on purpose",
    "conformance/host.py": "waits for the tasks of a real provider",
    "commands/test_signals.py": "a signal at ten different instants",
    "providers/test_hostile.py": "a loop that is blocked on purpose",
}


@functools.cache
def called(path: Path) -> tuple[str, ...]:
    """The name and the line of each call that waits for, or reads, the machine's own time."""
    calls = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        name = ast.unparse(node.func)
        is_checkpoint = bool(node.args) and isinstance(node.args[0], ast.Constant) and not node.args[0].value
        if name in TIMING or (name in WAITING and not is_checkpoint):
            calls.append(f"{path.relative_to(TESTS)}:{node.lineno} {name}")
    return tuple(calls)


def excepted(path: Path) -> str:
    """The exception that covers a file: its own or its folder's; empty if none does."""
    name = str(path.relative_to(TESTS))
    return next((place for place in EXCEPTIONS if name == place or name.startswith(f"{place}/")), "")


def test_no_test_sleeps_for_a_fixed_time_or_measures_it() -> None:
    files = [path for path in sorted(TESTS.rglob("*.py")) if not excepted(path)]
    assert [call for path in files for call in called(path)] == []


def test_every_exception_is_still_needed() -> None:
    needed = {excepted(path) for path in TESTS.rglob("*.py") if called(path)}
    assert set(EXCEPTIONS) - needed == set()


def test_no_example_of_hypothesis_has_a_deadline() -> None:
    assert hypothesis.settings.default is not None
    assert hypothesis.settings.default.deadline is None
