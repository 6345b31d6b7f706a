"""The API over HTTP: who may ask, how much they may send, which path is which."""

import hmac
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from runner.requests.request import JsonValue
from runner.sandbox.api import control, files, signed_links
from runner.sandbox.api.service import Service, account_of
from runner.sandbox.faults import faulty_response
from runner.sandbox.faults.fault_rules import FaultEvent
from runner.sandbox.http.reply import EarlyReply, Reply
from runner.sandbox.http.request_reader import parsed, raw_json
from runner.sandbox.options import DEMO_KEY

_KEY = re.compile(r"[\x21-\x7e]{1,512}")
_BEARER = re.compile(r"Bearer +(\S+)\s*", re.IGNORECASE)

_RAW = "sandbox.raw"
_MOST_KEYS = 1000

Handler = Callable[["SandboxApp", Request, str], Awaitable[Response]]


class SandboxApp:
    """The ASGI app. It holds the keys that it has seen, to notice them where they do not belong, and counts."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.answers: dict[str, int] = {}
        """How often each `METHOD path status` was given."""
        self._tries: Counter[tuple[str, str]] = Counter()
        self._seen = {key for key in service.options.keys if key}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except EarlyReply as stopped:
            response = as_json(stopped.reply)
        except ClientDisconnect:
            return
        await response(scope, receive, self._dated(request, send))

    async def _answer(self, request: Request) -> Response:
        _only_loopback(request.headers)
        self.service.world.refresh()
        self._watch_for_keys(request)
        path = request.url.path
        key = self._key(request) if path.startswith(("/api/", "/__sandbox/")) else ""
        for pattern, stage, methods in _ROUTES:
            if pattern.fullmatch(path) is None:
                continue
            handler = methods.get(request.method)
            if handler is None:
                allowed = ", ".join(sorted(methods))
                raise EarlyReply(Reply(405, {"message": f"{request.method} is not for {path}"}, {"Allow": allowed}))
            self._looked(stage, request)
            if self.service.faults.wants(stage):
                return await self._maybe_wrong(stage, handler, request, key)
            return await handler(self, request, key)
        raise EarlyReply(Reply(404, {"message": f"there is nothing at {path[:200]}"}))

    async def _maybe_wrong(self, stage: str, handler: Handler, request: Request, key: str) -> Response:
        """The handler's answer, or what a rule of the faults file makes of it."""
        do = self.service.faults.pick(await self._event(stage, request))
        if do is None:
            return await handler(self, request, key)
        real = faulty_response.NOTHING
        if faulty_response.is_success(do):
            try:
                response = await handler(self, request, key)
            except EarlyReply as stopped:
                response = as_json(stopped.reply)
            real = faulty_response.ranged(do, await faulty_response.capture(response), request)
        texts = faulty_response.no_texts(request) | {"taskId": faulty_response.task_id_of(real)}
        texts["earlierTaskId"] = next((name for name in self.service.world.tasks if name != texts["taskId"]), "")
        self.count(request, "fault")
        return faulty_response.FaultyResponse(do, real, texts)

    async def _event(self, stage: str, request: Request) -> FaultEvent:
        """What the rules are asked about."""
        if stage == "create":
            return self._creation(await self._raw(request))
        name = _subject(stage, request)
        task, look = self.service.world.tasks.get(name), self.service.looks[f"{stage} {name}"]
        if task is None:
            return FaultEvent(stage, look=look)
        return FaultEvent(stage, task.prompt, task.model, task.number, look)

    def _looked(self, stage: str, request: Request) -> None:
        """Count one more request for the same task or upload; made-up ones are not remembered."""
        name, world = _subject(stage, request), self.service.world
        if name in world.tasks or name in world.uploads:
            self.service.looks[f"{stage} {name}"] += 1

    def _creation(self, raw: bytes) -> FaultEvent:
        try:
            body = parsed(raw)
        except EarlyReply:
            return FaultEvent("create")
        inputs = body.get("inputs") if isinstance(body, dict) else None
        model, prompt = (body.get("model") if isinstance(body, dict) else None), None
        if isinstance(inputs, dict):
            prompt = inputs.get("prompt")
        words = (str(model or ""), str(prompt or ""))
        self._tries[words] += 1
        return FaultEvent("create", words[1], words[0], self._tries[words])

    def _key(self, request: Request) -> str:
        bearer = _BEARER.fullmatch(request.headers.get("authorization", ""))
        keys = self.service.options.keys
        if bearer is None:
            raise EarlyReply(Reply(401, {"message": "Authentication failed: missing API key"}))
        key = bearer[1]
        known = [*keys, DEMO_KEY]
        fits = any(hmac.compare_digest(key.encode(), one.encode()) for one in known) if keys else _KEY.fullmatch(key)
        if not fits:
            raise EarlyReply(Reply(401, {"message": "Authentication failed: invalid API key"}))
        if len(self._seen) < _MOST_KEYS:
            self._seen.add(key)
        if key == DEMO_KEY and request.url.path.startswith("/__sandbox/"):
            raise EarlyReply(Reply(403, {"message": "the demo key only looks at the sample tasks"}))
        return key

    def _watch_for_keys(self, request: Request) -> None:
        """Note a request that carries a key to where it does not belong."""
        path = request.url.path
        where = []
        if not path.startswith(("/api/", "/__sandbox/")) and "authorization" in request.headers:
            where.append("header authorization")
        target = unquote(f"{path}?{request.url.query}")
        texts = {"address": target} | {
            f"header {name}": value for name, value in request.headers.items() if name != "authorization"
        }
        where += [name for name, text in texts.items() if any(key in text for key in self._seen if len(key) > 7)]
        for name in where:
            self.misplaced(path, name)

    def misplaced(self, path: str, where: str) -> None:
        self.service.world.write({"event": "misplaced", "path": path[:200], "where": where})

    async def body(self, request: Request) -> JsonValue:
        """The JSON of a request; 400, 408 or 413 when there is none that could be read."""
        return parsed(await self._raw(request))

    async def _raw(self, request: Request) -> bytes:
        """The bytes of a small body, read once."""
        held: bytes | None = request.scope.get(_RAW)
        if held is not None:
            return held
        raw = await raw_json(request, self.service.options.patience / 2)
        if any(key.encode() in raw for key in self._seen if len(key) > 7):
            self.misplaced(request.url.path, "body")
        request.scope[_RAW] = raw
        return raw

    def _dated(self, request: Request, send: Send) -> Send:
        """Puts the sandbox's own time on every answer, and counts it."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self.service.now(), usegmt=True)
                message["headers"] = [*message.get("headers", []), (b"date", date.encode())]
                self.count(request, message["status"])
            await send(message)

        return dated

    def count(self, request: Request, status: int | str) -> None:
        """One more answer of this kind, for the state."""
        place = "/".join(request.url.path.split("/")[: 5 if request.url.path.startswith("/api/") else 2])
        name = f"{request.method} {place[:60]} {status}"
        if name in self.answers or len(self.answers) < 500:
            self.answers[name] = self.answers.get(name, 0) + 1


def as_json(reply: Reply) -> Response:
    """A reply as a response."""
    return JSONResponse(dict(reply.body), reply.status, dict(reply.headers))


def _only_loopback(headers: Headers) -> None:
    """Any web page can reach loopback: by another host's name, or from its own origin."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _is_loopback(f"http://{host}"):
        raise EarlyReply(Reply(421, {"message": "the Host header must name loopback: 127.0.0.1, localhost or [::1]"}))
    if origin is not None and not _is_loopback(origin):
        raise EarlyReply(Reply(403, {"message": "requests of web pages of another origin are refused"}))


def _is_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and signed_links.is_local(parts.hostname or "")
    except ValueError:
        return False


# -- what stands at each path --------------------------------------------------------------------------


async def _create(app: SandboxApp, request: Request, key: str) -> Response:
    body = await app.body(request)
    return as_json(app.service.create(account_of(key), body))


async def _record(app: SandboxApp, request: Request, key: str) -> Response:
    task_id = request.query_params.get("taskId", "")
    if not task_id:
        errors: list[JsonValue] = [{"path": "taskId", "message": "taskId is required"}]
        return as_json(Reply(400, {"message": "Invalid parameters: taskId is required", "errors": errors}))
    return as_json(app.service.look(account_of(key), task_id, base(request)))


async def _reserve(app: SandboxApp, request: Request, key: str) -> Response:
    body = await app.body(request)
    return as_json(app.service.reserve(account_of(key), body, base(request)))


async def _media(app: SandboxApp, request: Request, key: str) -> Response:
    return await files.media(app.service, request)


async def _put(app: SandboxApp, request: Request, key: str) -> Response:
    return as_json(await files.put(app.service, request))


async def _file(app: SandboxApp, request: Request, key: str) -> Response:
    return files.uploaded(app.service, request)


async def _state(app: SandboxApp, request: Request, key: str) -> Response:
    return as_json(control.state(app.service, app.answers))


async def _clock(app: SandboxApp, request: Request, key: str) -> Response:
    if request.method == "GET":
        return as_json(control.clock(app.service))
    return as_json(control.set_clock(app.service, await app.body(request)))


async def _accounts(app: SandboxApp, request: Request, key: str) -> Response:
    return as_json(control.set_account(app.service, key, await app.body(request)))


async def _faults(app: SandboxApp, request: Request, key: str) -> Response:
    if request.method == "PUT":
        control.set_faults(app.service, await app.body(request))
    return as_json(Reply(200, {"faults": app.service.faults.told()}))


def _subject(stage: str, request: Request) -> str:
    """The task or upload that a request is about."""
    if stage == "poll":
        return request.query_params.get("taskId", "")
    parts = request.url.path.split("/")
    return parts[2] if stage in ("media", "put", "file") else ""


def base(request: Request) -> str:
    """How the client reached us: links go the same way."""
    return f"http://{request.headers['host']}"


_ROUTES: tuple[tuple[re.Pattern[str], str, Mapping[str, Handler]], ...] = (
    (re.compile(r"/api/v1/jobs/createTask"), "create", {"POST": _create}),
    (re.compile(r"/api/v1/jobs/recordInfo"), "poll", {"GET": _record}),
    (re.compile(r"/api/v1/uploads"), "upload", {"POST": _reserve}),
    (re.compile(r"/media/[^/]{1,200}/(video\.mp4|last-frame\.png)"), "media", {"GET": _media, "HEAD": _media}),
    (re.compile(r"/uploads/[0-9a-z]{20}"), "put", {"PUT": _put}),
    (re.compile(r"/files/[0-9a-z]{20}/[^/]{1,300}"), "file", {"GET": _file, "HEAD": _file}),
    (re.compile(r"/__sandbox/state"), "", {"GET": _state}),
    (re.compile(r"/__sandbox/clock"), "", {"GET": _clock, "POST": _clock}),
    (re.compile(r"/__sandbox/account"), "", {"POST": _accounts}),
    (re.compile(r"/__sandbox/faults"), "", {"GET": _faults, "PUT": _faults}),
)
