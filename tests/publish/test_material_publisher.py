"""Publishing of materials: only planned bytes leave the machine, every content once a run."""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from PIL import Image

from runner.attempts.attempt import Attempt
from runner.clock import SystemClock
from runner.engine.ports import Published, TransferFailed
from runner.planning.material_routes import Route
from runner.publish.content import ContentReader
from runner.publish.materials import MaterialPublisher
from runner.requests.fetched import NotFetched
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference
from tests.double.media import clip
from tests.store.test_clip_store import attempt

DOOR = b"\x89PNG\r\n\x1a\n and so on"


@dataclass
class Workspace:
    """A repository, and the uploads from it."""

    root: Path
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    clip: Path | None = None
    fails: int = 0

    async def send(self, name: str, content: bytes) -> str | TransferFailed:
        await anyio.lowlevel.checkpoint()
        self.sent.append((name, content))
        return (
            TransferFailed("no network")
            if len(self.sent) <= self.fails
            else f"https://cdn.example.com/{len(self.sent)}"
        )

    def publish(self, *materials: Material, source: Attempt | None = None) -> list[str | TransferFailed]:
        publisher = MaterialPublisher(
            ContentReader(self.root, self.root / "scratch", lambda attempt: self.clip),
            lambda material: Route(material, ("upload",), "kinovi.ai"),
            self.send,
            nothing_fetched,
            no_media,
            SystemClock(),
            check=False,
        )
        results: dict[int, str | TransferFailed] = {}

        async def publish_single(position: int, material: Material) -> None:
            result = await publisher.publish(material, source)
            results[position] = result.address if isinstance(result, Published) else result

        async def all_at_once() -> None:
            async with anyio.create_task_group() as group:
                for place, material in enumerate(materials):
                    group.start_soon(publish_single, place, material)

        anyio.run(all_at_once)
        return [results[position] for position in range(len(materials))]


async def nothing_fetched(address: str, most: int) -> NotFetched:
    return NotFetched(f"{address} must not be fetched")


async def no_media(attempt: Attempt) -> None:
    return None


def local(path: str, content: bytes = DOOR) -> LocalFile:
    return LocalFile(path, hashlib.sha256(content).hexdigest(), "image", len(content))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "door.png").write_bytes(DOOR)
    return Workspace(tmp_path)


def test_a_remote_material_has_its_address_already(workspace: Workspace) -> None:
    assert workspace.publish(RemoteFile("https://cdn.example.com/a.png", "image")) == ["https://cdn.example.com/a.png"]
    assert workspace.sent == []


def test_a_local_file_is_published_with_the_bytes_that_were_planned(workspace: Workspace) -> None:
    assert workspace.publish(local("door.png")) == ["https://cdn.example.com/1"]
    assert workspace.sent == [("door.png", DOOR)]


def test_one_content_is_published_once_however_often_it_is_used(workspace: Workspace) -> None:
    (workspace.root / "copy.png").write_bytes(DOOR)

    assert (
        workspace.publish(local("door.png"), local("copy.png"), local("door.png")) == ["https://cdn.example.com/1"] * 3
    )
    assert len(workspace.sent) == 1


def test_what_could_not_be_published_is_tried_again(workspace: Workspace) -> None:
    workspace.fails = 1
    first, second = workspace.publish(local("door.png"), local("door.png"))

    assert sorted([type(first).__name__, type(second).__name__]) == ["TransferFailed", "str"]


def test_a_file_that_changed_since_it_was_planned_never_leaves(workspace: Workspace) -> None:
    (workspace.root / "door.png").write_bytes(b"something else")
    [got] = workspace.publish(local("door.png"))

    assert isinstance(got, TransferFailed)
    assert got.final
    assert "changed" in got.message
    assert workspace.sent == []


@pytest.mark.parametrize("path", ["gone.png", "folder", "../outside.png", "link.png"])
def test_what_is_no_file_of_the_repository_never_leaves(workspace: Workspace, path: str) -> None:
    (workspace.root / "folder").mkdir()
    outside = workspace.root.parent / "outside.png"
    outside.write_bytes(DOOR)
    (workspace.root / "link.png").symlink_to(outside)
    [got] = workspace.publish(local(path))

    assert isinstance(got, TransferFailed)
    assert got.final
    assert workspace.sent == []


def test_a_name_that_servers_may_refuse_is_made_plain(workspace: Workspace) -> None:
    (workspace.root / "Tür (1).png").write_bytes(DOOR)
    workspace.publish(local("Tür (1).png"))

    assert workspace.sent[0][0] == "T-r-1-.png"


@pytest.mark.parametrize(("part", "shade"), [("first_frame", 40), ("last_frame", 40)])
def test_a_frame_of_a_clip_is_cut_and_leaves_no_file_behind(workspace: Workspace, part: str, shade: int) -> None:
    workspace.clip = workspace.root / "take-1.mp4"
    workspace.clip.write_bytes(clip(shade))
    material = TakeReference("quay", "first_frame" if part == "first_frame" else "last_frame")

    assert workspace.publish(material, source=attempt()) == ["https://cdn.example.com/1"]
    name, content = workspace.sent[0]
    assert name == f"quay.{part}.png"
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (64, 36)
    assert list((workspace.root / "scratch").iterdir()) == []


def test_a_whole_clip_is_published_as_it_is(workspace: Workspace) -> None:
    workspace.clip = workspace.root / "take-1.mp4"
    workspace.clip.write_bytes(clip())

    assert workspace.publish(TakeReference("quay", "clip"), source=attempt()) == ["https://cdn.example.com/1"]
    assert workspace.sent == [("quay.mp4", clip())]


@pytest.mark.parametrize("source", [None, attempt()])
def test_a_clip_that_is_not_here_is_said(workspace: Workspace, source: Attempt | None) -> None:
    [got] = workspace.publish(TakeReference("quay", "last_frame"), source=source)

    assert isinstance(got, TransferFailed)
    assert "@quay.last_frame" in got.message


def test_a_clip_that_no_longer_decodes_is_said(workspace: Workspace) -> None:
    workspace.clip = workspace.root / "take-1.mp4"
    workspace.clip.write_bytes(clip()[:-100])
    [got] = workspace.publish(TakeReference("quay", "last_frame"), source=attempt())

    assert isinstance(got, TransferFailed)
    assert got.final
