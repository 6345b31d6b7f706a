"""Clips that are fetched by signed links, and files that clients put here; none of it takes a key."""

import hmac
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from runner.sandbox.api import rulebook as page
from runner.sandbox.api import signed_links
from runner.sandbox.api.service import Service
from runner.sandbox.drawing.worker_pool import DrawingError
from runner.sandbox.faults import demo
from runner.sandbox.http.reply import EarlyReply, Reply
from runner.sandbox.http.request_reader import bounded
from runner.sandbox.state.sandbox_state import Upload

MOST_UPLOAD = 200 << 20
_TYPES = {"image": "image/png", "video": "video/mp4", "audio": "audio/mpeg"}
_ENDINGS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".wav": "audio/wav",
}


async def media(service: Service, request: Request) -> Response:
    """A clip or its last frame, with ranges; 403 for a link that is none or is over, 404 when it is gone."""
    _, _, task_id, name = request.url.path.split("/")
    expires, signature = (request.query_params.get(key, "") for key in ("expires", "signature"))
    if not signed_links.is_signed(task_id, name, expires, signature, service.secret):
        raise EarlyReply(Reply(403, {"message": "the signature of this link is wrong"}))
    if service.now() > int(expires):
        raise EarlyReply(Reply(403, {"message": "this link has expired; recordInfo has a new one"}))
    path = await _clip(service, task_id)
    path = path if name == "video.mp4" else path.with_suffix(".png")
    if not path.is_file():
        raise EarlyReply(Reply(404, {"message": "the media are gone"}))
    return FileResponse(path, media_type="video/mp4" if name == "video.mp4" else "image/png")


async def _clip(service: Service, task_id: str) -> Path:
    if task_id in demo.NAMES:
        try:
            return await service.backstage.demo_clip(task_id)
        except DrawingError as error:
            raise EarlyReply(Reply(500, {"message": f"the sample clip cannot be drawn: {error}"})) from error
    service.world.refresh()
    task = service.world.tasks.get(task_id)
    if task is None or service.now() > task.made + page.MEDIA_DAYS * 86400:
        raise EarlyReply(Reply(404, {"message": f"media are kept for {page.MEDIA_DAYS} days; these are gone"}))
    return service.world.clip(task_id)


async def put(service: Service, request: Request) -> Reply:
    """Takes the bytes of an upload, once; they count when all of them are here."""
    upload = _upload(service, request.url.path.split("/")[2])
    if not hmac.compare_digest(request.query_params.get("token", "").encode(), upload.token.encode()):
        raise EarlyReply(Reply(403, {"message": "the token of this upload is wrong"}))
    target = service.world.upload_file(upload)
    part = target.with_name(f"{upload.id}.{id(request):x}.part")
    try:
        with part.open("xb") as file:
            async for piece in bounded(request, MOST_UPLOAD, service.options.patience * 5 / 6):
                file.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    await service.received(upload)
    return Reply(200, {"message": "stored"})


def uploaded(service: Service, request: Request) -> Response:
    """What was put here, as anybody can fetch it until its hours are over."""
    upload = _upload(service, request.url.path.split("/")[2])
    if not upload.stored:
        raise EarlyReply(Reply(404, {"message": "its bytes were never sent"}))
    kind = _ENDINGS.get(Path(upload.name).suffix.lower(), _TYPES.get(upload.kind, "application/octet-stream"))
    return FileResponse(service.world.upload_file(upload), media_type=kind)


def _upload(service: Service, upload_id: str) -> Upload:
    service.world.refresh()
    upload = service.world.uploads.get(upload_id)
    if upload is None or service.now() > upload.made + page.UPLOAD_HOURS * 3600:
        raise EarlyReply(Reply(404, {"message": f"no such upload; uploads are kept for {page.UPLOAD_HOURS} hours"}))
    return upload
