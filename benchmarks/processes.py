"""The processes that benchmarks measure: byte-compiled before the first, each with its CPU time and memory."""

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_TOP = Path(__file__).resolve().parents[1]


def compile_first() -> None:
    """Byte-compile the program, and let Python use that: else each process pays anew for compiling its imports."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    compileall.compile_dir(_TOP / "runner", quiet=2)


def process(command: list[str]) -> tuple[float, int]:
    """CPU seconds of a process, and the most MB that it took; what it prints is dropped, but a failure's errors."""
    with tempfile.TemporaryFile() as errors:
        actions = [
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, errors.fileno(), 2),
        ]
        _, status, used = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=actions), 0)
        if (code := os.waitstatus_to_exitcode(status)) != 0:
            errors.seek(0)
            last = errors.read().decode("utf-8", "replace").splitlines()[-20:]
            raise SystemExit("\n".join([*last, f"{' '.join(command[:6])} ended with {code}"]))
    return used.ru_utime + used.ru_stime, used.ru_maxrss // (1024 * 1024 if sys.platform == "darwin" else 1024)


def in_turn(commands: Mapping[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each command in each round, by its name; each is carried out once before."""
    for command in commands.values():
        process(command)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(process(command)[0])
    return seconds


def middle_ratio(seconds: Sequence[float], floor: Sequence[float]) -> float:
    """The middle one of the rounds' ratios."""
    return statistics.median(part / whole for part, whole in zip(seconds, floor, strict=True))


def machine() -> str:
    """Processor, cores, load and Python, as they stand above a table."""
    model = "an unknown processor"
    if (info := Path("/proc/cpuinfo")).exists():
        names = (line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line)
        model = next(names, model)
    elif sys.platform == "darwin":
        model = subprocess.check_output(["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
    version = ".".join(map(str, sys.version_info[:2]))
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}, Python {version}"
