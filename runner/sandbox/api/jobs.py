"""Background jobs of a server: drawing clips, measuring uploads, sending webhooks."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from runner.requests.request import JsonValue
from runner.sandbox.api import callbacks
from runner.sandbox.drawing import plain_clip
from runner.sandbox.drawing.worker_pool import DrawingError, WorkerPool
from runner.sandbox.faults import demo
from runner.sandbox.faults.fault_rules import FaultEvent, Faults
from runner.sandbox.options import Options
from runner.sandbox.rulebook import Rulebook
from runner.sandbox.state.sandbox_state import SandboxState
from runner.sandbox.state.task import SERVER_ERROR, Task, end_time

# Seconds between two checks whether a task has ended: its clip may be late, and the clock be set.
_CHECK_SECONDS = 0.2

Now = Callable[[], float]
"""The sandbox's clock, in seconds."""
CurrentRecord = Callable[[], Mapping[str, JsonValue]]
"""The record of a task at the moment of the call."""


class JobRunner:
    """The running jobs of this server; every result is in the journal, so that another server can continue."""

    def __init__(self, options: Options, state: SandboxState, faults: Faults, rules: Rulebook) -> None:
        self.errors: list[str] = []
        """Errors of clips that could not be drawn, and of the server itself."""
        self.faults = faults
        self._options = options
        self._state = state
        self._workers = WorkerPool(options.processes)
        self._rules = rules
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, task: Task, now: Now, current_record: CurrentRecord) -> None:
        """Start the unfinished jobs of a task: draw its clip, send its webhook."""
        if task.error is None and task.drawn_at is None:
            self._start_job(f"draw {task.id}", self._draw(task, now))
        if task.callback is not None and not task.callback_result and self._options.webhooks != "off":
            self._start_job(f"call {task.id}", self._send_callback(task, now, current_record))

    def _start_job(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        # Every two seconds the takeover resumes all that is unfinished, also what is being done right now.
        if name in self._running:
            # A coroutine that is never awaited would warn.
            work.close()
            return
        task = asyncio.create_task(work)
        self._running[name] = task
        task.add_done_callback(lambda _: self._running.pop(name, None))

    # -- clips -----------------------------------------------------------------------------------------

    async def _draw(self, task: Task, now: Now) -> None:
        clip = self._state.clip_path(task.id).absolute()

        def note_start() -> None:
            # Only where drawing is the task: a fixed duration says itself when the queue is over.
            if task.seconds is None:
                self._state.write({"event": "begun", "id": task.id, "at": now()})

        try:
            if self._options.plain_clips:
                note_start()
                await self._write_plain_clip(task.spec, clip)
            else:
                await self._workers.run(_draw_job(task.spec, clip), note_start)
            if self._rules.result_has_media:
                await self._workers.run(_last_frame_job(clip, self._rules.frame_ending(task.model)))
        # A full disk, too: a task without an end would be started again every two seconds, and waited for, for ever.
        except (DrawingError, OSError) as error:
            self.errors.append(f"{task.id}: {error}")
            # As the provider's own failure: the client gets its credits back and may order again.
            self._state.write({"event": "broken", "id": task.id, "at": now(), "error": SERVER_ERROR})
        else:
            self._state.write({"event": "drawn", "id": task.id, "at": now()})

    async def _write_plain_clip(self, spec: Mapping[str, JsonValue], clip: Path) -> None:
        """Copy the plain clip of this shape, drawn once for thousands of tasks, and append the spec's fingerprint."""
        template = self._state.folder / "plain" / f"{spec['width']}x{spec['height']}x{spec['seconds']}.mp4"
        if not template.exists():
            template.parent.mkdir(exist_ok=True)
            await self._workers.run({**_draw_job(spec, template.absolute()), "job": "plain"})
        part = clip.with_suffix(".part")
        # Copied, since a load test makes thousands of one shape, and different, since no two real clips are equal.
        part.write_bytes(template.read_bytes() + plain_clip.fingerprint_box(json.dumps(dict(spec), sort_keys=True)))
        part.replace(clip)

    async def demo_clip(self, task_id: str) -> Path:
        """The clip of a sample task, drawn at the first request."""
        clip, spec = self._state.clip_path(task_id).absolute(), demo.spec(task_id)
        if spec is not None and not clip.exists():
            if self._options.plain_clips:
                await self._write_plain_clip(spec, clip)
            else:
                await self._workers.run(_draw_job(spec, clip))
        return clip

    async def measure(self, path: Path) -> Mapping[str, Any]:
        """Measurements of a file as material, or `unfit` with the reason."""
        try:
            return await self._workers.run({"job": "measure", "path": str(path.absolute())})
        except DrawingError as error:
            return {"unfit": f"cannot be read ({error})"}

    # -- webhooks --------------------------------------------------------------------------------------

    async def _send_callback(self, task: Task, now: Now, current_record: CurrentRecord) -> None:
        effect = self.faults.pick(FaultEvent("callback", task.prompt, task.model, task.number)) or {}
        # Before the task has ended: such a call may be the only news of a task whose answer was lost.
        if effect.get("early"):
            await self._post(task, callbacks.forged_payload(effect.get("says"), current_record()), effect)
        while True:
            ended_at = end_time(task)
            if ended_at is not None and ended_at <= now():
                break
            # A millisecond late, or the record would still say generating.
            await asyncio.sleep(_CHECK_SECONDS if ended_at is None else min(_CHECK_SECONDS, ended_at - now() + 0.001))
        delay = effect.get("delay", 0)
        await asyncio.sleep(delay if isinstance(delay, int | float) else 0)
        if effect.get("never"):
            # Written down, or the next server of this folder would send it after all.
            self._state.write({"event": "called", "id": task.id, "result": "not sent: a fault"})
            return
        copies = effect.get("copies", 1)
        for _ in range(copies if isinstance(copies, int) else 1):
            await self._post(task, callbacks.forged_payload(effect.get("says"), current_record()), effect)

    async def _post(self, task: Task, record: Mapping[str, JsonValue], effect: Mapping[str, JsonValue]) -> None:
        # The number of a task is the same for every server of the folder.
        turn = list(self._state.tasks).index(task.id) if self._options.webhooks == "each" else 0
        body = callbacks.as_bytes(callbacks.payload(self._options.webhooks, record, turn))
        if effect.get("says") == "garbage":
            body = b'{"taskId": '
        result = await callbacks.deliver(task.callback or "", body)
        self._state.write({"event": "called", "id": task.id, "result": result})

    async def close(self) -> None:
        """Cancel all jobs; the next server of this folder continues them."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._workers.close()


def _last_frame_job(clip: Path, ending: str) -> dict[str, Any]:
    form = {".png": "PNG", ".jpg": "JPEG"}[ending]
    return {"job": "last_frame", "clip": str(clip), "target": str(clip.with_suffix(ending)), "format": form}


def _draw_job(spec: Mapping[str, JsonValue], target: Path) -> dict[str, Any]:
    return {"job": "draw", "order": dict(spec), "target": str(target)}
