"""The drawing process: one JSON line in, one JSON line out; it exits at the end of its input."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, TextIO

from runner.animatic.spec import from_json
from runner.sandbox.drawing import plain_clip

# Drawing takes all cores; whoever works beside it comes first.
_NICE = 10


def main() -> None:
    """Serve the parent process until its end of the pipe is closed, even by a kill."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes the pipe
    os.nice(_NICE)
    # Output that a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.excepthook = partial(_report_and_exit, answers)
    jobs: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    while True:
        job = json.loads(jobs.get())
        _answer(answers, {"done": True, **_JOBS[job["job"]](job)})


def _answer(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _report_and_exit(
    answers: TextIO, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Answer with the error and exit; the parent starts another process."""
    _answer(answers, {"done": False, "words": f"{kind.__name__}: {error}"[:2000]})
    # Not `sys.exit`, which waits for the thread that reads the pipe.
    os._exit(1)


def _read_jobs(jobs: SimpleQueue[str]) -> None:
    """Read jobs in a thread, so that the process exits in the middle of a drawing once the pipe is closed."""
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def _draw(job: Mapping[str, Any]) -> dict[str, Any]:
    from runner.animatic.render import render

    with _written_whole(job["target"]) as part:
        render(from_json(job["order"]), part)
    return {}


def _plain(job: Mapping[str, Any]) -> dict[str, Any]:
    spec = from_json(job["order"])
    with _written_whole(job["target"]) as part:
        plain_clip.draw(spec.width, spec.height, spec.seconds, part)
    return {}


@contextmanager
def _written_whole(name: str) -> Iterator[Path]:
    """Context manager: a part file beside the target, renamed when complete."""
    target = Path(name)
    # Two servers of one folder may draw the same clip: each writes its own file.
    part = target.with_name(f"{target.stem}.{os.getpid()}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _measure(job: Mapping[str, Any]) -> dict[str, Any]:
    from runner.media.files import UnsupportedMedia, inspect

    try:
        facts = inspect(Path(job["path"]))
    except UnsupportedMedia as error:
        return {"unfit": error.message}
    return {
        "kind": facts.kind,
        "sha256": facts.sha256,
        "bytes": facts.bytes,
        "seconds": None if facts.seconds is None else float(facts.seconds),
        "width": facts.width,
        "height": facts.height,
    }


def _last_frame(job: Mapping[str, Any]) -> dict[str, Any]:
    import av

    with av.open(job["clip"], "r") as container:
        # Decoded from the beginning: a jump to the end lands at a key frame before it.
        pictures = list(container.decode(video=0))
    with _written_whole(job["target"]) as part:
        pictures[-1].to_image().save(part, format=job["format"])
    return {}


_JOBS = {"draw": _draw, "plain": _plain, "measure": _measure, "last_frame": _last_frame}
