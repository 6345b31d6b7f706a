"""Records the inputs of a run that had nothing to do, so that the same command line is answered from the cache."""

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

InputFact = tuple[str, str, str | None]


@dataclass(slots=True)
class NoopRecorder:
    """Records one run: `begin` before its ledger is opened, `record` if nothing is to do, `commit` after the ledger."""

    state: Path
    started_at: datetime
    ledger_facts: str | None = None
    output: str | None = None
    inputs: tuple[InputFact, ...] = ()

    def begin(self) -> None:
        """Note the state of the ledger before it is opened: a later write is no input of this run."""
        self.ledger_facts = noop_cache.ledger_key(str(self.state / LEDGER))

    def record(self, session: Session, plan: Plan, history: History, output: str) -> None:
        """Note output and inputs if everything is made; not with open attempts: they end without a ledger write."""
        if nothing_to_do(plan) and not history.open() and not session.args.json:
            self.output, self.inputs = output, tuple(_inputs(session, plan, history))

    def commit(self, argv: tuple[str, ...]) -> None:
        """Write the record to the cache, unless another process wrote to the ledger or the clock was set back."""
        path = str(self.state / LEDGER)
        if self.output is None or self.ledger_facts is None or noop_cache.ledger_key(path) != self.ledger_facts:
            return
        if SystemClock().now() >= self.started_at:
            inputs = (*self.inputs, ("ledger", path, self.ledger_facts))
            noop_cache.remember(
                str(self.state), __version__, argv, environment_snapshot(), self.output, _ns(self.started_at), inputs
            )


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000_000)


def _inputs(session: Session, plan: Plan, history: History) -> Iterator[InputFact]:
    settings = session.settings
    for path, first_stat in asked_for.items():
        current = noop_cache.stat_key(path)
        yield (
            "file",
            path,
            current if current == ("-" if first_stat is None else noop_cache.stat_text(first_stat)) else None,
        )
    outputs = [session.output_folder(storyboard.path) for storyboard in session.batch.storyboards]
    files = [*session.args.var_file, session.args.config or settings.root / FILE, user_config_folder() / "config.toml"]
    files += [output / manifest.NAME for output in outputs]
    clip_store = ClipStore(settings.root, session.output_folder, _no_fingerprint)
    for step in plan.steps:
        clip = history.attempts[step.attempt or ""].clip
        files.append(settings.root / (clip.path if clip is not None else ""))
        files.append(clip_store.clip_path(step))
    paths = list(dict.fromkeys(str(file.absolute()) for file in files))
    for file in paths:
        yield "file", file, noop_cache.stat_key(file)
    for folder in _folders([*asked_for, *paths], str(settings.root)):
        yield "folder", folder, noop_cache.folder_key(folder)
    for output in outputs:
        yield "lock", str(lock_path(settings.state, output)), "free"
        yield "output", str(output), "written"
    yield from _repository_inputs(session)


def _folders(files: Iterable[str], top: str) -> set[str]:
    """The repository's folders above these files: replaced by a link, a folder leads to other files."""
    folders: set[str] = set()
    for file in files:
        folder = os.path.dirname(file)
        while folder not in folders and (folder == top or folder.startswith(top + os.sep)):
            # A folder that does not exist cannot be compared; it is covered by the files looked for in it.
            if os.path.lexists(folder):
                folders.add(folder)
            folder = os.path.dirname(folder)
    return folders


def _no_fingerprint(sha256: str) -> None:
    """No fingerprint by content: only code that moves clips needs the owner of a content."""


def _repository_inputs(session: Session) -> Iterator[InputFact]:
    """The inputs that identify the repository: the markers of its top, and git's files."""
    for folder in session.files[0].absolute().parents:
        for marker in (".git", FILE):
            yield "mark", str(folder / marker), str((folder / marker).exists())
    git = session.settings.root / ".git"
    if not git.exists():
        return
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
    except (OSError, ValueError):  # a work tree whose repository lies elsewhere
        head = ""
    is_plain = head and not (git / "reftable").exists() and not (git / "commondir").exists()
    names = ["HEAD", "packed-refs", "shallow", "config", *([head.removeprefix("ref: ")] if "ref: " in head else [])]
    for name in names:
        yield "file", str(git / name), noop_cache.stat_key(str(git / name)) if is_plain else None
