"""The API's operations on accepted requests: tasks, records, uploads, credits; no HTTP."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath
from urllib.parse import parse_qsl, quote, urlsplit

from runner.animatic.drawing_version import DRAWING_VERSION
from runner.animatic.spec import AnimaticSpec, Reference, to_json
from runner.clock import Clock
from runner.hosts import is_loopback
from runner.lazy_pattern import lazy_pattern
from runner.requests.request import JsonValue, Kind
from runner.requests.shot_text import NO_TEXT, ShotText, own_part
from runner.sandbox import rulebook
from runner.sandbox.api import signed_links
from runner.sandbox.api.content_types import content_type
from runner.sandbox.api.jobs import JobRunner
from runner.sandbox.api.private_address import is_private
from runner.sandbox.api.record import as_still_generating, render_record
from runner.sandbox.api.reply import Reply
from runner.sandbox.api.validation import AddressLookup, AddressRejected, Material, RequestError, ValidRequest, validate
from runner.sandbox.faults import demo
from runner.sandbox.faults.fault_rules import FaultEvent, Faults
from runner.sandbox.faults.seeded_random import chance, spread
from runner.sandbox.options import DEMO_KEY, Options
from runner.sandbox.state.sandbox_state import UPLOAD_FACTS, AccountBalance, SandboxState, Upload, body_hash, task_line
from runner.sandbox.state.task import TASK_ERRORS, Task

# Addresses that this sandbox gave out, recognized in the materials of a later request.
_UPLOAD_PATH = lazy_pattern(r"/files/([0-9a-z]{20})/[^/]*")
_MEDIA_PATH = lazy_pattern(rf"/media/(task_[0-9a-z]+)/({signed_links.MEDIA_NAMES})")


def account_of(key: str) -> str:
    """Name of a key's account in the journal: a hash, never the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


DEMO_ACCOUNT = account_of(DEMO_KEY)


class Service:
    """One server's operations on the shared state; counts the requests for each task and file."""

    def __init__(
        self, options: Options, state: SandboxState, faults: Faults, clock: Clock, server_id: str, base_url: str
    ) -> None:
        self.options = options
        self.rules = rulebook.rulebook_of(options.edition)
        self.state = state
        self.faults = faults
        self.server_id = server_id
        self.base_url = base_url
        """Base URL of this server, for links in webhooks."""
        self.link_secret = signed_links.link_secret(state.folder, clock)
        self.jobs = JobRunner(options, state, faults, self.rules)
        self.request_counts: Counter[str] = Counter()
        """Number of polls of each task and downloads of each file."""
        self._clock = clock
        self._success_polls: Counter[str] = Counter()
        for name in ("clips", "uploads"):
            # The film-maker's pictures lie there: nobody else on this machine may read them.
            (state.folder / name).mkdir(exist_ok=True, mode=0o700)

    def now(self) -> float:
        """The sandbox's clock: the machine's, shifted by the offset that was set."""
        return self._clock.now().timestamp() + self.state.clock_offset

    # -- createTask ------------------------------------------------------------------------------------

    def create(self, account: str, body: JsonValue, text: ShotText = NO_TEXT) -> Reply:
        """Create a task, or answer 400, 402 or 429, checked in this order; `text` decides only how it is drawn."""
        self.state.refresh()
        # Outside the lock, which all servers of the folder share: checking thousands of bodies must hold up none.
        request = validate(body, self.rules, self._address_lookup(account))
        if isinstance(request, list):
            return _invalid(request)
        with self.state.journal.locked():
            self.state.refresh()
            now = self.now()
            balance = self.state.close_finished(account, now)
            # Decided and written under one lock, or two servers would give the last slot twice.
            refusal = self._refusal(account, balance, request)
            if refusal is not None:
                return refusal
            task, same_body = self._new_task(account, request, text, now)
            self.state.write_locked(task_line(task, same_body))
        self.resume(self.state.tasks[task.id])
        return Reply(200, {"taskId": task.id})

    def _refusal(self, account: str, balance: AccountBalance, request: ValidRequest) -> Reply | None:
        # The documented demo key reads, and pays for nothing.
        available = 0 if account == DEMO_ACCOUNT else self.state.available(balance)
        if available is not None and request.credits > available:
            message = "Insufficient credits"
            return Reply(402, {"message": message, "required": request.credits, "available": available})
        if balance.cap is not None and len(balance.open_tasks) >= balance.cap:
            message = "Concurrency limit exceeded: too many tasks in progress, wait for some to complete"
            return Reply(429, {"message": message, "limit": balance.cap, "current": len(balance.open_tasks)})
        return None

    def _new_task(self, account: str, request: ValidRequest, text: ShotText, now: float) -> tuple[Task, str]:
        same_body = body_hash(account, _body_identity(request))
        number = self.state.body_counts[same_body] + 1
        fault = self.faults.pick(FaultEvent("task", request.prompt, request.model, number)) or {}
        task = Task(
            # In the form of the vendor's ids, for clients that check it.
            id="task_cl" + hashlib.sha256(self._clock.token().encode()).hexdigest()[:22],
            account=account,
            model=request.model,
            credits=request.credits,
            created_at=now,
            seconds=self._task_seconds(fault.get("seconds", self.options.seconds), same_body, number),
            spec={**to_json(self._spec(request, text)), "variation": number - 1, **_clip_fault(fault)},
            # Results name a seed; the same body gets the same one again.
            seed=int(chance(self.options.seed, same_body, number) * 2**31) if request.seed is None else request.seed,
            callback=request.callback,
            error=_error_of(fault),
            fault=fault,
            prompt=request.prompt,
            number=number,
            server=self.server_id,
            late_credits=request.late_credits,
            late_seconds=self.rules.late_bills[request.model].delay if request.late_credits is not None else 0.0,
        )
        return task, same_body

    def _task_seconds(self, seconds: JsonValue, same_body: str, number: int) -> float | None:
        if not isinstance(seconds, int | float):
            return None
        return spread(seconds, self.options.spread, chance(self.options.seed, "seconds", same_body, number))

    def _spec(self, request: ValidRequest, text: ShotText) -> AnimaticSpec:
        paths = {item.address: self._path(item) for item in request.materials}
        frames = request.materials if request.mode == "keyframe" else ()
        # One picture is the first frame, a second the last.
        first, last = (*frames, None, None)[:2]
        return AnimaticSpec(
            model=request.model,
            prompt=request.prompt,
            seconds=request.seconds,
            width=request.width,
            height=request.height,
            first=paths[first.address] if first else None,
            last=paths[last.address] if last else None,
            first_address=_remote_address(first),
            last_address=_remote_address(last),
            references=self._references(request, paths) if request.mode == "reference" else (),
            sound=request.has_sound,
            shot=own_part(text.prompt, request.prompt) if text.prompt else "",
            caption=text.prompt,
            scene=text.scene,
        )

    def _references(self, request: ValidRequest, paths: Mapping[str, Path | None]) -> tuple[Reference, ...]:
        counts = {"image": 0, "video": 0, "audio": 0}
        references = []
        for item in request.materials:
            counts[item.kind] += 1
            label, upload = f"{item.kind}{counts[item.kind]}", self.state.uploads.get(item.upload_id or "")
            name = "" if upload is None else Path(upload.name).stem
            references.append(Reference(item.kind, label, paths[item.address], _remote_address(item), name))
        return tuple(references)

    def _path(self, material: Material) -> Path | None:
        upload = self.state.uploads.get(material.upload_id or "")
        if upload is not None:
            return self.state.upload_path(upload).absolute()
        parts = urlsplit(material.address)
        media = _MEDIA_PATH.fullmatch(parts.path) if is_loopback(parts.hostname or "") else None
        return None if media is None else self._media_path(*media.groups())

    def _media_path(self, task_id: str, name: str) -> Path | None:
        """The clip of a task or its last frame; None if the task has none any more."""
        task = self.state.tasks.get(task_id)
        if task is None or self.now() > task.created_at + rulebook.MEDIA_DAYS * 86400:
            return None
        clip = self.state.clip_path(task_id).absolute()
        path = clip.with_suffix(PurePath(name).suffix)
        return path if path.is_file() else None

    def _address_lookup(self, account: str) -> AddressLookup:
        """Lookup of this account's uploads by path alone, since the server's port changes from run to run."""

        def lookup(address: str) -> Material | AddressRejected | None:
            parts = urlsplit(address)
            if not is_loopback(parts.hostname or ""):
                return AddressRejected("a private address is not publicly accessible") if is_private(parts) else None
            if (media := _MEDIA_PATH.fullmatch(parts.path)) is not None:
                return self._own_media(address, media[1], media[2])
            match = _UPLOAD_PATH.fullmatch(parts.path)
            upload = self.state.uploads.get(match[1]) if match else None
            # Another account's upload is none, as if it had never been made.
            if upload is None or upload.account != account:
                return None if self.options.local_materials else AddressRejected("no such upload")
            return self._uploaded_material(address, upload)

        return lookup

    def _own_media(self, address: str, task_id: str, name: str) -> Material | AddressRejected:
        """A clip of this sandbox or its last frame, by a signed link that still works."""
        query = dict(parse_qsl(urlsplit(address).query))
        expires, signature = query.get("expires", ""), query.get("signature", "")
        if not signed_links.is_valid_signature(task_id, name, expires, signature, self.link_secret):
            return AddressRejected("the signature of this link is wrong")
        path = self._media_path(task_id, name)
        if path is None or self.now() > int(expires):
            return AddressRejected("this link has expired")
        task = self.state.tasks[task_id]
        # Links of one clip differ in signature and port, and are still the same material.
        identity = hashlib.sha256(f"{task_id} {name}".encode()).hexdigest()
        kind: Kind = "video" if name == "video.mp4" else "image"
        seconds, width, height = (int(str(task.spec[name])) for name in ("seconds", "width", "height"))
        return Material(address, kind, None, identity, float(seconds) if kind == "video" else None, width, height)

    def _uploaded_material(self, address: str, upload: Upload) -> Material | AddressRejected:
        if not upload.is_stored:
            return AddressRejected("the bytes of this upload were never sent")
        if self.now() > upload.created_at + rulebook.UPLOAD_HOURS * 3600:
            return AddressRejected(f"the upload has expired after {rulebook.UPLOAD_HOURS} hours")
        match upload.kind:
            case "image" | "video" | "audio" as kind:
                facts = (upload.sha256, upload.seconds, upload.width, upload.height)
                return Material(address, kind, upload.id, *facts)
        return AddressRejected(f"the file {upload.rejection}")

    # -- recordInfo ------------------------------------------------------------------------------------

    def task(self, account: str, task_id: str) -> Task | None:
        """A task that this account may see, within the retention of records."""
        self.state.refresh()
        task = self.state.tasks.get(task_id)
        if task is None or task.account != account or self.now() > task.created_at + rulebook.RECORD_DAYS * 86400:
            return None
        return task

    def poll(self, account: str, task_id: str, base_url: str) -> Reply:
        """The answer of recordInfo; links begin with `base_url`."""
        if account == DEMO_ACCOUNT:
            record = demo.record(task_id, base_url, self.link)
            return Reply(200, record) if record is not None else _TASK_NOT_FOUND
        task = self.task(account, task_id)
        record = None if task is None else self.current_record(task, base_url, self.request_counts[f"poll {task_id}"])
        return _TASK_NOT_FOUND if record is None else Reply(200, record)

    def current_record(self, task: Task, base_url: str, polls: int) -> dict[str, JsonValue] | None:
        """The record of a task at this moment; None: 404."""
        record = render_record(task, self.now(), self._output(task, base_url), polls)
        if record is not None and record["status"] == "success" and "backwards" in task.fault:
            self._success_polls[task.id] += 1
            after = task.fault["backwards"]
            # The first success stands, some polls later say generating again, then the success is back.
            if isinstance(after, int) and 1 < self._success_polls[task.id] <= after + 1:
                return as_still_generating(record)
        return record

    def resume(self, task: Task) -> None:
        """Start the unfinished jobs of a task of this server: drawing, webhook."""
        self.jobs.start(task, self.now, lambda: self._callback_record(task))

    def _callback_record(self, task: Task) -> dict[str, JsonValue]:
        """The record in a webhook, without the faults that concern polling."""
        return render_record(task, self.now(), self._output(task, self.base_url), 1 << 30) or {"taskId": task.id}

    def _output(self, task: Task, base_url: str) -> list[JsonValue]:
        clip: dict[str, JsonValue] = {
            "url": self.link(base_url, task.id, "video.mp4"),
            "width": task.spec["width"],
            "height": task.spec["height"],
        }
        if self.rules.result_has_media:
            frame_url = self.link(base_url, task.id, f"last-frame{self.rules.frame_ending(task.model)}")
            clip |= {"mediaType": "video", "seed": task.seed, "lastFrameImage": frame_url}
        return [clip]

    def link(self, base_url: str, task_id: str, name: str) -> str:
        """A signed, expiring link to a clip or its last frame."""
        return signed_links.sign_link(base_url, task_id, name, self.now() + self.options.link_seconds, self.link_secret)

    # -- uploads ---------------------------------------------------------------------------------------

    def reserve_upload(self, account: str, body: JsonValue, base_url: str) -> Reply:
        """Reserve an upload: the address for the PUT, and the public address of the file for 24 hours."""
        name = body.get("fileName") if isinstance(body, dict) else None
        errors = [RequestError("", "the body must be a JSON object")] if not isinstance(body, dict) else []
        if not errors and not (isinstance(name, str) and _is_file_name(name)):
            errors = [RequestError("fileName", "fileName is required: a plain file name of at most 200 characters")]
        if isinstance(body, dict):
            errors += [
                RequestError(key, "unknown field; the only field is fileName") for key in body if key != "fileName"
            ]
        if errors:
            return _invalid(errors)
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
        self.state.write(line)
        address = f"{base_url}/files/{upload_id}/{quote(str(name))}"
        answer: dict[str, JsonValue] = {"uploadUrl": f"{base_url}/uploads/{upload_id}?token={token}", "url": address}
        if self.rules.upload_has_type:
            answer["contentType"] = content_type(str(name))
        return Reply(200, answer)

    async def finish_upload(self, upload: Upload) -> None:
        """Measure a fully received upload and make it available as material."""
        measurement = await self.jobs.measure(self.state.upload_path(upload))
        facts = {name: measurement[name] for name in UPLOAD_FACTS if name in measurement}
        self.state.write({"event": "stored", "id": upload.id, "facts": facts})


_TASK_NOT_FOUND = Reply(404, {"message": "Task not found"})


def _invalid(errors: list[RequestError]) -> Reply:
    first = errors[0]
    message = f"Invalid parameters: {first.path + ': ' if first.path else ''}{first.message}"
    return Reply(400, {"message": message, "errors": [{"path": item.path, "message": item.message} for item in errors]})


def _error_of(fault: Mapping[str, JsonValue]) -> str | None:
    error = fault.get("error")
    return TASK_ERRORS.get(error, error) if isinstance(error, str) else None


def _clip_fault(fault: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Shape or length that a faults file gives the clip in place of the requested one."""
    fields: dict[str, JsonValue] = {}
    if isinstance(size := fault.get("size"), list):
        fields |= {"width": size[0], "height": size[1]}
    return fields | ({"seconds": fault["length"]} if "length" in fault else {})


def _body_identity(request: ValidRequest) -> dict[str, JsonValue]:
    """Identity of a body for counting variations: uploads count by content, so that equal files are equal bodies.

    The version of the drawing is in it: a clip that is drawn anew keeps its variation.
    """
    return {
        "drawing": DRAWING_VERSION,
        "model": request.model,
        "mode": request.mode,
        "prompt": request.prompt,
        "seconds": request.seconds,
        "size": [request.width, request.height],
        "materials": [f"{item.kind} {item.sha256 or item.address}" for item in request.materials],
        "seed": request.seed,
        "sound": request.has_sound,
    }


def _remote_address(material: Material | None) -> str:
    return material.address if material is not None and material.upload_id is None else ""


def _is_file_name(name: str) -> bool:
    """Whether a text is a plain file name: no folder, no control character, no leading dot."""
    return 0 < len(name) <= 200 and name.isprintable() and "/" not in name and "\\" not in name and name[0] != "."
