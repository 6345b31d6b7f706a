"""CPU for each GB of a download against `curl` and a hash, memory, and how long the loop waits meanwhile.

`python benchmarks/download.py [--megabytes 512] [--rounds 5] [--gigabytes 20]` prints the table of the docs; with
`--gigabytes` only the memory over so much, in clips of 2 GiB less 1 MiB, four at once. Every side is a process of
its own, they take turns, and a server in another process (sendfile, loopback) gives each the same file. CPU is user
and system time of the side alone; a ratio of two sides in one run says something, the seconds do not.
"""

import argparse
import os
import resource
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.processes import compile_first

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 10
"""Downloads beside which the loop is measured."""


# -- the server -------------------------------------------------------------------------------------------


def serve(path: Path) -> None:
    """Answer every request with the file, and print the port first."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        line, _ = listener.accept()
        threading.Thread(target=_answer, args=(line, path), daemon=True).start()


def _answer(line: socket.socket, path: Path) -> None:
    with line, path.open("rb") as file:
        request = b""
        while b"\r\n\r\n" not in request:
            request += line.recv(65536)
        size = path.stat().st_size
        line.sendall(f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "1"\r\nConnection: close\r\n\r\n'.encode())
        line.sendfile(file)


@contextmanager
def served(path: Path) -> Iterator[str]:
    """The address of the file while the block lasts."""
    command = [sys.executable, __file__, "--serve", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/clip.mp4"
        finally:
            server.kill()


# -- the sides --------------------------------------------------------------------------------------------


def ours(url: str, part: Path) -> None:
    """One download as a run makes it: written, hashed, synced."""
    sys.path.insert(0, str(ROOT))
    from runner.providers.transport.download import Downloaded, Downloader, DownloadLimits

    got = Downloader(local=True, limits=DownloadLimits(max_bytes=1 << 40)).fetch(url, part)
    assert isinstance(got, Downloaded), got


def idle(url: str, part: Path) -> None:
    """What our side costs before its first byte: the interpreter and the imports."""
    sys.path.insert(0, str(ROOT))
    from runner.providers.transport.download import Downloader

    Downloader(local=True)._client(url).close()
    assert part


def delays(url: str, folder: Path) -> None:
    """Print how late a loop wakes, in ms (median, p99, worst), without and beside downloads."""
    sys.path.insert(0, str(ROOT))
    import anyio
    import anyio.to_thread

    from runner.providers.transport.download import Downloader, DownloadLimits

    async def measured(done: anyio.Event) -> list[float]:
        late = []
        while not done.is_set():
            began = time.perf_counter()
            await anyio.sleep(0.005)
            late.append((time.perf_counter() - began - 0.005) * 1000)
        return late

    async def alone() -> list[float]:
        async def pass_by() -> None:
            await anyio.sleep(2.0)
            done.set()

        done, late = anyio.Event(), list[float]()
        async with anyio.create_task_group() as group:
            group.start_soon(pass_by)
            late += await measured(done)
        return late

    async def while_downloading() -> list[float]:
        done, gate, late = anyio.Event(), anyio.CapacityLimiter(4), list[float]()
        fetch = Downloader(local=True, limits=DownloadLimits(max_bytes=1 << 40)).fetch

        async def downloads() -> None:
            async with anyio.create_task_group() as group:
                for number in range(AT_ONCE):
                    target = folder / f"{number}.part"
                    group.start_soon(partial(anyio.to_thread.run_sync, fetch, url, target, limiter=gate))
            done.set()

        async with anyio.create_task_group() as group:
            group.start_soon(downloads)
            late += await measured(done)
        return late

    for late in (anyio.run(alone), anyio.run(while_downloading)):
        late.sort()
        print(f"{statistics.median(late):.2f} {late[int(len(late) * 0.99)]:.2f} {late[-1]:.2f}")


def many(url: str, folder: Path, clips: int) -> None:
    """Download so many clips, four at once, and print the most memory (kB) held by then after each."""
    sys.path.insert(0, str(ROOT))
    from concurrent.futures import ThreadPoolExecutor

    from runner.providers.transport.download import Downloaded, Downloader

    fetch = Downloader(local=True).fetch

    def download(number: int) -> None:
        part = folder / f"{number}.part"
        downloaded = fetch(url, part)
        assert isinstance(downloaded, Downloaded), downloaded
        part.unlink()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(download, number) for number in range(clips)]:
            done.result()


def flat(gigabytes: int) -> None:
    """Memory over many large clips; the disk needs room for four of them."""
    size = (2 << 30) - (1 << 20)
    clips = max(1, round(gigabytes * 1e9 / size))
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "clip.mp4"
        with source.open("wb") as file:
            file.truncate(size)  # zeros, without blocks on the disk
        with served(source) as url:
            command = [sys.executable, __file__, "--many", url, name, str(clips)]
            peaks = [int(line) / 1024 for line in subprocess.check_output(command, text=True).split()]
    print(f"{clips} clips, {clips * size / 1e9:.1f} GB: {peaks[0]:.0f} MB after the first, {peaks[-1]:.0f} at the end")


# -- measuring --------------------------------------------------------------------------------------------


def measured(command: list[str]) -> tuple[float, float, int]:
    """Seconds of CPU, seconds by the clock, and the peak of memory (kB) of one process and its children."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    watch = subprocess.Popen([sys.executable, __file__, "--watch", *command], stdout=subprocess.PIPE, text=True)
    out, _ = watch.communicate()
    assert watch.returncode == 0, command
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, peak = map(float, out.split())
    assert after.ru_utime >= before.ru_utime
    return cpu, took, int(peak)


def watch(command: list[str]) -> None:
    """Run a command, and print CPU seconds and peak kB of it alone."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss)


def main(megabytes: int, rounds: int) -> None:
    """Both sides in turn; the table goes to standard output."""
    compile_first()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "clip.mp4"
        with source.open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1 << 20))
        with served(source) as url:
            sides = _sides(url, folder)
            measured_runs: dict[str, list[tuple[float, float, int]]] = {side: [] for side in sides}
            for _ in range(rounds):
                for side, command in sides.items():
                    measured_runs[side].append(measured(command))
            _table(measured_runs, megabytes / 1024)
            small = folder / "small.mp4"
            small.write_bytes(os.urandom(64 << 20))
            with served(small) as other:
                late = subprocess.run(
                    [sys.executable, __file__, "--delays", other, name], check=True, capture_output=True, text=True
                ).stdout.splitlines()
    print(f"\nThe loop wakes late by (ms: median, p99, worst): alone {late[0]}; beside {AT_ONCE} downloads {late[1]}")


def _sides(url: str, folder: Path) -> dict[str, list[str]]:
    target = shlex.quote(str(folder / "peer.mp4"))
    peer = f"curl -sS -o {target} {shlex.quote(url)} && {{}} {target} && sync {target}"
    return {
        "curl, sha256sum, sync": ["sh", "-c", peer.format("sha256sum")],
        "curl, openssl sha256, sync": ["sh", "-c", peer.format("openssl dgst -sha256")],
        "storyboard": [sys.executable, __file__, "--ours", url, str(folder / "ours.part")],
        "storyboard, nothing fetched": [sys.executable, __file__, "--idle", url, str(folder / "none.part")],
    }


def _table(measured_runs: dict[str, list[tuple[float, float, int]]], gigabytes: float) -> None:
    idle_cpu = min(cpu for cpu, _, _ in measured_runs["storyboard, nothing fetched"])
    floor = min(cpu for cpu, _, _ in measured_runs["curl, openssl sha256, sync"]) / gigabytes
    print("| side | CPU s for each GB, least | median | × peer | peak MB |\n|---|---|---|---|---|")
    for side, runs in measured_runs.items():
        start = idle_cpu if side == "storyboard" else 0.0
        costs = sorted((cpu - start) / gigabytes for cpu, _, _ in runs)
        peak = max(peak for _, _, peak in runs) / 1024
        share = f"{costs[0] / floor:.2f}" if side != "storyboard, nothing fetched" else ""
        print(f"| {side} | {costs[0]:.2f} | {statistics.median(costs):.2f} | {share} | {peak:.0f} |")
    print(f"\n(the start of the interpreter and its imports, {idle_cpu:.2f} s of CPU, is taken off our side)")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve", path]:
            serve(Path(path))
        case ["--ours", url, path]:
            ours(url, Path(path))
        case ["--idle", url, path]:
            idle(url, Path(path))
        case ["--delays", url, path]:
            delays(url, Path(path))
        case ["--many", url, path, clips]:
            many(url, Path(path), int(clips))
        case ["--watch", *command]:
            watch(command)
        case _:
            parser = argparse.ArgumentParser(description=__doc__)
            parser.add_argument("--megabytes", type=int, default=512)
            parser.add_argument("--rounds", type=int, default=5)
            parser.add_argument("--gigabytes", type=int)
            args = parser.parse_args()
            if args.gigabytes:
                flat(args.gigabytes)
                sys.exit()
            main(args.megabytes, args.rounds)
