"""What goes on behind the requests: clips are drawn, files measured, webhooks sent; the next server goes on with it."""

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
from runner.sandbox.state.sandbox_state import SandboxState
from runner.sandbox.state.task import SERVER_ERROR, Task, end

_LOOK = 0.2
"""Seconds between two looks at whether a task is over: its clip may be drawn late, and its clock be set."""


class JobRunner:
    """Holds what is being done for each task; everything that is done is in the journal."""

    def __init__(self, options: Options, world: SandboxState, faults: Faults, last_frames: bool) -> None:
        self.trouble: list[str] = []
        """Clips that could not be drawn, in the words of the process."""
        self.faults = faults
        self._options = options
        self._world = world
        self._studio = WorkerPool(options.processes)
        self._last_frames = last_frames
        self._doing: dict[str, asyncio.Task[None]] = {}

    def take(self, task: Task, now: Callable[[], float], told: Callable[[], Mapping[str, JsonValue]]) -> None:
        """Do what is left to do for a task: draw its clip, send its webhook."""
        if task.error is None and task.drawn is None:
            self._do(f"draw {task.id}", self._draw(task, now))
        if task.callback is not None and not task.called and self._options.webhooks != "off":
            self._do(f"call {task.id}", self._call(task, now, told))

    def _do(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if name in self._doing:
            work.close()
            return
        doing = asyncio.create_task(work)
        self._doing[name] = doing
        doing.add_done_callback(lambda _: self._doing.pop(name, None))

    # -- clips -----------------------------------------------------------------------------------------

    async def _draw(self, task: Task, now: Callable[[], float]) -> None:
        clip = self._world.clip(task.id).absolute()

        def begun() -> None:
            if task.lasts is None:
                self._world.write({"event": "begun", "id": task.id, "at": now()})

        try:
            if self._options.plain_clips:
                begun()
                await self._prepared(task.order, clip)
            else:
                await self._studio.do(_drawing(task.order, clip), begun)
            if self._last_frames:
                await self._studio.do({"job": "last_frame", "clip": str(clip), "target": str(clip.with_suffix(".png"))})
        except DrawingError as error:
            self.trouble.append(f"{task.id}: {error}")
            self._world.write({"event": "broken", "id": task.id, "at": now(), "error": SERVER_ERROR})
        else:
            self._world.write({"event": "drawn", "id": task.id, "at": now()})

    async def _prepared(self, order: Mapping[str, JsonValue], clip: Path) -> None:
        """The plain clip of this shape and length, made once since there may be thousands, with this order's mark."""
        whole = self._world.folder / "plain" / f"{order['width']}x{order['height']}x{order['seconds']}.mp4"
        if not whole.exists():
            whole.parent.mkdir(exist_ok=True)
            await self._studio.do({**_drawing(order, whole.absolute()), "job": "plain"})
        part = clip.with_suffix(".part")
        part.write_bytes(whole.read_bytes() + plain_clip.mark(json.dumps(dict(order), sort_keys=True)))
        part.replace(clip)

    async def demo_clip(self, task_id: str) -> Path:
        """The clip of a sample task, drawn when it is first asked for."""
        clip, order = self._world.clip(task_id).absolute(), demo.order(task_id)
        if order is not None and not clip.exists():
            if self._options.plain_clips:
                await self._prepared(order, clip)
            else:
                await self._studio.do(_drawing(order, clip))
        return clip

    async def measure(self, path: Path) -> Mapping[str, Any]:
        """What a file is, as material: its facts, or `unfit` with the reason."""
        try:
            return await self._studio.do({"job": "measure", "path": str(path.absolute())})
        except DrawingError as error:
            return {"unfit": f"cannot be read ({error})"}

    # -- webhooks --------------------------------------------------------------------------------------

    async def _call(self, task: Task, now: Callable[[], float], told: Callable[[], Mapping[str, JsonValue]]) -> None:
        do = self.faults.pick(FaultEvent("callback", task.prompt, task.model, task.number)) or {}
        if do.get("early"):
            await self._post(task, callbacks.forged_payload(do.get("says"), told()), do)
        while True:
            over = end(task)
            if over is not None and over <= now():
                break
            await asyncio.sleep(_LOOK if over is None else min(_LOOK, over - now() + 0.001))
        delay = do.get("delay", 0)
        await asyncio.sleep(delay if isinstance(delay, int | float) else 0)
        if do.get("never"):
            self._world.write({"event": "called", "id": task.id, "result": "not sent: a fault"})
            return
        copies = do.get("copies", 1)
        for _ in range(copies if isinstance(copies, int) else 1):
            await self._post(task, callbacks.forged_payload(do.get("says"), told()), do)

    async def _post(self, task: Task, record: Mapping[str, JsonValue], do: Mapping[str, JsonValue]) -> None:
        turn = list(self._world.tasks).index(task.id) if self._options.webhooks == "each" else 0
        body = callbacks.as_bytes(callbacks.payload(self._options.webhooks, record, turn))
        if do.get("says") == "garbage":
            body = b'{"taskId": '
        result = await callbacks.deliver(task.callback or "", body)
        self._world.write({"event": "called", "id": task.id, "result": result})

    async def close(self) -> None:
        """Leave everything as it is; the next server of this folder goes on with it."""
        for doing in list(self._doing.values()):
            doing.cancel()
        await asyncio.gather(*self._doing.values(), return_exceptions=True)
        await self._studio.close()


def _drawing(order: Mapping[str, JsonValue], target: Path) -> dict[str, Any]:
    return {"job": "draw", "order": dict(order), "target": str(target)}
