"""The provider's own links: a clip and its last frame, used only if they are what was stored here."""

import io
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from PIL import Image

from runner.attempts.attempt import Attempt
from runner.attempts.events import Clip, Output
from runner.clock import SystemClock
from runner.engine.ports import Published, TransferFailed
from runner.lazy_dataclass import replace
from runner.media.clip import frame
from runner.planning.material_routes import Route
from runner.providers.transport.address_fetcher import AddressFetcher
from runner.publish.content import ContentReader
from runner.publish.materials import MaterialPublisher
from runner.requests.request import TakeReference
from tests.double.media import clip
from tests.publish.servers import Answer, WebServer, web_server
from tests.store.test_clip_store import attempt

CLIP = clip(40)
LAST = TakeReference("quay", "last_frame")


def last_picture(folder: Path) -> bytes:
    (folder / "clip.mp4").write_bytes(CLIP)
    frame(folder / "clip.mp4", "last", folder / "last.png")
    return (folder / "last.png").read_bytes()


def encoded(size: tuple[int, int], shade: int, form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(file, form)
    return file.getvalue()


def stored() -> Attempt:
    return replace(attempt(), task_id="task_quay", clip=Clip("quay/take-1.mp4", "0" * 64, len(CLIP), 64, 36, 1.0))


def publish(folder: Path, web: WebServer, material: TakeReference, *ways: str) -> tuple[object, list[str]]:
    """What was published, and the names that were uploaded."""
    sent: list[str] = []

    async def upload(name: str, data: bytes | Path) -> str:
        assert isinstance(data, bytes)
        sent.append(name)
        web.answers["/uploaded.png"] = Answer(200, data)
        return f"{web.base_url}/uploaded.png"

    async def media(source: Attempt) -> Output:
        return Output(f"{web.base_url}/clip.mp4", last_frame=f"{web.base_url}/named.png")

    (folder / "clip.mp4").write_bytes(CLIP)
    publisher = MaterialPublisher(
        ContentReader(folder, folder / "scratch", lambda source: folder / "clip.mp4"),
        lambda one: Route(one, ways or ("vendor", "upload"), "kinovi.ai"),  # type: ignore[arg-type]
        upload,
        AddressFetcher(local=True).fetch,
        media,
        SystemClock(),
    )
    return anyio.run(publisher.publish, material, stored()), sent


def test_the_frame_that_the_record_names_is_used_where_it_is_the_clips_last_picture(tmp_path: Path) -> None:
    with web_server({"named.png": Answer(200, last_picture(tmp_path))}) as web:
        published, sent = publish(tmp_path, web, LAST)
        assert published == Published(f"{web.base_url}/named.png", 600.0)
    assert sent == []


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(lambda: Answer(200, encoded((64, 36), 40, "JPEG")), id="a JPEG"),
        pytest.param(lambda: Answer(200, encoded((128, 72), 40, "PNG")), id="another size"),
        pytest.param(lambda: Answer(404), id="404"),
        pytest.param(lambda: Answer(200, encoded((64, 36), 220, "PNG")), id="another picture of the same size"),
    ],
)
def test_a_wrong_frame_is_cut_from_the_clip_and_takes_the_next_way(tmp_path: Path, named: Callable[[], Answer]) -> None:
    with web_server({"named.png": named()}) as web:
        published, sent = publish(tmp_path, web, LAST)
        assert isinstance(published, Published)
        assert published.address == f"{web.base_url}/uploaded.png"
    assert sent == ["quay.last_frame.png"]


def test_without_another_way_a_wrong_frame_fails_its_take(tmp_path: Path) -> None:
    with web_server({"named.png": Answer(404)}) as web:
        published, _ = publish(tmp_path, web, LAST, "vendor")
    assert isinstance(published, TransferFailed)
    assert published.final


@pytest.mark.parametrize(
    ("served", "way"), [(CLIP, "/clip.mp4"), (CLIP + b"more", "/uploaded.png"), (b"", "/uploaded.png")]
)
def test_a_clip_is_read_by_the_providers_link_while_that_serves_the_stored_bytes(
    tmp_path: Path, served: bytes, way: str
) -> None:
    with web_server({"clip.mp4": Answer(200, served) if served else Answer(403)}) as web:
        published, _ = publish(tmp_path, web, TakeReference("quay", "clip"))
        assert isinstance(published, Published)
        assert published.address == f"{web.base_url}{way}"
