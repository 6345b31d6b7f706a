"""Publishing of materials: only planned bytes leave the machine, every content once a run."""

import hashlib
import io
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import anyio
import pytest
from PIL import Image

from runner.attempts.attempt import Attempt
from runner.clock import SystemClock
from runner.engine.ports import Published, TransferFailed
from runner.planning.material_routes import Route
from runner.publish.content import IN_MEMORY_BYTES, ContentReader
from runner.publish.materials import MaterialPublisher
from runner.requests.fetched import NotFetched
from runner.requests.request import FilePart, Kind, LocalFile, Material, RemoteFile, TakeReference
from tests.builders.media_files import colours, film, wav
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

    async def send(self, name: str, content: bytes | Path) -> str | TransferFailed:
        await anyio.lowlevel.checkpoint()
        self.sent.append((name, content if isinstance(content, bytes) else content.read_bytes()))
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


def local(path: str, content: bytes = DOOR, kind: Kind = "image") -> LocalFile:
    return LocalFile(path, hashlib.sha256(content).hexdigest(), kind, len(content))


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


def test_a_part_of_a_sound_is_cut_before_it_is_sent(workspace: Workspace) -> None:
    whole = wav(workspace.root / "score.wav", 4)
    score = local("score.wav", whole.read_bytes(), "audio")
    part = replace(score, part=FilePart(Decimal(1), Decimal("2.5")))

    assert sorted(map(str, workspace.publish(part, score))) == [
        f"https://cdn.example.com/{number}" for number in (1, 2)
    ]
    sizes = sorted(len(content) for _, content in workspace.sent)
    assert sizes[0] == pytest.approx(2.5 * 16_000, abs=200)
    assert sizes[1] == whole.stat().st_size
    assert {name for name, _ in workspace.sent} == {"score.wav"}
    assert list((workspace.root / "scratch").iterdir()) == []


@pytest.mark.parametrize(("frame", "shade"), [("first_frame", 30), ("last_frame", 210)])
def test_a_frame_of_a_video_of_the_repository_is_sent_as_a_picture(
    workspace: Workspace, frame: Literal["first_frame", "last_frame"], shade: int
) -> None:
    video = film(workspace.root / "logo.mp4", colours(24))
    logo = local("logo.mp4", video.read_bytes())

    assert workspace.publish(replace(logo, part=FilePart(frame=frame))) == ["https://cdn.example.com/1"]
    name, content = workspace.sent[0]
    assert name == f"logo.{frame}.png"
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.convert("RGB").getpixel((9, 9)) == pytest.approx((shade, 60, 60), abs=4)


def test_a_part_of_a_file_that_changed_since_it_was_planned_never_leaves(workspace: Workspace) -> None:
    wav(workspace.root / "score.wav", 4)
    part = replace(local("score.wav", b"other", "audio"), part=FilePart(Decimal(1)))
    [failure] = workspace.publish(part)

    assert isinstance(failure, TransferFailed)
    assert "changed" in failure.message
    assert workspace.sent == []
    assert list((workspace.root / "scratch").iterdir()) == []


def test_a_part_that_cannot_be_cut_fails_before_it_is_sent(workspace: Workspace) -> None:
    (workspace.root / "score.mp3").write_bytes(DOOR)
    [failure] = workspace.publish(replace(local("score.mp3", DOOR, "audio"), part=FilePart(Decimal(1))))

    assert isinstance(failure, TransferFailed)
    assert failure.final
    assert failure.message.startswith("score.mp3 (1 s to its end)")
    assert workspace.sent == []


def test_a_large_file_is_sent_from_a_private_copy_that_is_deleted_afterwards(workspace: Workspace) -> None:
    data = bytes(IN_MEMORY_BYTES + 1)
    (workspace.root / "long.wav").write_bytes(data)

    assert workspace.publish(local("long.wav", data, "audio")) == ["https://cdn.example.com/1"]
    assert workspace.sent == [("long.wav", data)]
    assert list((workspace.root / "scratch").iterdir()) == []


def test_a_file_without_an_ending_gets_that_of_its_format(workspace: Workspace) -> None:
    (workspace.root / "door").write_bytes(DOOR)
    workspace.publish(local("door"))

    assert workspace.sent[0][0] == "door.png"
