"""What a run that had nothing to do looked at, so that the next one with the same words can be answered from memory."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from runner import __version__
from runner.app.session import Session
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.language.safe_files import asked_for
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.settings.environment import environment_snapshot
from runner.settings.settings import FILE, user_config_folder
from runner.show.screens.plan import nothing_to_do
from runner.store import manifest, noop_cache
from runner.store.clip_store import ClipStore
from runner.store.ledger.database import NAME as LEDGER
from runner.store.locks import lock_path

Line = tuple[str, str, str | None]


@dataclass(slots=True)
class NoopRecorder:
    """One run from its beginning; `found` is called when it had nothing to do, `keep` after its ledger is closed."""

    state: Path
    began: datetime
    ledger: str | None = None
    said: str | None = None
    lines: tuple[Line, ...] = ()

    def begin(self) -> None:
        """Before the ledger is opened: what is written to it from here on is not what this run has seen."""
        self.ledger = noop_cache.ledger_key(str(self.state / LEDGER))

    def record(self, session: Session, plan: Plan, history: History, said: str) -> None:
        """Everything is made, and this was said of it; an open attempt may end without a word in the ledger."""
        if nothing_to_do(plan) and not history.open() and not session.args.json:
            self.said, self.lines = said, tuple(_inputs(session, plan, history))

    def commit(self, words: tuple[str, ...]) -> None:
        """Remembers it, when nobody else wrote to the ledger meanwhile and the clock went on as clocks do."""
        path = str(self.state / LEDGER)
        if self.said is None or self.ledger is None or noop_cache.ledger_key(path) != self.ledger:
            return
        if SystemClock().now() >= self.began:
            lines = (*self.lines, ("ledger", path, self.ledger))
            noop_cache.remember(
                str(self.state), __version__, words, environment_snapshot(), self.said, _ns(self.began), lines
            )


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000_000)


def _inputs(session: Session, plan: Plan, history: History) -> Iterator[Line]:
    settings = session.settings
    for path, before in asked_for.items():
        now = noop_cache.stat_key(path)
        yield "file", path, now if now == ("-" if before is None else noop_cache.stat_text(before)) else None
    outputs = [session.output_folder(board.path) for board in session.batch.storyboards]
    files = [*session.args.var_file, session.args.config or settings.root / FILE, user_config_folder() / "config.toml"]
    files += [output / manifest.NAME for output in outputs]
    clip_store = ClipStore(settings.root, session.output_folder, _no_owner)
    for step in plan.steps:
        clip = history.attempts[step.attempt or ""].clip
        files.append(settings.root / (clip.path if clip is not None else ""))
        files.append(clip_store.clip_path(step))
    named = list(dict.fromkeys(str(file.absolute()) for file in files))
    for file in named:
        yield "file", file, noop_cache.stat_key(file)
    for folder in _folders([*asked_for, *named], str(settings.root)):
        yield "folder", folder, noop_cache.folder_key(folder)
    for output in outputs:
        yield "lock", str(lock_path(settings.state, output)), "free"
        yield "output", str(output), "written"
    yield from _repository_inputs(session)


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


def _no_owner(sha256: str) -> None:
    """Whose content a clip is matters only to who moves it."""


def _repository_inputs(session: Session) -> Iterator[Line]:
    """Which repository this is: the marks of its top, from the first file upward, and what git knows it by."""
    for folder in session.files[0].absolute().parents:
        for mark in (".git", FILE):
            yield "mark", str(folder / mark), str((folder / mark).exists())
    git = session.settings.root / ".git"
    if not git.exists():
        return
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
    except (OSError, ValueError):  # a work tree whose repository lies elsewhere
        head = ""
    plain = head and not (git / "reftable").exists() and not (git / "commondir").exists()
    names = ["HEAD", "packed-refs", "shallow", "config", *([head.removeprefix("ref: ")] if "ref: " in head else [])]
    for name in names:
        yield "file", str(git / name), noop_cache.stat_key(str(git / name)) if plain else None
