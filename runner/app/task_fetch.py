"""The clip of one task, in a file that the user names: whatever repository ordered it, nothing is paid for."""

import os
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

import anyio
from anyio import to_thread

from runner.app.conversation import Note
from runner.app.provider_gateway import ProviderGateway, open_gateway
from runner.app.run_store import RunStore, RunStoreOpener, open_clip_store
from runner.attempts.attempt import Attempt
from runner.attempts.events import Clip, Doubtful, Failed, Payload, Stored, Succeeded
from runner.attempts.history import History
from runner.attempts.task_outcome import Standing, outcome_of
from runner.diagnostics.problem import CommandError, ExitCode
from runner.editions.edition import Edition
from runner.files.writing import part_of
from runner.lazy_dataclass import dataclass, replace
from runner.media.clip import IncompleteClip, probe
from runner.providers.transport.download import Downloaded
from runner.show.text.command_line import CommandLine
from runner.store.durability import sync_folder


@dataclass(frozen=True, slots=True)
class FetchedTask:
    """The result of fetching one task: the exit code, and a sentence."""

    code: ExitCode
    message: str


def fetch_task(edition: Edition, opener: RunStoreOpener, task: str, target: Path, note: Note) -> FetchedTask:
    """Ask for a task of this account with the key that is set, and store its clip; an existing file stays as it is.

    Raises `CommandError` for a task that the ledger does not know, and for a file that exists or cannot be written.
    """
    with opener.unlocked(note) as store:
        attempt = _attempt_of(store, task)
        # A link too, though it leads nowhere: writing through it would land somewhere else.
        if os.path.lexists(target):
            raise CommandError(ExitCode.INVALID, f"{target} exists, and is never overwritten: name another file")
        if not target.parent.is_dir():
            raise CommandError(ExitCode.INVALID, f"{target.parent} is no folder: nothing was fetched")
        return anyio.run(_fetch, edition, store, attempt, target.absolute())


def _attempt_of(store: RunStore, task: str) -> Attempt:
    settings = store.reader.settings
    attempt = store.ledger.attempt_of_task(settings.account, str(settings.root), task)
    if attempt is None:
        raise CommandError(
            ExitCode.USAGE,
            f"no attempt in this machine's ledger has the task {task}; if it is of a shot, take it over first: "
            f"{CommandLine().settle_receipt(task)}",
        )
    return attempt


# A task without a clip that is to be asked for again later, or with another key; all others have failed.
_EXIT_CODES: dict[Standing, ExitCode] = {
    "running": ExitCode.WAITING,
    "no link": ExitCode.WAITING,
    "key refused": ExitCode.KEY,
}


async def _fetch(edition: Edition, store: RunStore, attempt: Attempt, target: Path) -> FetchedTask:
    settings = store.reader.settings
    async with AsyncExitStack() as stack:
        # Without a history: the task's own repository may be gone.
        gateway = await open_gateway(settings, edition, None, open_clip_store(settings, History()), stack)
        answer = await gateway.poll(attempt)
        age = store.ages.of(attempt.ended_at or attempt.intended_at)
        # To another account's key a task looks lost, whatever its age.
        outcome = outcome_of(attempt, answer, timedelta(0) if gateway.is_barred(attempt) else age)
        if isinstance(answer, Failed) or (isinstance(answer, Succeeded) and not attempt.state.is_charged):
            # A refusal (the take was ordered again, and that is open) keeps nobody from the clip of a paid task.
            _record(store, attempt, answer)
        if outcome.standing != "has link" or not isinstance(answer, Succeeded):
            code = _EXIT_CODES.get(outcome.standing, ExitCode.FAILED)
            return FetchedTask(code, f"{attempt.task_id}: {outcome.message}")
        return await _download(gateway, store, replace(attempt, outputs=answer.outputs), target)


async def _download(gateway: ProviderGateway, store: RunStore, attempt: Attempt, target: Path) -> FetchedTask:
    part = part_of(target)
    # The user names the place, which may lie outside every repository.
    downloader = replace(gateway.downloader, root=None)
    result = await to_thread.run_sync(downloader.fetch, attempt.outputs[0].url, part)
    try:
        if not isinstance(result, Downloaded):
            return FetchedTask(ExitCode.FAILED, f"the clip of {attempt.task_id} was not fetched: {result.message}")
        payload = _checked(result, attempt, target)
        if payload is None:
            return FetchedTask(ExitCode.FAILED, f"what came for {attempt.task_id} is no video")
        _give_name(part, target)
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
    if (refusal := _record(store, attempt, payload)) is not None:
        return FetchedTask(ExitCode.FAILED, f"{target}: the clip is here, and the ledger did not take it: {refusal}")
    if isinstance(payload, Doubtful):
        return FetchedTask(ExitCode.FAILED, f"{target}: the clip {payload.doubt}")
    return FetchedTask(
        ExitCode.OK, f"{target}: the clip of {attempt.intent.shot} take {attempt.intent.take}, paid before"
    )


def _checked(downloaded: Downloaded, attempt: Attempt, target: Path) -> Stored | Doubtful | None:
    """The clip at its place, whole or doubtful; None for a file that is no video."""
    size = downloaded.path.stat().st_size
    try:
        facts = probe(downloaded.path)
    except IncompleteClip as error:
        if error.fault == "no video":
            return None
        clip = Clip(target.name, downloaded.sha256, size, 0, 0, 0.0, repository=str(target.parent))
        return Doubtful(clip, error.message)
    seconds = float(facts.seconds)
    place = str(target.parent)
    return Stored(Clip(target.name, downloaded.sha256, size, facts.width, facts.height, seconds, repository=place))


def _give_name(part: Path, target: Path) -> None:
    """The final name, unless something has it by now."""
    try:
        # A link fails where the name is taken; a rename would replace what lies there.
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        if os.path.lexists(target):
            raise FileExistsError(17, "the file exists by now") from None
        part.rename(target)
    # The ledger says "stored" after this: the name has to outlast a power cut.
    sync_folder(target.parent)


def _record(store: RunStore, attempt: Attempt, payload: Payload) -> str | None:
    """Write an event of the attempt, in a history of it alone; the message of a refusal."""
    history = History()
    history.load([attempt])
    refusal = store.record(history, attempt.id, payload)
    return None if refusal is None else refusal.message
