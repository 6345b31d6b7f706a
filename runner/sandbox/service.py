"""What the API does with a request that was let in: tasks made and looked up, uploads, credits; no HTTP in here."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from runner.clock import Clock
from runner.request import Plain
from runner.sandbox import demo, links
from runner.sandbox import pages as page
from runner.sandbox.animatic.order import Order, Reference, to_json
from runner.sandbox.chance import chance, spread
from runner.sandbox.options import DEMO_KEY, Options
from runner.sandbox.reading import Asked, Finding, Look, Material, Unfit, read
from runner.sandbox.reply import Reply
from runner.sandbox.studio import DrawingError, Studio
from runner.sandbox.task import SERVER_ERROR, Task, end, status
from runner.sandbox.world import Purse, Upload, World, body_key, task_line

_ADDRESS = re.compile(r"/files/([0-9a-z]{20})/[^/]*")


def account_of(key: str) -> str:
    """How the journal names a key: never by its text."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


DEMO_ACCOUNT = account_of(DEMO_KEY)


class Service:
    """Holds the world, the drawing processes, and the tasks that are being drawn for it."""

    def __init__(self, options: Options, world: World, studio: Studio, clock: Clock, server: str) -> None:
        self.options = options
        self.pages = page.pages_of(options.edition)
        self.world = world
        self.server = server
        self.secret = links.secret(world.folder, clock)
        self.trouble: list[str] = []
        """Clips that could not be drawn, in the words of the process."""
        self._studio = studio
        self._clock = clock
        self._drawing: dict[str, asyncio.Task[None]] = {}
        for name in ("clips", "uploads"):
            (world.folder / name).mkdir(exist_ok=True, mode=0o700)

    def now(self) -> float:
        """The sandbox's clock: the machine's, moved by what was set."""
        return self._clock.now().timestamp() + self.world.offset

    # -- createTask ------------------------------------------------------------------------------------

    def create(self, account: str, body: Plain, fault: Mapping[str, Plain]) -> Reply:
        """400, 402, 429 in this order, or a task; `fault` is what a faults file does to the task."""
        self.world.refresh()
        asked = read(body, self.pages, self._look(account))
        if isinstance(asked, list):
            return _invalid(asked)
        with self.world.journal.held():
            self.world.refresh()
            now = self.now()
            purse = self.world.settle(account, now)
            refused = self._refused(account, purse, asked)
            if refused is not None:
                return refused
            task, counted = self._task(account, asked, now, fault)
            self.world.write_held(task_line(task, counted))
        if task.error is None:
            self.draw(self.world.tasks[task.id])
        return Reply(200, {"taskId": task.id})

    def _refused(self, account: str, purse: Purse, asked: Asked) -> Reply | None:
        available = None if purse.credits is None else purse.credits - purse.settled - self.world.reserved(purse)
        if account == DEMO_ACCOUNT:
            available = 0
        if available is not None and asked.credits > available:
            message = "Insufficient credits"
            return Reply(402, {"message": message, "required": asked.credits, "available": available})
        if purse.cap is not None and len(purse.open) >= purse.cap:
            message = "Concurrency limit exceeded: too many tasks in progress, wait for some to complete"
            return Reply(429, {"message": message, "limit": purse.cap, "current": len(purse.open)})
        return None

    def _task(self, account: str, asked: Asked, now: float, fault: Mapping[str, Plain]) -> tuple[Task, str]:
        counted = body_key(account, _bare(asked))
        number = self.world.bodies[counted] + 1
        error, seconds = fault.get("error"), fault.get("seconds", self.options.seconds)
        task = Task(
            id="task_cl" + hashlib.sha256(self._clock.token().encode()).hexdigest()[:22],
            account=account,
            model=asked.model,
            credits=asked.credits,
            made=now,
            lasts=self._lasts(seconds, counted, number),
            order={**to_json(self._order(asked)), "variation": number - 1},
            seed=asked.seed if asked.seed is not None else int(chance(self.options.seed, counted, number) * 2**31),
            callback=asked.callback,
            error=error if isinstance(error, str) else None,
            fault=fault,
            prompt=asked.prompt,
            number=number,
            server=self.server,
        )
        return task, counted

    def _lasts(self, seconds: Plain, counted: str, number: int) -> float | None:
        if not isinstance(seconds, int | float):
            return None
        return spread(seconds, self.options.spread, chance(self.options.seed, "seconds", counted, number))

    def _order(self, asked: Asked) -> Order:
        paths = {item.address: self._path(item) for item in asked.materials}
        frames = asked.materials if asked.mode == "keyframe" else ()
        first, last = (*frames, None, None)[:2]
        return Order(
            model=asked.model,
            prompt=asked.prompt,
            seconds=asked.seconds,
            width=asked.width,
            height=asked.height,
            first=paths[first.address] if first else None,
            last=paths[last.address] if last else None,
            first_address=_elsewhere(first),
            last_address=_elsewhere(last),
            references=_references(asked, paths) if asked.mode == "reference" else (),
            sound=asked.sound,
        )

    def _path(self, material: Material) -> Path | None:
        upload = self.world.uploads.get(material.upload or "")
        return None if upload is None else self.world.upload_file(upload).absolute()

    def _look(self, account: str) -> Look:
        """What lies at an address: an upload of ours is known by its path, since our port changes from run to run."""

        def look(address: str) -> Material | Unfit | None:
            parts = urlsplit(address)
            if not links.is_local(parts.hostname or ""):
                return Unfit("a private address is not publicly accessible") if links.is_private(parts) else None
            found = _ADDRESS.fullmatch(parts.path)
            upload = self.world.uploads.get(found[1]) if found else None
            if upload is None or upload.account != account:
                return None if self.options.local_materials else Unfit("nothing that was uploaded here")
            return self._uploaded(address, upload)

        return look

    def _uploaded(self, address: str, upload: Upload) -> Material | Unfit:
        if not upload.stored:
            return Unfit("its bytes were never sent")
        if self.now() > upload.made + page.UPLOAD_HOURS * 3600:
            return Unfit(f"the upload is gone after {page.UPLOAD_HOURS} hours")
        match upload.kind:
            case "image" | "video" | "audio" as kind:
                facts = (upload.sha256, upload.seconds, upload.width, upload.height)
                return Material(address, kind, upload.id, *facts)
        return Unfit(f"the file {upload.unfit}")

    # -- drawing ---------------------------------------------------------------------------------------

    def draw(self, task: Task) -> None:
        """Start drawing the clip of a task, unless that is under way."""
        if task.id not in self._drawing:
            self._drawing[task.id] = asyncio.create_task(self._draw(task))

    async def _draw(self, task: Task) -> None:
        clip = self.world.clip(task.id).absolute()
        job = {"job": "draw", "order": dict(task.order), "target": str(clip), "plain": self.options.plain_clips}
        try:
            await self._studio.do(job, lambda: self._begun(task))
            if self.pages.result_has_media:
                frame = str(clip.with_suffix(".png"))
                await self._studio.do({"job": "last_frame", "clip": str(clip), "target": frame})
        except DrawingError as error:
            self.trouble.append(f"{task.id}: {error}")
            self.world.write({"event": "broken", "id": task.id, "at": self.now(), "error": SERVER_ERROR})
        else:
            self.world.write({"event": "drawn", "id": task.id, "at": self.now()})
        finally:
            del self._drawing[task.id]

    def _begun(self, task: Task) -> None:
        if task.lasts is None:
            self.world.write({"event": "begun", "id": task.id, "at": self.now()})

    async def demo_clip(self, task_id: str) -> Path:
        """The clip of a sample task, drawn when it is first asked for."""
        clip, order = self.world.clip(task_id).absolute(), demo.order(task_id)
        if order is not None and not clip.exists():
            job = {"job": "draw", "order": order, "target": str(clip), "plain": self.options.plain_clips}
            await self._studio.do(job)
        return clip

    async def close(self) -> None:
        """Stop drawing; the next server of this folder goes on with it."""
        for drawing in list(self._drawing.values()):
            drawing.cancel()
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)
        await self._studio.close()

    # -- recordInfo ------------------------------------------------------------------------------------

    def task(self, account: str, task_id: str) -> Task | None:
        """A task that this account may see, and whose record is still kept."""
        self.world.refresh()
        task = self.world.tasks.get(task_id)
        if task is None or task.account != account or self.now() > task.made + page.RECORD_DAYS * 86400:
            return None
        return task

    def record(self, account: str, task_id: str, base: str) -> Reply:
        """What recordInfo says; links begin with `base`."""
        if account == DEMO_ACCOUNT:
            shown = demo.record(task_id, base, self.link)
            return Reply(200, shown) if shown is not None else _NO_TASK
        task = self.task(account, task_id)
        return _NO_TASK if task is None else Reply(200, self.told(task, base))

    def told(self, task: Task, base: str) -> dict[str, Plain]:
        """The record of a task at this moment."""
        now = self.now()
        state, over = status(task, now), end(task)
        return {
            "taskId": task.id,
            "model": task.model,
            "status": state,
            "creditsUsed": 0 if state == "fail" else task.credits,
            "output": self._output(task, base) if state == "success" else None,
            "error": task.error if state == "fail" else None,
            "createTime": int(task.made * 1000),
            "completeTime": int(over * 1000) if over is not None and state == "success" else None,
        }

    def _output(self, task: Task, base: str) -> list[Plain]:
        shown: dict[str, Plain] = {
            "url": self.link(base, task.id, "video.mp4"),
            "width": task.order["width"],
            "height": task.order["height"],
        }
        if self.pages.result_has_media:
            frame = self.link(base, task.id, "last-frame.png")
            shown |= {"mediaType": "video", "seed": task.seed, "lastFrameImage": frame}
        return [shown]

    def link(self, base: str, task_id: str, name: str) -> str:
        """A signed address of a clip or its last frame, good for a while."""
        return links.signed(base, task_id, name, self.now() + self.options.link_seconds, self.secret)

    # -- uploads ---------------------------------------------------------------------------------------

    def reserve(self, account: str, body: Plain, base: str) -> Reply:
        """A place for one file: where to PUT it, and the address it will have for 24 hours."""
        name = body.get("fileName") if isinstance(body, dict) else None
        findings = [Finding("", "the body must be a JSON object")] if not isinstance(body, dict) else []
        if not findings and not (isinstance(name, str) and links.is_file_name(name)):
            findings = [Finding("fileName", "fileName is required: a plain file name of at most 200 characters")]
        if isinstance(body, dict):
            findings += [Finding(key, "unknown field; known is fileName") for key in body if key != "fileName"]
        if findings:
            return _invalid(findings)
        token = self._clock.token()
        upload_id = hashlib.sha256(token.encode()).hexdigest()[:20]
        line = {
            "event": "upload",
            "id": upload_id,
            "account": account,
            "name": name,
            "token": token,
            "made": self.now(),
        }
        self.world.write(line)
        address = f"{base}/files/{upload_id}/{quote(str(name))}"
        return Reply(200, {"uploadUrl": f"{base}/uploads/{upload_id}?token={token}", "url": address})

    async def received(self, upload: Upload) -> None:
        """The bytes of an upload are whole on disk: measure them, and let them be material."""
        path = str(self.world.upload_file(upload).absolute())
        try:
            done: Mapping[str, Any] = await self._studio.do({"job": "measure", "path": path})
        except DrawingError as error:
            done = {"unfit": f"cannot be read ({error})"}
        known = ("kind", "sha256", "bytes", "seconds", "width", "height", "unfit")
        facts = {key: done[key] for key in known if key in done}
        self.world.write({"event": "stored", "id": upload.id, "facts": facts})


_NO_TASK = Reply(404, {"message": "Task not found"})


def _invalid(findings: list[Finding]) -> Reply:
    first = findings[0]
    message = f"Invalid parameters: {first.path + ': ' if first.path else ''}{first.message}"
    return Reply(
        400, {"message": message, "errors": [{"path": item.path, "message": item.message} for item in findings]}
    )


def _bare(asked: Asked) -> dict[str, Plain]:
    """The body as variations are counted by: uploads by their content, so that the same picture is the same body."""
    return {
        "model": asked.model,
        "mode": asked.mode,
        "prompt": asked.prompt,
        "seconds": asked.seconds,
        "size": [asked.width, asked.height],
        "materials": [f"{item.kind} {item.sha256 or item.address}" for item in asked.materials],
        "seed": asked.seed,
        "sound": asked.sound,
    }


def _elsewhere(material: Material | None) -> str:
    return material.address if material is not None and material.upload is None else ""


def _references(asked: Asked, paths: Mapping[str, Path | None]) -> tuple[Reference, ...]:
    seen = {"image": 0, "video": 0, "audio": 0}
    found = []
    for item in asked.materials:
        seen[item.kind] += 1
        found.append(Reference(item.kind, f"{item.kind}{seen[item.kind]}", paths[item.address], _elsewhere(item)))
    return tuple(found)
