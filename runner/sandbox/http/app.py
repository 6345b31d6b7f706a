"""The API over HTTP: authentication, limits of bodies, routes."""

import contextlib
import hmac
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from runner.hosts import is_loopback
from runner.lazy_pattern import lazy_pattern
from runner.requests.request import JsonValue
from runner.requests.shot_text import PROMPT_HEADER, SCENE_HEADER, text_of
from runner.sandbox.api import control, files
from runner.sandbox.api.reply import EarlyReply, Reply
from runner.sandbox.api.request_reader import parse_json, read_json_bytes
from runner.sandbox.api.service import Service, account_of
from runner.sandbox.api.signed_links import MEDIA_NAMES
from runner.sandbox.faults.fault_rules import FaultEvent
from runner.sandbox.http import faulty_response
from runner.sandbox.options import DEMO_KEY

# What a header can carry: with no keys given, any such text is an account.
_KEY = lazy_pattern(r"[\x21-\x7e]{1,512}")
_BEARER = lazy_pattern(r"Bearer +(\S+)\s*", re.IGNORECASE)

# A body arrives once, and both the fault rules and the handler read it.
_BODY_KEY = "sandbox.raw"
# Keys that are remembered: a client that makes them up fills no memory.
_MAX_SEEN_KEYS = 1000

Handler = Callable[["SandboxApp", Request, str], Awaitable[Response]]


class SandboxApp:
    """The ASGI app; counts answers, and remembers accepted keys to notice them where they do not belong."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.answer_counts: dict[str, int] = {}
        """Number of answers by `METHOD path status`."""
        self._create_counts: Counter[tuple[str, str]] = Counter()
        self._seen_keys = {key for key in service.options.keys if key}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except EarlyReply as early:
            response = as_json(early.reply)
        except ClientDisconnect:
            return
        await response(scope, receive, self._with_date_header(request, send))

    async def _answer(self, request: Request) -> Response:
        # First of all: a web page must not even be counted.
        _refuse_other_hosts(request.headers)
        self.service.state.refresh()
        self._note_misplaced_keys(request)
        path = request.url.path
        # 401 before 404 and 405: without a key nothing is told about the API.
        key = self._key(request) if path.startswith(("/api/", "/__sandbox/")) else ""
        for pattern, operation, methods in _ROUTES:
            if pattern.fullmatch(path) is None:
                continue
            handler = methods.get(request.method)
            if handler is None:
                allowed = ", ".join(sorted(methods))
                raise EarlyReply(
                    Reply(405, {"message": f"{request.method} is not allowed for {path}"}, {"Allow": allowed})
                )
            # Before the fault, whose rules ask how often it was asked.
            self._count_request(operation, request)
            if self.service.faults.has_rules_for(operation):
                return await self._answer_with_faults(operation, handler, request, key)
            return await handler(self, request, key)
        raise EarlyReply(Reply(404, {"message": f"no such path: {path[:200]}"}))

    async def _answer_with_faults(self, operation: str, handler: Handler, request: Request, key: str) -> Response:
        """The handler's answer, or the faulty answer of a matching rule."""
        effect = self.service.faults.pick(await self._event(operation, request))
        if effect is None:
            return await handler(self, request, key)
        real = faulty_response.NO_RESPONSE
        if faulty_response.executes_request(effect):
            try:
                response = await handler(self, request, key)
            except EarlyReply as early:
                response = as_json(early.reply)
            real = faulty_response.ranged(effect, await faulty_response.capture(response), request)
        elif _BODY_KEY not in request.scope:
            await self._discard_body(request)
        texts = faulty_response.fill_in_texts(request) | {"taskId": faulty_response.task_id_of(real)}
        texts["earlierTaskId"] = next((name for name in self.service.state.tasks if name != texts["taskId"]), "")
        self.count_answer(request, "fault")
        return faulty_response.FaultyResponse(effect, real, texts)

    async def _event(self, operation: str, request: Request) -> FaultEvent:
        """The event that the fault rules are matched against."""
        if operation == "create":
            return self._create_event(await self._raw_body(request))
        subject_id = _subject_id(operation, request)
        task, request_number = (
            self.service.state.tasks.get(subject_id),
            self.service.request_counts[f"{operation} {subject_id}"],
        )
        if task is None:
            return FaultEvent(operation, request_number=request_number)
        return FaultEvent(operation, task.prompt, task.model, task.number, request_number)

    def _count_request(self, operation: str, request: Request) -> None:
        """Count one more request for a task or upload; unknown ids are not remembered."""
        subject_id, state = _subject_id(operation, request), self.service.state
        if subject_id in state.tasks or subject_id in state.uploads:
            self.service.request_counts[f"{operation} {subject_id}"] += 1

    def _create_event(self, raw: bytes) -> FaultEvent:
        try:
            body = parse_json(raw)
        except EarlyReply:
            return FaultEvent("create")
        inputs = body.get("inputs") if isinstance(body, dict) else None
        model, prompt = (body.get("model") if isinstance(body, dict) else None), None
        if isinstance(inputs, dict):
            prompt = inputs.get("prompt")
        model_and_prompt = (str(model or ""), str(prompt or ""))
        self._create_counts[model_and_prompt] += 1
        return FaultEvent("create", model_and_prompt[1], model_and_prompt[0], self._create_counts[model_and_prompt])

    def _key(self, request: Request) -> str:
        bearer = _BEARER.fullmatch(request.headers.get("authorization", ""))
        keys = self.service.options.keys
        if bearer is None:
            raise EarlyReply(Reply(401, {"message": "Authentication failed: missing API key"}))
        key = bearer[1]
        allowed = [*keys, DEMO_KEY]
        # All of them are compared: time tells nothing about any.
        matches = [hmac.compare_digest(key.encode(), candidate.encode()) for candidate in allowed]
        if not (any(matches) if keys else _KEY.fullmatch(key)):
            raise EarlyReply(Reply(401, {"message": "Authentication failed: invalid API key"}))
        if len(self._seen_keys) < _MAX_SEEN_KEYS:
            self._seen_keys.add(key)
        if key == DEMO_KEY and request.url.path.startswith("/__sandbox/"):
            raise EarlyReply(Reply(403, {"message": "the demo key can only poll the sample tasks"}))
        return key

    def _note_misplaced_keys(self, request: Request) -> None:
        """Report a request that carries a key where it does not belong."""
        path = request.url.path
        places = []
        if not path.startswith(("/api/", "/__sandbox/")) and "authorization" in request.headers:
            places.append("header authorization")
        target = unquote(f"{path}?{request.url.query}")
        texts = {"address": target} | {
            f"header {name}": value for name, value in request.headers.items() if name != "authorization"
        }
        # Keys of up to 7 characters occur in addresses by chance.
        places += [name for name, text in texts.items() if any(key in text for key in self._seen_keys if len(key) > 7)]
        for name in places:
            self.note_misplaced_key(path, name)

    def note_misplaced_key(self, path: str, where: str) -> None:
        self.service.state.write({"event": "misplaced", "path": path[:200], "where": where})

    async def json_body(self, request: Request) -> JsonValue:
        """The JSON of a request; 400, 408 or 413 for an unreadable body."""
        return parse_json(await self._raw_body(request))

    async def _raw_body(self, request: Request) -> bytes:
        """The bytes of a small body, read once."""
        body: bytes | None = request.scope.get(_BODY_KEY)
        if body is not None:
            return body
        read_body = await read_json_bytes(request, self.service.options.request_timeout / 2)
        if any(key.encode() in read_body for key in self._seen_keys if len(key) > 7):
            self.note_misplaced_key(request.url.path, "body")
        request.scope[_BODY_KEY] = read_body
        return read_body

    async def _discard_body(self, request: Request) -> None:
        """Read the body away: to close a connection with an unread rest resets it, and the answer is lost with it."""
        with anyio.move_on_after(self.service.options.request_timeout / 2), contextlib.suppress(ClientDisconnect):
            async for _ in request.stream():
                pass

    def _with_date_header(self, request: Request, send: Send) -> Send:
        """Put the sandbox's time on every answer, and count the answer."""

        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Clients judge the age of media by the server's clock.
                date = formatdate(self.service.now(), usegmt=True)
                message["headers"] = [*message.get("headers", []), (b"date", date.encode())]
                self.count_answer(request, message["status"])
            await send(message)

        return send_with_date

    def count_answer(self, request: Request, status: int | str) -> None:
        """Count one more answer, for the state report."""
        place = "/".join(request.url.path.split("/")[: 5 if request.url.path.startswith("/api/") else 2])
        name = f"{request.method} {place[:60]} {status}"
        # Paths come from clients: made-up ones fill no memory.
        if name in self.answer_counts or len(self.answer_counts) < 500:
            self.answer_counts[name] = self.answer_counts.get(name, 0) + 1


def as_json(reply: Reply) -> Response:
    """A reply as a response."""
    return JSONResponse(dict(reply.body), reply.status, dict(reply.headers))


def _refuse_other_hosts(headers: Headers) -> None:
    """Refuse requests of web pages, which can reach loopback by another host's name or from another origin."""
    host, origin = headers.get("host", ""), headers.get("origin")
    # A name that resolves to 127.0.0.1 brings any web page here, past the rule of one origin.
    if not _names_loopback(f"http://{host}"):
        raise EarlyReply(Reply(421, {"message": "the Host header must name loopback: 127.0.0.1, localhost or [::1]"}))
    if origin is not None and not _names_loopback(origin):
        raise EarlyReply(Reply(403, {"message": "requests from web pages of another origin are refused"}))


def _names_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False


# -- routes --------------------------------------------------------------------------------------------


async def _create_task(app: SandboxApp, request: Request, key: str) -> Response:
    body = await app.json_body(request)
    text = text_of(request.headers.get(PROMPT_HEADER), request.headers.get(SCENE_HEADER))
    return as_json(app.service.create(account_of(key), body, text))


async def _get_record(app: SandboxApp, request: Request, key: str) -> Response:
    task_id = request.query_params.get("taskId", "")
    if not task_id:
        errors: list[JsonValue] = [{"path": "taskId", "message": "taskId is required"}]
        return as_json(Reply(400, {"message": "Invalid parameters: taskId is required", "errors": errors}))
    return as_json(app.service.poll(account_of(key), task_id, base_url_of(request)))


async def _reserve_upload(app: SandboxApp, request: Request, key: str) -> Response:
    body = await app.json_body(request)
    return as_json(app.service.reserve_upload(account_of(key), body, base_url_of(request)))


async def _get_media(app: SandboxApp, request: Request, key: str) -> Response:
    return await files.clip_or_frame(app.service, request)


async def _put_upload(app: SandboxApp, request: Request, key: str) -> Response:
    return as_json(await files.store_upload(app.service, request))


async def _get_upload(app: SandboxApp, request: Request, key: str) -> Response:
    return files.uploaded_file(app.service, request)


async def _get_state(app: SandboxApp, request: Request, key: str) -> Response:
    return as_json(control.report_state(app.service, app.answer_counts))


async def _get_or_set_clock(app: SandboxApp, request: Request, key: str) -> Response:
    if request.method == "GET":
        return as_json(control.report_clock(app.service))
    return as_json(control.set_clock(app.service, await app.json_body(request)))


async def _set_account(app: SandboxApp, request: Request, key: str) -> Response:
    return as_json(control.set_account(app.service, key, await app.json_body(request)))


async def _get_or_set_faults(app: SandboxApp, request: Request, key: str) -> Response:
    if request.method == "PUT":
        control.set_faults(app.service, await app.json_body(request))
    return as_json(Reply(200, {"faults": app.service.faults.report()}))


def _subject_id(operation: str, request: Request) -> str:
    """Id of the task or upload that a request names."""
    if operation == "poll":
        return request.query_params.get("taskId", "")
    parts = request.url.path.split("/")
    return parts[2] if operation in ("media", "put", "file") else ""


def base_url_of(request: Request) -> str:
    """Base URL that the client used, which its links use as well."""
    return f"http://{request.headers['host']}"


_ROUTES: tuple[tuple[re.Pattern[str], str, Mapping[str, Handler]], ...] = (
    (lazy_pattern(r"/api/v1/jobs/createTask"), "create", {"POST": _create_task}),
    (lazy_pattern(r"/api/v1/jobs/recordInfo"), "poll", {"GET": _get_record}),
    (lazy_pattern(r"/api/v1/uploads"), "upload", {"POST": _reserve_upload}),
    (lazy_pattern(rf"/media/[^/]{{1,200}}/(?:{MEDIA_NAMES})"), "media", {"GET": _get_media, "HEAD": _get_media}),
    (lazy_pattern(r"/uploads/[0-9a-z]{20}"), "put", {"PUT": _put_upload}),
    (lazy_pattern(r"/files/[0-9a-z]{20}/[^/]{1,300}"), "file", {"GET": _get_upload, "HEAD": _get_upload}),
    (lazy_pattern(r"/__sandbox/state"), "", {"GET": _get_state}),
    (lazy_pattern(r"/__sandbox/clock"), "", {"GET": _get_or_set_clock, "POST": _get_or_set_clock}),
    (lazy_pattern(r"/__sandbox/account"), "", {"POST": _set_account}),
    (lazy_pattern(r"/__sandbox/faults"), "", {"GET": _get_or_set_faults, "PUT": _get_or_set_faults}),
)
