"""Transfers of a run: downloads clips, and publishes materials."""

from runner.attempts.events import Doubtful, Lost, Stored
from runner.engine import messages
from runner.engine.in_flight import MaterialNeed, PublicAddress, Tries
from runner.engine.ports import TransferFailed
from runner.engine.queue import Target
from runner.engine.run_context import RunContext
from runner.planning.orphans import Orphan

# Tries of a download and of a publication: with the pauses of `backoff` three minutes and half a minute.
_MAX_DOWNLOAD_TRIES = 8
_MAX_PUBLISH_TRIES = 5
# Seconds that a server may ask to wait; a longer wait is cut to this.
_LONGEST_WAIT = 300.0


async def store(run: RunContext, attempt_id: str, target: Target) -> None:
    """Download and store the clip of an attempt for one target."""
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
        # A refused link alone is no loss, since links expire before the media do: only the age of the task decides.
        case TransferFailed() if result.link_expired and _media_expired(run, attempt_id):
            await run.append(attempt_id, Lost(messages.media_gone(run.plan.edition.media_days)))
            run.emit("failed", target, attempt_id, run.history.attempts[attempt_id].message)
            run.replan_if_needed(target.fingerprint or "")
        case TransferFailed():
            _retry_later(run, attempt_id, target, result)
    run.state.downloads.end(key)
    run.wake(target.fingerprint)


async def _stored(run: RunContext, attempt_id: str, target: Target, result: Stored) -> None:
    """Record a stored clip, unless the ledger knows its task or its take for another attempt's."""
    key = (attempt_id, target.key)
    if (conflict := await run.append(attempt_id, result)) is not None:
        run.state.downloads.give_up(key)
        run.emit("warning", target, attempt_id, conflict.message)
        return
    run.state.downloads.store(key)
    _mark_finished(run, attempt_id)
    run.emit("stored", target, attempt_id, "; ".join(result.notes))
    run.replan_if_needed(target.fingerprint or "")


def _mark_finished(run: RunContext, attempt_id: str) -> None:
    fingerprint = run.history.attempts[attempt_id].intent.fingerprint
    group = run.queue.by_fingerprint.get(fingerprint)
    if group is not None and all(run.state.downloads.is_stored((attempt_id, step.key)) for step in group.steps):
        run.state.downloads.finish(fingerprint)


def _media_expired(run: RunContext, attempt_id: str) -> bool:
    """Whether the attempt's media are older than the provider keeps media."""
    ended = run.history.attempts[attempt_id].ended_at
    return ended is not None and run.plan.edition.has_deleted_media(run.age(ended))


def _retry_later(run: RunContext, attempt_id: str, target: Target, failure: TransferFailed) -> None:
    """Schedule another try with a fresh link; a disk that cannot hold clips stops new tasks as well."""
    now = run.now()
    clip = (attempt_id, target.key)
    tries = run.state.downloads.fail(clip, now, is_last=failure.final, most=_MAX_DOWNLOAD_TRIES)
    # The next try needs a fresh link, and only a poll gives one.
    run.state.polls.follow(attempt_id, now, now).wait_until(tries.next_at)
    attempt = run.history.attempts[attempt_id]
    if failure.final:
        # A full or read-only disk: whatever is ordered from here on would be paid and not stored.
        run.stop_creating(messages.cannot_store(failure))
    elif tries.given_up:
        run.emit("warning", target, attempt_id, messages.fetch_later(attempt, failure, tries.count))
    else:
        _announce_retry(run, attempt_id, target, failure, tries)


def _announce_retry(run: RunContext, attempt_id: str, target: Target, failure: TransferFailed, tries: Tries) -> None:
    """Report the next try: the first as a warning, the others in the live view alone."""
    attempt = run.history.attempts[attempt_id]
    text = messages.download_wait(failure, tries.count, _MAX_DOWNLOAD_TRIES)
    wait = run.wait("download", tries.next_at, text)
    if tries.count > 1:
        run.emit("waiting", target, attempt_id, wait=wait)
    elif failure.unusable:
        run.emit("warning", target, attempt_id, messages.unusable_download(failure))
    else:
        run.emit("warning", target, attempt_id, messages.fetch_again(attempt, failure, _MAX_DOWNLOAD_TRIES), wait)


async def publish(run: RunContext, need: MaterialNeed) -> None:
    """Carry out a `Publish` order."""
    source = run.history.attempts.get(need.source or "")
    run.emit_sending()
    result = await run.provider.publish(need.material, source)
    if isinstance(result, TransferFailed):
        tries = run.state.addresses.fail(need, run.now(), min(result.wait, _LONGEST_WAIT))
        if result.final or tries.count >= _MAX_PUBLISH_TRIES:
            run.state.addresses.refuse(need, result.message)
            run.work.touch_users(need.material)
            run.emit("warning", message=messages.not_published(need.material, result))
        else:
            text = messages.publish_wait(need.material, result, tries.count, _MAX_PUBLISH_TRIES)
            run.emit("waiting", wait=run.wait("publish", tries.next_at, text))
    else:
        # Addresses expire, and a task that is created with an expired one fails for its material.
        until = float("inf") if result.seconds is None else run.now() + result.seconds
        run.state.addresses.publish(need, PublicAddress(result.address, until), result.sent)
        if result.warning:
            run.emit("warning", message=messages.not_checked(need.material, result.warning))
    run.state.addresses.end(need)
    run.emit_sending()
    run.wake()
