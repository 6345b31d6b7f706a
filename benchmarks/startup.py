"""How long the command takes to start, as ratios to `python -c pass` of the same environment. Prints the docs' table.

    python -m benchmarks.startup [ROUNDS]       15 unless said otherwise

CPU time of whole processes, user and system, in turn: the least of each, and the middle of the rounds' ratios. All is
byte-compiled first, and the command is started by its script, as a shell does. A realistic film has an include,
pictures, chains and conditions. A run with nothing to do is over 1,000 takes that are made, beside its plan, and
beside `make` over 1,000 targets that are up to date.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from benchmarks.compile import storyboard
from benchmarks.processes import compile_first, machine, process
from benchmarks.realistic_film import realistic_film
from runner.animatic.drawing_version import DRAWING_VERSION
from runner.attempts.attempt import Attempt, open_attempt
from runner.attempts.events import Account, Clip, Created, Event, Intent, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.editions.edition import DEFAULT, load
from runner.engine.limits import RunLimits
from runner.language import compiler as language
from runner.planning.plan import Step
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.store.ledger.ledger import Ledger

WITH_JINJA = ("  wrap: |\n    {{ camera }}.", '  wrap: |\n    {{ camera | default("static") }}.')
"""A template that only Jinja can render, in place of one that is read here."""


SANDBOX = Account("sandbox", "sandbox", free=True)


def made_film(root: Path, state: Path, shots: int, account: Account = SANDBOX) -> Path:
    """A storyboard in a git repository whose takes are all made: in the ledger, and as files of the right size."""
    board = root / "film.yaml"
    board.write_text(storyboard(shots), "utf-8")
    (root / "storyboard.toml").write_text(f'provider = "{account.provider}"\n', "utf-8")
    for arguments in (["init", "--quiet"], ["add", "."], [*_BY_NOBODY, "commit", "--quiet", "-m", "A film"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)
    batch, problems = language.compile([board], root, language.CompileOptions())
    assert not problems.errors
    edition, clock = load(DEFAULT), SystemClock()
    plan = build_plan(
        batch, History(), ProviderTerms(account, edition, Decimal("0.005")), RepositoryFiles(lambda _: True)
    )
    ledger = Ledger(state, clock)
    ledger.start_run(account, str(root), RunLimits("made", concurrency=10**6))
    ledger._db.execute("PRAGMA synchronous = OFF")
    ledger._db.execute("BEGIN")
    assert ledger._scope is not None
    for number, step in enumerate(plan.steps):
        clip = f"renders/film/{account.provider}/clips/{step.shot.id}/take-{step.take}.mp4"
        for event, attempt in _story(step, number, clock, clip, account.free):
            if attempt is not None:
                ledger._table.insert(ledger._scope, attempt, event)
            else:
                ledger._table.write_event(event)
        (root / clip).parent.mkdir(parents=True, exist_ok=True)
        (root / clip).write_bytes(bytes(_CLIP_BYTES))
    ledger._db.execute("COMMIT")
    ledger.close()
    return board


_BY_NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")
_CLIP_BYTES = 1_000


def _story(
    step: Step, number: int, clock: SystemClock, path: str, free: bool
) -> Iterator[tuple[Event, Attempt | None]]:
    """What is in the ledger of a take that is made."""
    assert step.fingerprint is not None
    intent = Intent(
        step.shot.storyboard, step.shot.id, step.take, step.fingerprint, step.neutral_request(), "{}", Decimal(160),
        DEFAULT,
        "01234567", f"receipt-{number}", "made", drawing=DRAWING_VERSION if free else None,
    )  # fmt: skip
    first = Event(clock.now(), f"a{number}", intent)
    yield first, open_attempt(first)
    clip = Clip(path, sha256(bytes(_CLIP_BYTES)).hexdigest(), _CLIP_BYTES, 1280, 720, 5.0)
    for what in (SendStarted(), Created(f"task_{number}"), Succeeded((), Decimal(160), 1000, 161000), Stored(clip)):
        yield Event(clock.now(), f"a{number}", what), None


def targets(folder: Path, number: int) -> list[str]:
    """`make` over so many files that are all newer than what they are made from."""
    names = " ".join(f"clips/{n}.mp4" for n in range(number))
    (folder / "Makefile").write_text(f"all: {names}\nclips/%.mp4: shots/%.txt\n\tcp $< $@\n", "utf-8")
    for kind, ending in (("shots", "txt"), ("clips", "mp4")):
        (folder / kind).mkdir()
        for n in range(number):
            (folder / kind / f"{n}.{ending}").touch()
    return [shutil.which("make") or "make", "--question", "-C", str(folder)]


def commands(root: Path) -> dict[str, list[str]]:
    """What is measured, by its name in the table; every command was carried out once."""
    small, large, many = root / "small", root / "large", root / "many"
    for folder in (small, large, many):
        folder.mkdir()
    (small / "storyboard.toml").write_text('provider = "sandbox"\n', "utf-8")
    plain, jinja = small / "plain.yaml", small / "jinja.yaml"
    text = storyboard(10)
    assert WITH_JINJA[0] in text
    plain.write_text(text, "utf-8")
    jinja.write_text(text.replace(*WITH_JINJA), "utf-8")
    os.environ["STORYBOARD_STATE"] = str(root / "state")
    film, make = made_film(large, root / "state", 800), targets(many, 1_000)
    command = [sys.executable, str(Path(sys.executable).with_name("storyboard"))]
    process([*command, "run", str(film)])  # writes the manifest
    board = _realistic(root / "realistic", command)
    return {
        "`python -c pass`": [sys.executable, "-c", "pass"],
        "`storyboard --version`": [*command, "--version"],
        "`storyboard --help`": [*command, "--help"],
        "`storyboard validate`, 10 shots, simple templates": [*command, "validate", str(plain)],
        "`storyboard validate`, 10 shots, templates for Jinja": [*command, "validate", str(jinja)],
        "`storyboard plan --json`, 10 shots": [*command, "plan", "--json", str(plain)],
        **{
            f"`storyboard {word}`, 300 realistic shots": [*command, word, str(board)]
            for word in ("validate", "plan", "status")
        },
        "`storyboard plan`, 1,000 takes that are made": [*command, "plan", str(film)],
        "`storyboard run`, nothing to do over 1,000 takes": [*command, "run", str(film)],
        "`make`, nothing to do over 1,000 targets": make,
    }


def _realistic(folder: Path, command: list[str]) -> Path:
    """A film of 300 shots whose pictures are remembered, as they are from the second command on."""
    folder.mkdir()
    (folder / "storyboard.toml").write_text('provider = "sandbox"\n', "utf-8")
    board = realistic_film(folder, 300)
    time.sleep(2.5)  # a file that changed just now is not remembered
    process([*command, "validate", str(board)])
    return board


def main() -> None:
    compile_first()
    rounds = int(sys.argv[1]) if sys.argv[1:] else 15
    with tempfile.TemporaryDirectory() as folder:
        runs = commands(Path(folder).resolve())
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                times[name].append(process(run)[0])
    bare = times["`python -c pass`"]
    print(f"{machine()}, {rounds} rounds\n")
    print("| what | × `python -c pass`, the least of each | the middle of the rounds |")
    print("|---|---|---|")
    for name, spent in times.items():
        middle = statistics.median(cpu / floor for cpu, floor in zip(spent, bare, strict=True))
        print(f"| {name} | {min(spent) / min(bare):.1f} | {middle:.1f} |")


if __name__ == "__main__":
    main()
