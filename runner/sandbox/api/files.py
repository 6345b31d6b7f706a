"""Downloads of clips by signed links, and uploads; none of these requests takes an API key."""

import hmac
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from runner.sandbox import rulebook
from runner.sandbox.api import signed_links
from runner.sandbox.api.content_types import UNKNOWN, content_type
from runner.sandbox.api.reply import EarlyReply, Reply
from runner.sandbox.api.request_reader import limited_body
from runner.sandbox.api.service import Service
from runner.sandbox.drawing.worker_pool import DrawingError
from runner.sandbox.faults import demo
from runner.sandbox.state.sandbox_state import Upload

# More than any material needs; without a limit one PUT could fill the disk.
MAX_UPLOAD_BYTES = 200 << 20
# For a name without a known ending: some kind has to be told, and the bytes have been looked at.
_TYPES = {"image": "image/png", "video": "video/mp4", "audio": "audio/mpeg"}


async def clip_or_frame(service: Service, request: Request) -> Response:
    """A clip or its last frame, with ranges; 403 for an invalid or expired link, 404 for deleted media."""
    _, _, task_id, name = request.url.path.split("/")
    expires, signature = (request.query_params.get(key, "") for key in ("expires", "signature"))
    # Before the task is looked up: without a signature nobody learns which tasks there are.
    if not signed_links.is_valid_signature(task_id, name, expires, signature, service.link_secret):
        raise EarlyReply(Reply(403, {"message": "the signature of this link is wrong"}))
    # By the sandbox's clock: a test lets links expire without waiting.
    if service.now() > int(expires):
        raise EarlyReply(Reply(403, {"message": "this link has expired; recordInfo returns a new one"}))
    path = await _clip_path(service, task_id)
    path = path.with_suffix(Path(name).suffix)
    if not path.is_file():
        raise EarlyReply(Reply(404, {"message": "the media of this task were deleted"}))
    return FileResponse(path, media_type=content_type(name))


async def _clip_path(service: Service, task_id: str) -> Path:
    if task_id in demo.NAMES:
        try:
            return await service.jobs.demo_clip(task_id)
        except DrawingError as error:
            raise EarlyReply(Reply(500, {"message": f"the sample clip cannot be drawn: {error}"})) from error
    service.state.refresh()
    task = service.state.tasks.get(task_id)
    if task is None or service.now() > task.created_at + rulebook.MEDIA_DAYS * 86400:
        raise EarlyReply(Reply(404, {"message": f"no such media; media are kept for {rulebook.MEDIA_DAYS} days"}))
    return service.state.clip_path(task_id)


async def store_upload(service: Service, request: Request) -> Reply:
    """Store the bytes of an upload; an interrupted one leaves nothing behind."""
    upload = _current_upload(service, request.url.path.split("/")[2])
    if not hmac.compare_digest(request.query_params.get("token", "").encode(), upload.token.encode()):
        raise EarlyReply(Reply(403, {"message": "the token of this upload is wrong"}))
    _check_content_type(service, upload, request)
    target = service.state.upload_path(upload)
    # Two PUTs of one upload at once write two part files, and the last one that is whole stays.
    part = target.with_name(f"{upload.id}.{id(request):x}.part")
    try:
        with part.open("xb") as file:
            # Less than a request may take in all, so that a slow client reads a 408 and not only a closed connection.
            async for piece in limited_body(request, MAX_UPLOAD_BYTES, service.options.request_timeout * 5 / 6):
                file.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    await service.finish_upload(upload)
    return Reply(200, {"message": "stored"})


def _check_content_type(service: Service, upload: Upload, request: Request) -> None:
    """Refuse bytes that are not sent as the answer to the upload's request demanded."""
    demanded = content_type(upload.name)
    # As a signed PUT is refused by the store behind the vendor's address.
    if service.rules.upload_has_type and request.headers.get("content-type", "") != demanded:
        raise EarlyReply(Reply(403, {"message": f"the Content-Type of this upload must be {demanded}"}))


def uploaded_file(service: Service, request: Request) -> Response:
    """An uploaded file, served to anybody until the upload expires."""
    upload = _current_upload(service, request.url.path.split("/")[2])
    if not upload.is_stored:
        raise EarlyReply(Reply(404, {"message": "the bytes of this upload were never sent"}))
    kind = content_type(upload.name)
    kind = _TYPES.get(upload.kind, UNKNOWN) if kind == UNKNOWN else kind
    return FileResponse(service.state.upload_path(upload), media_type=kind)


def _current_upload(service: Service, upload_id: str) -> Upload:
    service.state.refresh()
    upload = service.state.uploads.get(upload_id)
    if upload is None or service.now() > upload.created_at + rulebook.UPLOAD_HOURS * 3600:
        raise EarlyReply(Reply(404, {"message": f"no such upload; uploads are kept for {rulebook.UPLOAD_HOURS} hours"}))
    return upload
