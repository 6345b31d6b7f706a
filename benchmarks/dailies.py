"""How long the page of a long film takes: written from a warm cache of posters, and opened. Prints the docs' table.

    python -m benchmarks.dailies [ROUNDS]       3 unless said otherwise

A film of 1,000 shots with 3 takes each that are all made, with prompts of 270 characters; seconds on the clock and of
CPU of the whole command, the least of the rounds. Where Chromium is installed, the page is opened from disk.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import compile_first
from tests.builders.content_repo import ContentRepo
from tests.builders.made_films import OUTPUT, large_film

_SHOTS, _TAKES = 1_000, 3
_BOARD = "storyboards/film.yaml"


def written(film: ContentRepo) -> tuple[float, float]:
    """Seconds on the clock and of CPU of one `dailies`."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "dailies", _BOARD], cwd=film.root, env=film.env(), stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime


def opened(page: Path, rounds: int) -> float | None:
    """Milliseconds until the first shot has the focus, the least of the rounds; None without Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(rounds):
            window = browser.new_page(viewport={"width": 1440, "height": 900})
            window.goto(page.as_uri())
            assert window.evaluate("document.activeElement.dataset.shot") == "SH0000"
            times.append(
                float(window.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
            )
            window.close()
        browser.close()
    return min(times)


def main() -> None:
    compile_first()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        film = large_film(Path(folder), _SHOTS, _TAKES)
        cold, _ = written(film)
        warm = [written(film) for _ in range(rounds)]
        page = film.root / OUTPUT / "dailies.html"
        print(f"`dailies` of {_SHOTS:,} shots x {_TAKES} takes, every poster new: {cold:.1f} s")
        clock, cpu = min(clock for clock, _ in warm), min(cpu for _, cpu in warm)
        print(f"the same from a warm cache: {clock:.1f} s, CPU {cpu:.1f} s")
        print(f"the page: {page.stat().st_size / 1e6:.1f} MB")
        if (milliseconds := opened(page, rounds)) is not None:
            print(f"opened from disk until the first shot has the focus: {milliseconds / 1000:.1f} s")


if __name__ == "__main__":
    main()
