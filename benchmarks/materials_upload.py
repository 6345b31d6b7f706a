"""Materials on their way to a store: 200 files of 5 MB against `rclone copy`, and one portrait of 80 shots.

The server is `rclone serve s3` on loopback, for both sides. The sending side is a process of its own, so that its
memory is measured alone: its peak above the moment before the first file.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import compile_first
from runner.attempts.attempt import Attempt
from runner.clock import SystemClock
from runner.engine.ports import Published, TransferFailed
from runner.planning.material_routes import Route, Way
from runner.publish.content import ContentReader
from runner.publish.materials import MaterialPublisher
from runner.publish.object_store import ObjectStore
from runner.requests.fetched import Fetched, NotFetched
from runner.requests.request import LocalFile
from tests.publish.servers import BUCKET, KEY_ID, S3, SECRET, s3_server
from tests.requirements import rclone

IN_FLIGHT = 8
"""What the engine publishes at once."""


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--send", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send is not None:
        anyio.run(_send_all, arguments.send)
        return
    with tempfile.TemporaryDirectory() as folder:
        _one_portrait(Path(folder))
        _many_files(Path(folder), arguments.files, int(arguments.megabytes * 1e6), arguments.rounds)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


# -- one portrait -------------------------------------------------------------------------------------------


def _one_portrait(folder: Path) -> None:
    """80 shots with one portrait, three runs each on two machines: uploads of a run, objects in the store."""
    with s3_server(folder / "portrait") as server:
        uploads = []
        for machine in ("first", "second"):
            root = folder / machine
            root.mkdir()
            portrait = _file(root, "maria.png", 200_000, 7)
            for _ in range(3):
                sender = _Sender(root, None)
                anyio.run(sender.send, [portrait] * 80)
                uploads.append(sender.uploads)
                stored = _Sender(root, server)
                anyio.run(stored.send, [portrait] * 80)
        print(
            f"80 shots, one portrait: {max(uploads)} upload a run; store: {len(server.objects())} object after 6 runs"
        )


# -- many files ---------------------------------------------------------------------------------------------


def _many_files(folder: Path, count: int, size: int, rounds: int) -> None:
    root = folder / "many"
    (root / "refs").mkdir(parents=True)
    files = [_file(root / "refs", f"{number}.bin", size, number) for number in range(count)]
    ours, theirs, memory, peaks = [], [], [], []
    for number in range(rounds):
        with s3_server(folder / f"server-{number}") as server:
            theirs.append(_rclone_copy(root / "refs", server))
        shutil.rmtree(folder / f"server-{number}")
        with s3_server(folder / f"server-{number}") as server:
            seconds, megabytes, peak = _ours(root, server, files)
            assert len(server.objects()) == count
        shutil.rmtree(folder / f"server-{number}")
        ours.append(seconds)
        memory.append(megabytes)
        peaks.append(peak)
    ratio = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    print(f"{count} files of {size / 1e6:g} MB: {min(ours):.1f} s, rclone copy {min(theirs):.1f} s")
    print(f"  {statistics.median(ratio):.2f} × rclone copy (median of {rounds}; {min(ratio):.2f} to {max(ratio):.2f})")
    print(f"  at most {max(peaks)} in flight, {max(memory):.0f} MB of memory")


def _rclone_copy(folder: Path, server: S3) -> float:
    remote = (
        f":s3,provider=Other,access_key_id={KEY_ID},secret_access_key={SECRET},endpoint='{server.endpoint}':{BUCKET}"
    )
    started = time.monotonic()
    words = [rclone(), "copy", str(folder), remote, "--transfers", str(IN_FLIGHT), "--config", os.devnull]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def _ours(root: Path, server: S3, files: list[LocalFile]) -> tuple[float, float, int]:
    """Seconds, megabytes above the start, and the most files in flight, of a process that sends all files."""
    order = root / "order.json"
    order.write_text(
        json.dumps(
            {
                "root": str(root / "refs"),
                "endpoint": server.endpoint,
                "folder": str(server.folder),
                "files": [[file.path, file.sha256, file.bytes] for file in files],
            }
        )
    )
    words = [sys.executable, "-m", "benchmarks.materials_upload", "--send", str(order)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds, megabytes, peak = json.loads(done.stdout)
    return seconds, megabytes, peak


async def _send_all(order: Path) -> None:
    facts = json.loads(order.read_text())
    server = S3(facts["endpoint"], Path(facts["folder"]))
    files = [LocalFile(path, sha256, "image", size) for path, sha256, size in facts["files"]]
    sender = _Sender(Path(facts["root"]), server)
    await sender.send([_file(order.parent, "first.bin", 10, -1)], order.parent)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    await sender.send(files)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (server.folder / BUCKET / sender.first_key).unlink()
    print(json.dumps([seconds, (after - before) / 1024, sender.peak]))


class _Sender:
    """The sender of materials as a run publishes them, so many at once; mutable: what it counts."""

    def __init__(self, root: Path, server: S3 | None) -> None:
        self.root, self.server = root, server
        self.uploads = self.in_flight = self.peak = 0
        self.first_key = ""

    async def send(self, files: list[LocalFile], root: Path | None = None) -> None:
        """Publish all of these files of a repository."""
        publisher, limiter = self._publisher(root or self.root), anyio.CapacityLimiter(IN_FLIGHT)

        async def publish(file: LocalFile) -> None:
            async with limiter:
                self.in_flight += 1
                self.peak = max(self.peak, self.in_flight)
                result = await publisher.publish(file, None)
                self.in_flight -= 1
            assert isinstance(result, Published), result
            self.first_key = self.first_key or result.address.removeprefix("object:")

        async with anyio.create_task_group() as group:
            for file in files:
                group.start_soon(publish, file)

    def _publisher(self, root: Path) -> MaterialPublisher:
        server, clock = self.server, SystemClock()
        store = None
        if server is not None:
            store = ObjectStore(f"s3://{BUCKET}", None, server.environment, root, clock, timedelta(hours=1))
        way: Way = "store" if store is not None else "upload"
        return MaterialPublisher(
            ContentReader(root, root.parent / "scratch", lambda attempt: None),
            lambda material: Route(material, (way,), ""),
            self._upload, _nothing_fetched, _no_media, clock, store, check=False,
        )  # fmt: skip

    async def _upload(self, name: str, body: bytes | Path) -> str | TransferFailed:
        self.uploads += 1
        return f"https://uploads.example/{self.uploads}"


async def _nothing_fetched(address: str, most: int) -> Fetched | NotFetched:
    return NotFetched("")


async def _no_media(attempt: Attempt) -> None:
    return None


def _file(folder: Path, name: str, size: int, seed: int) -> LocalFile:
    block = hashlib.sha512(str(seed).encode()).digest()
    data = (block * (size // len(block) + 1))[:size]
    (folder / name).write_bytes(data)
    return LocalFile(name, hashlib.sha256(data).hexdigest(), "image", size)


if __name__ == "__main__":
    main()
