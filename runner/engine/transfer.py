"""Clips and materials: fetching what was made, and giving public addresses to what is needed next."""

from datetime import timedelta

from runner.attempts.events import Lost, Stored
from runner.engine import messages
from runner.engine.ports import TransferFailed
from runner.engine.run_context import RunContext
from runner.engine.run_state import DownloadState, MaterialNeed, PollState
from runner.planning.plan import Step

_TRIES = 8
_PUBLISH_TRIES = 5


async def store(run: RunContext, attempt_id: str, step: Step) -> None:
    """Carries out a `Download` order."""
    name = (attempt_id, step.key)
    got = await run.provider.store(run.history.attempts[attempt_id], step)
    match got:
        case Stored():
            await _stored(run, attempt_id, step, got)
        case Lost():
            await run.append(attempt_id, got)
            run.emit("failed", step, attempt_id, got.message)
            run.replan_if_needed()
        case TransferFailed() if got.link_expired and _is_too_old(run, attempt_id):
            await run.append(attempt_id, Lost(messages.media_gone(run.plan.edition.media_days)))
            run.emit("failed", step, attempt_id, run.history.attempts[attempt_id].message)
            run.replan_if_needed()
        case TransferFailed():
            _not_yet(run, attempt_id, step, got)
    run.state.storing.discard(name)
    run.wake()


async def _stored(run: RunContext, attempt_id: str, step: Step, got: Stored) -> None:
    """The clip is there; it is this attempt's unless the ledger knows its task, or its take, for another's."""
    name = (attempt_id, step.key)
    if (taken := await run.append(attempt_id, got)) is not None:
        run.state.fetches.setdefault(name, DownloadState()).given_up = True
        run.emit("warning", step, attempt_id, taken.message)
        return
    run.state.stored.add(name)
    _is_over(run, attempt_id)
    run.emit("stored", step, attempt_id, "; ".join(got.notes))
    run.replan_if_needed()


def _is_over(run: RunContext, attempt_id: str) -> None:
    fingerprint = run.history.attempts[attempt_id].intent.fingerprint
    group = run.queue.by_fingerprint.get(fingerprint)
    if group is not None and all((attempt_id, step.key) in run.state.stored for step in group.steps):
        run.state.finished.add(fingerprint)


def _is_too_old(run: RunContext, attempt_id: str) -> bool:
    """Whether the provider has deleted its media by now, as it says it does."""
    ended = run.history.attempts[attempt_id].ended_at
    return ended is not None and run.age(ended) > timedelta(days=run.plan.edition.media_days)


def _not_yet(run: RunContext, attempt_id: str, step: Step, said: TransferFailed) -> None:
    """A later try, with a link that is asked for anew; a disk that cannot hold clips stops new tasks as well."""
    now = run.now()
    fetch = run.state.fetches.setdefault((attempt_id, step.key), DownloadState())
    fetch.tries += 1
    fetch.next_at = now + min(2.0**fetch.tries, 60.0)
    fetch.given_up = said.final or fetch.tries >= _TRIES
    run.state.fresh_links.discard(attempt_id)
    seen = run.state.polls.setdefault(attempt_id, PollState(created_at=now, since=now, next_at=now))
    seen.next_at = fetch.next_at
    if said.final:
        run.halt(messages.cannot_store(said))
    elif fetch.given_up:
        run.emit("warning", step, attempt_id, messages.fetched_later(said))


async def publish(run: RunContext, need: MaterialNeed) -> None:
    """Carries out a `Publish` order."""
    source = run.history.attempts.get(need.source or "")
    got = await run.provider.publish(need.material, source)
    if isinstance(got, TransferFailed):
        tries = run.state.publish_tries.setdefault(need, DownloadState())
        tries.tries += 1
        tries.next_at = run.now() + min(2.0**tries.tries, 60.0)
        if got.final or tries.tries >= _PUBLISH_TRIES:
            run.state.unpublishable[need] = got.message
            run.emit("warning", words=messages.not_published(need.material, got))
    else:
        run.state.addresses[need] = got
    run.state.publishing.discard(need)
    run.wake()
