"""One take, from its order to its stored clip, as one coroutine; the schedule starts it and decides each step of it.

A queued take has no coroutine. A task of an earlier run, or an orphan's, gets one with the first answer to a poll of
it; a clip that is only to be downloaded gets one with its download.
"""

from runner.engine import create, poll, transfer
from runner.engine.eligibility import awaits_news
from runner.engine.run_context import RunContext
from runner.planning.orphans import Orphan
from runner.planning.plan import Step


async def make_take(run: RunContext, step: Step) -> None:
    """Carry out a `Create` order, and look after the task until its clip is stored."""
    attempt_id = await create.create(run, step)
    if attempt_id is not None:
        await collect_clip(run, attempt_id)


async def collect_clip(run: RunContext, attempt_id: str) -> None:
    """Look after a task: wait for the poller's answers and for the downloads that the schedule orders.

    Its slot is free as soon as an answer has ended the task, while the clip is still to be downloaded.
    """
    with run.news.listening(attempt_id) as news:
        # Asked anew for each news: a poll may end the task, a second take may still want the same clip.
        while awaits_news(run.history.attempts[attempt_id], run.queue, run.state):
            match await news.next():
                case Step() | Orphan() as target:
                    await transfer.store(run, attempt_id, target)
                case answer:
                    await poll.record_answer(run, attempt_id, answer)
