"""The grey clips of sandboxes with `plain_clips`, drawn once in a run of the suite and copied from then on."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drawn_once import RESULTS
from tests.prepared import ROOT, program


@contextmanager
def plain_clips(state: Path) -> Iterator[None]:
    """Context manager: a sandbox's state folder has the clips that earlier ones drew; later ones get those it draws."""
    drawn = Path(os.environ[RESULTS]) / "plain"
    _copy(drawn, state / "plain")
    try:
        yield
    finally:
        _copy(state / "plain", drawn)


@contextmanager
def sandbox_process(*flags: str, drawn: bool = False) -> Iterator[str]:
    """Context manager: `storyboard sandbox` on a free port, in a process of its own; its address.

    Its clips are plain unless `drawn`.
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder, plain_clips(Path(folder)):
        reader, writer = os.pipe()
        clips = [] if drawn else ["--plain-clips"]
        words = ["sandbox", "--port", "0", *clips, "--state", folder, *flags]
        with open(os.devnull, "r+") as nothing:
            process = program().start(words, ROOT, os.environ, [nothing.fileno(), writer, nothing.fileno()])
        os.close(writer)
        try:
            with os.fdopen(reader) as output:
                first = output.readline()
                assert first.startswith("sandbox listening on "), first
                yield first.split()[-1]
        finally:
            process.terminate()
            process.wait()


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for clip in source.glob("*.mp4"):
        if not (target / clip.name).exists():
            part = target / f"{clip.name}.{os.getpid()}"
            shutil.copy(clip, part)
            part.replace(target / clip.name)
