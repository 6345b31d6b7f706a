"""Clips and materials: fetching what was made, and giving public addresses to what is needed next."""

from datetime import timedelta

from runner.attempts.events import Stored, Vanished
from runner.engine import messages
from runner.engine.ports import NotYet
from runner.engine.run_context import Run
from runner.engine.run_state import Fetch, Look, Need
from runner.planning.plan import Step

_TRIES = 8
_PUBLISH_TRIES = 5


async def store(run: Run, attempt_id: str, step: Step) -> None:
    """Carries out a `Download` order."""
    name = (attempt_id, step.key)
    got = await run.provider.store(run.history.attempts[attempt_id], step)
    match got:
        case Stored():
            await run.append(attempt_id, got)
            run.running.stored.add(name)
            _is_over(run, attempt_id)
            run.tell("stored", step, attempt_id, "; ".join(got.notes))
            run.ended()
        case Vanished():
            await run.append(attempt_id, got)
            run.tell("failed", step, attempt_id, got.words)
            run.ended()
        case NotYet() if got.dead and _is_too_old(run, attempt_id):
            await run.append(attempt_id, Vanished(messages.media_gone(run.plan.edition.media_days)))
            run.tell("failed", step, attempt_id, run.history.attempts[attempt_id].words)
            run.ended()
        case NotYet():
            _not_yet(run, attempt_id, step, got)
    run.running.storing.discard(name)
    run.again()


def _is_over(run: Run, attempt_id: str) -> None:
    fingerprint = run.history.attempts[attempt_id].intended.fingerprint
    group = run.agenda.by_fingerprint.get(fingerprint)
    if group is not None and all((attempt_id, step.key) in run.running.stored for step in group.steps):
        run.running.over.add(fingerprint)


def _is_too_old(run: Run, attempt_id: str) -> bool:
    """Whether the provider has deleted its media by now, as it says it does."""
    ended = run.history.attempts[attempt_id].ended_at
    return ended is not None and run.age(ended) > timedelta(days=run.plan.edition.media_days)


def _not_yet(run: Run, attempt_id: str, step: Step, said: NotYet) -> None:
    """A later try, with a link that is asked for anew; a disk that cannot hold clips stops new tasks as well."""
    now = run.now()
    fetch = run.running.fetches.setdefault((attempt_id, step.key), Fetch())
    fetch.tries += 1
    fetch.next_at = now + min(2.0**fetch.tries, 60.0)
    fetch.given_up = said.final or fetch.tries >= _TRIES
    run.running.fresh.discard(attempt_id)
    seen = run.running.looks.setdefault(attempt_id, Look(born=now, since=now, next_at=now))
    seen.next_at = fetch.next_at
    if said.final:
        run.halt(messages.cannot_store(said))
    elif fetch.given_up:
        run.tell("warning", step, attempt_id, messages.fetched_later(said))


async def publish(run: Run, need: Need) -> None:
    """Carries out a `Publish` order."""
    source = run.history.attempts.get(need.source or "")
    got = await run.provider.publish(need.material, source)
    if isinstance(got, NotYet):
        tries = run.running.publish_tries.setdefault(need, Fetch())
        tries.tries += 1
        tries.next_at = run.now() + min(2.0**tries.tries, 60.0)
        if got.final or tries.tries >= _PUBLISH_TRIES:
            run.running.lost[need] = got.words
            run.tell("warning", words=messages.not_published(need.material, got))
    else:
        run.running.addresses[need] = got
    run.running.publishing.discard(need)
    run.again()
