"""Transfers of a run: downloads clips, and publishes materials."""

from datetime import timedelta

from runner.attempts.events import Doubtful, Lost, Stored
from runner.engine import messages
from runner.engine.ports import TransferFailed
from runner.engine.queue import Target
from runner.engine.run_context import RunContext
from runner.engine.run_state import DownloadState, MaterialNeed, PollState, PublicAddress
from runner.planning.orphans import Orphan

_MAX_DOWNLOAD_TRIES = 8
_MAX_PUBLISH_TRIES = 5
_LONGEST_WAIT = 300.0
"""Seconds that a server may ask to wait; a longer wait is cut to this."""


async def store(run: RunContext, attempt_id: str, target: Target) -> None:
    """Downloads and stores the clip of an attempt for one target."""
    key = (attempt_id, target.key)
    result = await run.provider.store(run.history.attempts[attempt_id], None if isinstance(target, Orphan) else target)
    match result:
        case Stored():
            await _stored(run, attempt_id, target, result)
        case Doubtful():
            await run.append(attempt_id, result)
            run.emit("failed", target, attempt_id, messages.doubtful(run.history.attempts[attempt_id]))
            run.replan_if_needed(target.fingerprint or "")
        case Lost():
            await run.append(attempt_id, result)
            run.emit("failed", target, attempt_id, result.message)
            run.replan_if_needed(target.fingerprint or "")
        case TransferFailed() if result.link_expired and _media_expired(run, attempt_id):
            await run.append(attempt_id, Lost(messages.media_gone(run.plan.edition.media_days)))
            run.emit("failed", target, attempt_id, run.history.attempts[attempt_id].message)
            run.replan_if_needed(target.fingerprint or "")
        case TransferFailed():
            _retry_later(run, attempt_id, target, result)
    run.state.storing.discard(key)
    run.wake(target.fingerprint)


async def _stored(run: RunContext, attempt_id: str, target: Target, result: Stored) -> None:
    """Records a stored clip, unless the ledger knows its task or its take for another attempt's."""
    key = (attempt_id, target.key)
    if (conflict := await run.append(attempt_id, result)) is not None:
        run.state.downloads.setdefault(key, DownloadState()).given_up = True
        run.emit("warning", target, attempt_id, conflict.message)
        return
    run.state.stored.add(key)
    _mark_finished(run, attempt_id)
    run.emit("stored", target, attempt_id, "; ".join(result.notes))
    run.replan_if_needed(target.fingerprint or "")


def _mark_finished(run: RunContext, attempt_id: str) -> None:
    fingerprint = run.history.attempts[attempt_id].intent.fingerprint
    group = run.queue.by_fingerprint.get(fingerprint)
    if group is not None and all((attempt_id, step.key) in run.state.stored for step in group.steps):
        run.state.finished.add(fingerprint)


def _media_expired(run: RunContext, attempt_id: str) -> bool:
    """Whether the attempt's media are older than the provider keeps media."""
    ended = run.history.attempts[attempt_id].ended_at
    return ended is not None and run.age(ended) > timedelta(days=run.plan.edition.media_days)


def _retry_later(run: RunContext, attempt_id: str, target: Target, failure: TransferFailed) -> None:
    """Schedules another try with a fresh link; a disk that cannot hold clips stops new tasks as well."""
    now = run.now()
    download = run.state.downloads.setdefault((attempt_id, target.key), DownloadState())
    download.tries += 1
    download.next_at = now + min(2.0**download.tries, 60.0)
    download.given_up = failure.final or download.tries >= _MAX_DOWNLOAD_TRIES
    run.state.fresh_links.discard(attempt_id)
    attempt = run.history.attempts[attempt_id]
    poll_state = run.state.polls.setdefault(attempt_id, PollState(created_at=now, waiting_since=now, next_at=now))
    poll_state.next_at = download.next_at
    if failure.final:
        run.stop_creating(messages.cannot_store(failure))
    elif download.given_up:
        run.emit("warning", target, attempt_id, messages.fetch_later(attempt, failure, download.tries))
    else:
        _announce_retry(run, attempt_id, target, failure, download)


def _announce_retry(
    run: RunContext, attempt_id: str, target: Target, failure: TransferFailed, download: DownloadState
) -> None:
    """Reports the next try: the first as a warning, the others in the live view alone."""
    attempt = run.history.attempts[attempt_id]
    text = messages.download_wait(failure, download.tries, _MAX_DOWNLOAD_TRIES)
    wait = run.wait("download", download.next_at, text)
    if download.tries > 1:
        run.emit("waiting", target, attempt_id, wait=wait)
    elif failure.unusable:
        run.emit("warning", target, attempt_id, messages.unusable_download(failure))
    else:
        run.emit("warning", target, attempt_id, messages.fetch_again(attempt, failure, _MAX_DOWNLOAD_TRIES), wait)


async def publish(run: RunContext, need: MaterialNeed) -> None:
    """Carries out a `Publish` order."""
    source = run.history.attempts.get(need.source or "")
    result = await run.provider.publish(need.material, source)
    if isinstance(result, TransferFailed):
        tries = run.state.publish_tries.setdefault(need, DownloadState())
        tries.tries += 1
        tries.next_at = run.now() + max(min(2.0**tries.tries, 60.0), min(result.wait, _LONGEST_WAIT))
        if result.final or tries.tries >= _MAX_PUBLISH_TRIES:
            run.state.unpublishable[need] = result.message
            run.work.touch_users(need.material)
            run.emit("warning", message=messages.not_published(need.material, result))
        else:
            text = messages.publish_wait(need.material, result, tries.tries, _MAX_PUBLISH_TRIES)
            run.emit("waiting", wait=run.wait("publish", tries.next_at, text))
    else:
        until = float("inf") if result.seconds is None else run.now() + result.seconds
        run.state.addresses[need] = PublicAddress(result.address, until)
        if result.warning:
            run.emit("warning", message=messages.not_checked(need.material, result.warning))
    run.state.publishing.discard(need)
    run.wake()
