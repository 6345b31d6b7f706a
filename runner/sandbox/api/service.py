"""What the API does with a request that was let in: tasks made and looked up, uploads, credits; no HTTP in here."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from runner.animatic.spec import AnimaticSpec, Reference, to_json
from runner.clock import Clock
from runner.requests.request import JsonValue
from runner.sandbox.api import record, signed_links
from runner.sandbox.api import rulebook as page
from runner.sandbox.api.validation import AddressLookup, Material, RequestError, RequestRejected, ValidRequest, validate
from runner.sandbox.drawing.jobs import JobRunner
from runner.sandbox.faults import demo
from runner.sandbox.faults.fault_rules import FaultEvent, Faults
from runner.sandbox.faults.seeded_random import chance, spread
from runner.sandbox.http.reply import Reply
from runner.sandbox.options import DEMO_KEY, Options
from runner.sandbox.state.sandbox_state import UPLOAD_FACTS, AccountBalance, SandboxState, Upload, body_key, task_line
from runner.sandbox.state.task import TASK_ERRORS, Task

_ADDRESS = re.compile(r"/files/([0-9a-z]{20})/[^/]*")


def account_of(key: str) -> str:
    """How the journal names a key: never by its text."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


DEMO_ACCOUNT = account_of(DEMO_KEY)


class Service:
    """Holds the world, what goes on behind it, and how often each thing was looked at."""

    def __init__(
        self, options: Options, world: SandboxState, faults: Faults, clock: Clock, server: str, base: str
    ) -> None:
        self.options = options
        self.pages = page.rulebook_of(options.edition)
        self.world = world
        self.faults = faults
        self.server = server
        self.base = base
        """How this server is reached, for links in webhooks."""
        self.secret = signed_links.secret(world.folder, clock)
        self.backstage = JobRunner(options, world, faults, self.pages.result_has_media)
        self.looks: Counter[str] = Counter()
        """How often each task was polled, and each file fetched."""
        self._clock = clock
        self._successes: Counter[str] = Counter()
        for name in ("clips", "uploads"):
            (world.folder / name).mkdir(exist_ok=True, mode=0o700)

    def now(self) -> float:
        """The sandbox's clock: the machine's, moved by what was set."""
        return self._clock.now().timestamp() + self.world.offset

    # -- createTask ------------------------------------------------------------------------------------

    def create(self, account: str, body: JsonValue) -> Reply:
        """400, 402, 429 in this order, or a task."""
        self.world.refresh()
        asked = validate(body, self.pages, self._look(account))
        if isinstance(asked, list):
            return _invalid(asked)
        with self.world.journal.held():
            self.world.refresh()
            now = self.now()
            purse = self.world.close_finished(account, now)
            refused = self._refused(account, purse, asked)
            if refused is not None:
                return refused
            task, counted = self._task(account, asked, now)
            self.world.write_held(task_line(task, counted))
        self.take(self.world.tasks[task.id])
        return Reply(200, {"taskId": task.id})

    def _refused(self, account: str, purse: AccountBalance, asked: ValidRequest) -> Reply | None:
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

    def _task(self, account: str, asked: ValidRequest, now: float) -> tuple[Task, str]:
        counted = body_key(account, _bare(asked))
        number = self.world.body_counts[counted] + 1
        fault = self.faults.pick(FaultEvent("task", asked.prompt, asked.model, number)) or {}
        task = Task(
            id="task_cl" + hashlib.sha256(self._clock.token().encode()).hexdigest()[:22],
            account=account,
            model=asked.model,
            credits=asked.credits,
            made=now,
            lasts=self._lasts(fault.get("seconds", self.options.seconds), counted, number),
            order={**to_json(self._order(asked)), "variation": number - 1, **_other_clip(fault)},
            seed=asked.seed if asked.seed is not None else int(chance(self.options.seed, counted, number) * 2**31),
            callback=asked.callback,
            error=_error(fault),
            fault=fault,
            prompt=asked.prompt,
            number=number,
            server=self.server,
        )
        return task, counted

    def _lasts(self, seconds: JsonValue, counted: str, number: int) -> float | None:
        if not isinstance(seconds, int | float):
            return None
        return spread(seconds, self.options.spread, chance(self.options.seed, "seconds", counted, number))

    def _order(self, asked: ValidRequest) -> AnimaticSpec:
        paths = {item.address: self._path(item) for item in asked.materials}
        frames = asked.materials if asked.mode == "keyframe" else ()
        first, last = (*frames, None, None)[:2]
        return AnimaticSpec(
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

    def _look(self, account: str) -> AddressLookup:
        """What lies at an address: an upload of ours is known by its path, since our port changes from run to run."""

        def look(address: str) -> Material | RequestRejected | None:
            parts = urlsplit(address)
            if not signed_links.is_local(parts.hostname or ""):
                return (
                    RequestRejected("a private address is not publicly accessible")
                    if signed_links.is_private(parts)
                    else None
                )
            found = _ADDRESS.fullmatch(parts.path)
            upload = self.world.uploads.get(found[1]) if found else None
            if upload is None or upload.account != account:
                return None if self.options.local_materials else RequestRejected("nothing that was uploaded here")
            return self._uploaded(address, upload)

        return look

    def _uploaded(self, address: str, upload: Upload) -> Material | RequestRejected:
        if not upload.stored:
            return RequestRejected("its bytes were never sent")
        if self.now() > upload.made + page.UPLOAD_HOURS * 3600:
            return RequestRejected(f"the upload is gone after {page.UPLOAD_HOURS} hours")
        match upload.kind:
            case "image" | "video" | "audio" as kind:
                facts = (upload.sha256, upload.seconds, upload.width, upload.height)
                return Material(address, kind, upload.id, *facts)
        return RequestRejected(f"the file {upload.unfit}")

    # -- recordInfo ------------------------------------------------------------------------------------

    def task(self, account: str, task_id: str) -> Task | None:
        """A task that this account may see, and whose record is still kept."""
        self.world.refresh()
        task = self.world.tasks.get(task_id)
        if task is None or task.account != account or self.now() > task.made + page.RECORD_DAYS * 86400:
            return None
        return task

    def look(self, account: str, task_id: str, base: str) -> Reply:
        """What recordInfo says; links begin with `base`."""
        if account == DEMO_ACCOUNT:
            shown = demo.record(task_id, base, self.link)
            return Reply(200, shown) if shown is not None else _NO_TASK
        task = self.task(account, task_id)
        told = None if task is None else self.told(task, base, self.looks[f"poll {task_id}"])
        return _NO_TASK if told is None else Reply(200, told)

    def told(self, task: Task, base: str, looks: int) -> dict[str, JsonValue] | None:
        """The record of a task at this moment; None: 404."""
        told = record.render_record(task, self.now(), self._output(task, base), looks)
        if told is not None and told["status"] == "success" and "backwards" in task.fault:
            self._successes[task.id] += 1
            after = task.fault["backwards"]
            if isinstance(after, int) and 1 < self._successes[task.id] <= after + 1:
                return record.backwards(told)
        return told

    def take(self, task: Task) -> None:
        """Do what is left to do for a task that this server looks after."""
        self.backstage.take(task, self.now, lambda: self._promised(task))

    def _promised(self, task: Task) -> dict[str, JsonValue]:
        """What a webhook says: the record, without a fault that is about polling."""
        return record.render_record(task, self.now(), self._output(task, self.base), 1 << 30) or {"taskId": task.id}

    def _output(self, task: Task, base: str) -> list[JsonValue]:
        shown: dict[str, JsonValue] = {
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
        return signed_links.signed(base, task_id, name, self.now() + self.options.link_seconds, self.secret)

    # -- uploads ---------------------------------------------------------------------------------------

    def reserve(self, account: str, body: JsonValue, base: str) -> Reply:
        """A place for one file: where to PUT it, and the address it will have for 24 hours."""
        name = body.get("fileName") if isinstance(body, dict) else None
        findings = [RequestError("", "the body must be a JSON object")] if not isinstance(body, dict) else []
        if not findings and not (isinstance(name, str) and signed_links.is_file_name(name)):
            findings = [RequestError("fileName", "fileName is required: a plain file name of at most 200 characters")]
        if isinstance(body, dict):
            findings += [RequestError(key, "unknown field; known is fileName") for key in body if key != "fileName"]
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
        done = await self.backstage.measure(self.world.upload_file(upload))
        facts = {name: done[name] for name in UPLOAD_FACTS if name in done}
        self.world.write({"event": "stored", "id": upload.id, "facts": facts})


_NO_TASK = Reply(404, {"message": "Task not found"})


def _invalid(findings: list[RequestError]) -> Reply:
    first = findings[0]
    message = f"Invalid parameters: {first.path + ': ' if first.path else ''}{first.message}"
    return Reply(
        400, {"message": message, "errors": [{"path": item.path, "message": item.message} for item in findings]}
    )


def _error(fault: Mapping[str, JsonValue]) -> str | None:
    words = fault.get("error")
    return TASK_ERRORS.get(words, words) if isinstance(words, str) else None


def _other_clip(fault: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A clip of another shape or length than was asked for."""
    other: dict[str, JsonValue] = {}
    if isinstance(size := fault.get("size"), list):
        other |= {"width": size[0], "height": size[1]}
    return other | ({"seconds": fault["length"]} if "length" in fault else {})


def _bare(asked: ValidRequest) -> dict[str, JsonValue]:
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


def _references(asked: ValidRequest, paths: Mapping[str, Path | None]) -> tuple[Reference, ...]:
    seen = {"image": 0, "video": 0, "audio": 0}
    found = []
    for item in asked.materials:
        seen[item.kind] += 1
        found.append(Reference(item.kind, f"{item.kind}{seen[item.kind]}", paths[item.address], _elsewhere(item)))
    return tuple(found)
