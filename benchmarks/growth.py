"""How the records grow: what others have ordered must not make a film's plan slower. Prints the docs' table.

    python -m benchmarks.growth [ROUNDS]       5 unless said otherwise

CPU time of whole processes, the least of the rounds, and the peak of their memory. A film of 20 shots is planned
alone, and beside 10,000 and 100,000 attempts of other repositories of its account; the change of a ledger of the
first form with 100,000 attempts; the comparison of 100,000 receipts. A film of 10,000 takes that are all made: a run
with nothing to do beside its plan, and the bytes of its manifest.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from benchmarks.compile import storyboard
from benchmarks.processes import compile_first
from benchmarks.startup import made_film
from runner.attempts.events import Account, Clip, Created, Event, Intent, SendStarted, Stored, Succeeded
from runner.clock import SystemClock, format_utc
from runner.engine.limits import RunLimits
from runner.requests.request import JsonValue
from runner.store.ledger import schema
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger
from runner.store.manifest.entry import take_json
from runner.store.manifest.reading import read
from runner.store.receipts import FOLDER
from tests.golden.first_form import IN_FIRST_FORM

ACCOUNT = Account("kinovi", "127.0.0.1:9")
_BY_NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")
_REQUEST: dict[str, JsonValue] = {
    "model": "seedance-20",
    "prompt": "a lighthouse in the fog " * 20,
    "resolution": "720p",
    "seconds": 5,
}
_MORE = """
INSERT INTO attempt(id, account, repository, storyboard, shot, take, fingerprint, run, at, sent, intended, state, open,
    task, costs, folded, scope, migrated)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT 'a' || i, account, '/elsewhere/' || (i % 10), 'storyboards/film' || (i % 50) || '.yaml', 'shot' || (i % 200),
    take, printf('%064x', i), 'run' || (i / 20), at, sent, intended, state, open, 'task_' || i, costs, folded, scope,
    migrated
FROM attempt, n WHERE attempt.id = 'a0'
"""


def fill(state: Path, count: int, receipts: bool = False) -> None:
    """So many stored attempts of ten other repositories."""
    clock = SystemClock()
    ledger = Ledger(state, clock)
    ledger.start_run(ACCOUNT, "/elsewhere", RunLimits("made", concurrency=10**6))
    if count:
        intent = Intent(
            "storyboards/film.yaml", "shot", 1, f"{0:064x}", _REQUEST, "{}", Decimal(160), "classic", "01234567",
            "token", "made",
        )  # fmt: skip
        clip = Clip("renders/1.mp4", f"{0:064x}", 1000, 1280, 720, 5.0)
        assert ledger.intend(Event(clock.now(), "a0", intent), 0) is None
        for what in (SendStarted(), Created("task_0"), Succeeded((), Decimal(160), 1000, 161000), Stored(clip)):
            ledger.append(Event(clock.now(), "a0", what))
        ledger._db.execute("PRAGMA synchronous = OFF")
        ledger._db.execute("BEGIN")
        ledger._db.execute(_MORE, (count - 1,))
        ledger._db.execute(
            "INSERT INTO event(attempt, at, kind, data) SELECT a.serial, e.at, e.kind, e.data"
            " FROM attempt a, event e WHERE e.attempt = 1 AND a.serial > 1"
        )
        ledger._db.execute("COMMIT")
    ledger.close()
    if receipts:
        _receipts(state, count, clock)


def _receipts(state: Path, count: int, clock: SystemClock) -> None:
    folder = state / FOLDER / "kinovi@127.0.0.1_9"
    with (folder / f"{clock.now():%Y-%m}.jsonl").open("w") as file:
        for number in range(count):
            fields = {"attempt": f"a{number}", "task": f"task_{number}", "at": format_utc(clock.now())}
            fields |= {"account": f"{ACCOUNT.provider}@{ACCOUNT.host}", "request": "a lighthouse in the fog " * 20}
            file.write(json.dumps(fields, separators=(",", ":")) + "\n")


def film(root: Path) -> Path:
    root.mkdir()
    board = root / "film.yaml"
    board.write_text(storyboard(20), "utf-8")
    for words in (["init", "--quiet"], ["add", "."], [*_BY_NOBODY, "commit", "--quiet", "-m", "A film"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    return board


def measured(board: Path, state: Path, *words: str, provider: str = "kinovi") -> tuple[float, float]:
    """CPU seconds and peak megabytes of one command."""
    env = os.environ | {
        "STORYBOARD_STATE": str(state),
        "STORYBOARD_PROVIDER": provider,
        "SEEDANCE_BASE_URL": f"http://{ACCOUNT.host}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *words, str(board)], env=env, cwd=board.parent, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def migration(state: Path) -> float:
    """CPU seconds that the change of a ledger of the first form takes."""
    with closing(sqlite3.connect(state / NAME)) as database:
        database.executescript(IN_FIRST_FORM)
    began = time.process_time()
    with closing(Ledger(state, SystemClock())) as ledger:
        ledger.start_run(ACCOUNT, "/here", RunLimits("changed"))
        return time.process_time() - began


def comparison(state: Path, run: str) -> float:
    """CPU seconds that the begin of a run takes."""
    with closing(Ledger(state, SystemClock())) as ledger:
        began = time.process_time()
        ledger.start_run(ACCOUNT, "/here", RunLimits(run))
        return time.process_time() - began


def whole_way(top: Path, rounds: int) -> None:
    """A run that finds 10,000 takes made: its time beside that of the plan, and its manifest's size."""
    folder, state = top / "made", top / "state-made"
    folder.mkdir()
    board = made_film(folder, state, 8_000)
    measured(board, state, "run", "--json", provider="sandbox")  # writes the manifest
    path = folder / "renders/film/sandbox/manifest.json"
    written = path.stat().st_mtime_ns
    words = {"`plan`": ("plan",), "`run` with nothing to do": ("run", "--json")}
    times = {name: [measured(board, state, *command, provider="sandbox")[0] for _ in range(rounds)]
             for name, command in words.items()}  # fmt: skip
    assert path.stat().st_mtime_ns == written
    plan, run = (min(seconds) for seconds in times.values())
    print(f"\n`run` with nothing to do over 10,000 takes: {run:.2f} s, {run / plan:.2f} x `plan` ({plan:.2f} s)")
    manifest = read(path, path.name, folder)
    assert manifest is not None
    assert len(manifest.attempts) == 10_000
    shrunk = [
        len(json.dumps(take_json(attempt, {}, shrunk=True), separators=(",", ":"))) for attempt in manifest.attempts
    ]
    print(f"manifest of 10,000 current takes: {path.stat().st_size / 1e6:.1f} MB")
    print(f"of which prompts: {sum(len(str(a.intent.request['prompt'])) for a in manifest.attempts) / 1e6:.1f} MB")
    print(f"entry of a superseded take: {max(shrunk)} bytes")


def main() -> None:
    compile_first()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        board = film(top / "film")
        states = {count: top / f"state-{count}" for count in (0, 10_000, 100_000)}
        for count, state in states.items():  # in a process of its own: a child's peak holds that of its parent
            words = f"from benchmarks.growth import *; fill(Path({str(state)!r}), {count}, {count == max(states)})"
            subprocess.run([sys.executable, "-c", words], check=True)
        print("| `plan` of 20 shots beside | CPU, ms | ratio | peak, MB |\n|---|---:|---:|---:|")
        alone = 0.0
        for count, state in states.items():
            runs = [measured(board, state, "plan") for _ in range(rounds)]
            least, peak = min(cpu for cpu, _ in runs), max(memory for _, memory in runs)
            alone = alone or least
            print(f"| {count:,} attempts of others | {least * 1000:.0f} | {least / alone:.2f} | {peak:.0f} |")
        large = states[max(states)]
        first = comparison(large, "first")
        again = min(comparison(large, f"again{number}") for number in range(rounds))
        print(f"\nfirst comparison of 100,000 receipts, with the begin of a run: {first * 1000:.0f} ms")
        print(f"the same once they were compared: {again * 1000:.1f} ms")
        print(f"change of a ledger of the first form, 100,000 attempts: {migration(large):.1f} s CPU")
        assert (large / schema.BACKUP).exists()
        whole_way(top, rounds)


if __name__ == "__main__":
    main()
