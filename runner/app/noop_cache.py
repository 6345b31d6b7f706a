"""What a run that had nothing to do looked at, so that the next one with the same words can be answered from memory."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from runner import __version__
from runner.app.session import Opened
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.language.safe_files import asked_for
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.settings.environment import surroundings
from runner.settings.settings import FILE, own_folder
from runner.show.screens.plan import nothing_to_do
from runner.store import manifest, noop_cache
from runner.store.clip_store import Shelf
from runner.store.ledger.database import NAME as LEDGER
from runner.store.locks import lock_of

Line = tuple[str, str, str | None]


@dataclass(slots=True)
class Standstill:
    """One run from its beginning; `found` is called when it had nothing to do, `keep` after its ledger is closed."""

    state: Path
    began: datetime
    ledger: str | None = None
    said: str | None = None
    lines: tuple[Line, ...] = ()

    def begin(self) -> None:
        """Before the ledger is opened: what is written to it from here on is not what this run has seen."""
        self.ledger = noop_cache.ledger_facts(str(self.state / LEDGER))

    def found(self, desk: Opened, plan: Plan, history: History, said: str) -> None:
        """Everything is made, and this was said of it; an open attempt may end without a word in the ledger."""
        if nothing_to_do(plan) and not history.open() and not desk.args.json:
            self.said, self.lines = said, tuple(_looked_at(desk, plan, history))

    def keep(self, words: tuple[str, ...]) -> None:
        """Remembers it, when nobody else wrote to the ledger meanwhile and the clock went on as clocks do."""
        path = str(self.state / LEDGER)
        if self.said is None or self.ledger is None or noop_cache.ledger_facts(path) != self.ledger:
            return
        if SystemClock().now() >= self.began:
            lines = (*self.lines, ("ledger", path, self.ledger))
            noop_cache.remember(str(self.state), __version__, words, surroundings(), self.said, _ns(self.began), lines)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000_000)


def _looked_at(desk: Opened, plan: Plan, history: History) -> Iterator[Line]:
    settings = desk.settings
    for path, before in asked_for.items():
        now = noop_cache.facts(path)
        yield "file", path, now if now == ("-" if before is None else noop_cache.facts_of(before)) else None
    outputs = [desk.output(board.path) for board in desk.batch.storyboards]
    files = [*desk.args.var_file, desk.args.config or settings.root / FILE, own_folder() / "config.toml"]
    files += [output / manifest.NAME for output in outputs]
    shelf = Shelf(settings.root, desk.output, _nobodys)
    for step in plan.steps:
        clip = history.attempts[step.attempt or ""].clip
        files.append(settings.root / (clip.path if clip is not None else ""))
        files.append(shelf.target(step))
    named = list(dict.fromkeys(str(file.absolute()) for file in files))
    for file in named:
        yield "file", file, noop_cache.facts(file)
    for folder in _folders([*asked_for, *named], str(settings.root)):
        yield "folder", folder, noop_cache.folder_facts(folder)
    for output in outputs:
        yield "lock", str(lock_of(settings.state, output)), "free"
        yield "output", str(output), "written"
    yield from _whose(desk)


def _folders(files: Iterable[str], top: str) -> set[str]:
    """The folders of the repository on the way to these files: a link in the place of one leads elsewhere."""
    found: set[str] = set()
    for file in files:
        folder = os.path.dirname(file)
        while folder not in found and (folder == top or folder.startswith(top + os.sep)):
            # One that was looked into in vain may come to be.
            if os.path.lexists(folder):
                found.add(folder)
            folder = os.path.dirname(folder)
    return found


def _nobodys(sha256: str) -> None:
    """Whose content a clip is matters only to who moves it."""


def _whose(desk: Opened) -> Iterator[Line]:
    """Which repository this is: the marks of its top, from the first file upward, and what git knows it by."""
    for folder in desk.files[0].absolute().parents:
        for mark in (".git", FILE):
            yield "mark", str(folder / mark), str((folder / mark).exists())
    git = desk.settings.root / ".git"
    if not git.exists():
        return
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
    except (OSError, ValueError):  # a work tree whose repository lies elsewhere
        head = ""
    plain = head and not (git / "reftable").exists() and not (git / "commondir").exists()
    names = ["HEAD", "packed-refs", "shallow", "config", *([head.removeprefix("ref: ")] if "ref: " in head else [])]
    for name in names:
        yield "file", str(git / name), noop_cache.facts(str(git / name)) if plain else None
