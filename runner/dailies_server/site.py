"""The dailies over HTTP: the page, its films, clips and posters, and the picks and notes that it sends."""

import asyncio
import json
import mimetypes
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.dailies_server.dailies_source import DailiesSource
from runner.dailies_server.guard import SECURITY_HEADERS, Guard
from runner.diagnostics.failures import Failure

# A pick or a note: 4,000 characters have room in it, each as an escape of JSON too.
_MOST_BODY_BYTES = 64_000
_CLOSED = "This page belongs to a running `storyboard dailies --serve`. Open the address that it printed.\n"
Value = TypeVar("Value")


class DailiesSite:
    """The ASGI app of one server."""

    def __init__(self, source: DailiesSource, guard: Guard) -> None:
        self._source = source
        self._guard = guard
        # One thread: ledger and manifests are read and written in the order in which questions come.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dailies")
        self._routes = Starlette(
            routes=[
                Route("/", self._page),
                Route("/film/{slug}", self._page),
                Route("/film/{slug}/data", self._film),
                Route("/film/{slug}/pick", self._pick, methods=["POST"]),
                Route("/film/{slug}/note", self._note, methods=["POST"]),
                Route("/file/{name}", self._file),
                Route("/poster/{name}", self._poster),
            ]
        )

    @property
    def app(self) -> Starlette:
        """The app; every answer passes the guard."""
        self._routes.add_middleware(_GuardMiddleware, guard=self._guard)
        return self._routes

    async def _do(self, work: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _page(self, request: Request) -> Response:
        slug = request.path_params.get("slug") or (await self._do(self._source.slugs))[0]
        try:
            return HTMLResponse(await self._do(lambda: self._source.page(slug)))
        except KeyError:
            return PlainTextResponse(f"there is no film {slug[:100]!r} here\n", 404)
        except Failure as failure:
            return PlainTextResponse(f"{failure.message}\n", 503)

    async def _film(self, request: Request) -> Response:
        """The film, or 204 while it is the one that the page has already."""
        slug, version = request.path_params["slug"], request.query_params.get("version", "")
        try:
            film = await self._do(lambda: self._source.film(slug))
        except KeyError:
            return PlainTextResponse("", 404)
        except Failure as failure:
            return JSONResponse({"problem": failure.message}, 503)
        if film.version == version:
            # The page asks twice a second, and a long film's JSON has megabytes.
            return Response(status_code=204)
        return Response(film.document, headers={"x-version": film.version}, media_type="application/json")

    async def _pick(self, request: Request) -> Response:
        body = await _body(request)
        shot, take = body.get("shot"), body.get("take")
        if not isinstance(shot, str) or not (take is None or _is_take(take)):
            return JSONResponse({"problem": "a pick names a shot and a take"}, 400)
        number = take if isinstance(take, int) else None
        return await self._decide(lambda: self._source.pick(request.path_params["slug"], shot, number))

    async def _note(self, request: Request) -> Response:
        body = await _body(request)
        shot, take, text = body.get("shot"), body.get("take"), body.get("text")
        if not isinstance(shot, str) or not isinstance(take, int) or not _is_take(take) or not isinstance(text, str):
            return JSONResponse({"problem": "a note names a shot, a take and a text"}, 400)
        return await self._decide(lambda: self._source.note(request.path_params["slug"], shot, take, text))

    async def _decide(self, work: Callable[[], None]) -> Response:
        """Carry out a decision; what cannot be done is said on the page."""
        try:
            await self._do(work)
        except KeyError:
            return JSONResponse({"problem": "there is no such film here"}, 404)
        except Failure as failure:
            # Another window was first, or the manifest cannot be written: the page stays, the decision does not stand.
            return JSONResponse({"problem": failure.message}, 409)
        return JSONResponse({})

    async def _file(self, request: Request) -> Response:
        try:
            # Not in the one thread: a clip that plays must not wait for a ledger, and a lookup of a name reads none.
            path = self._source.file(request.path_params["name"])
        except KeyError:
            return PlainTextResponse("", 404)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return FileResponse(path, media_type=kind)

    async def _poster(self, request: Request) -> Response:
        try:
            content = self._source.poster(request.path_params["name"])
        except KeyError:
            return PlainTextResponse("", 404)
        return Response(content, media_type="image/webp")


class _GuardMiddleware:
    """Refuses whoever the guard does not know, exchanges the token for the cookie, and sets the headers of safety."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope)
        answer = self._answer_of_guard(request)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        await (self._app if answer is None else answer)(scope, receive, send_safely)

    def _answer_of_guard(self, request: Request) -> Response | None:
        """The answer to a question that the app must not see; None for one that it may."""
        guard, headers = self._guard, request.headers
        # First: a foreign name that leads to this machine must not even learn whether its token is right.
        if not guard.is_own_host(headers):
            return PlainTextResponse("this server answers to 127.0.0.1 only\n", 421)
        if (token := request.query_params.get("token")) is not None and request.method == "GET":
            if not guard.is_token(token):
                return PlainTextResponse(_CLOSED, 403)
            # To the same page without the token, which would stay in the history, and in every link that is copied.
            return RedirectResponse(request.url.path, 303, {"set-cookie": guard.cookie})
        if not guard.has_cookie(request.cookies):
            return PlainTextResponse(_CLOSED, 403)
        is_page = request.url.path == "/" or (
            request.url.path.count("/") == 2 and request.url.path.startswith("/film/")
        )
        if not is_page and not guard.is_own_origin(headers, required=request.method not in ("GET", "HEAD")):
            return PlainTextResponse("another page asked for this\n", 403)
        return None


async def _body(request: Request) -> Mapping[str, object]:
    """The JSON object of a question; empty for anything else, and for one that is too long."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        # The rest is not read: the answer closes the connection.
        if len(content) > _MOST_BODY_BYTES:
            return {}
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_take(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100_000
