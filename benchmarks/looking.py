"""The film to look at: the cut by copying and by encoding, and the contact sheet.

`python -m benchmarks.looking [--shots 300] [--seconds 5] [--only copy|encode|sheet]`. CPU is user and system time of
this process and its children. The floor of the copy is `cat` of the same files, and our own probe of each.
"""

import argparse
import math
import os
import shutil
import subprocess
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
from PIL import Image, ImageChops

from benchmarks.processes import compile_first
from runner.animatic.planes import planes_of
from runner.assembly.assemble import assemble
from runner.assembly.clip_picture import ClipRange
from runner.assembly.parts import AssembledFilm, Assembly, Part
from runner.assembly.posters import PosterRequest, posters, reach
from runner.assembly.sheet import Sheet, SheetCell, poster_width, sheet_jpeg
from runner.media.clip import probe

RATE = Fraction(24)
SOUND_RATE = 48_000
SIZES = {"720p": (1280, 720), "480p": (854, 480)}
ROUNDS = 3


def draw_clip(path: Path, seconds: int, size: tuple[int, int], seed: int) -> Path:
    """A clip with a moving gradient, grain and a tone: about the packets and bits of a real one."""
    grain = Image.effect_noise(size, 12 + seed)
    ramp = Image.linear_gradient("L").resize(size).rotate(seed * 30)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        video = output.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = output.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        for number in range(seconds * int(RATE)):
            luma = Image.blend(ImageChops.offset(ramp, number * 3), ImageChops.offset(grain, number * 5), 0.2)
            frame = planes_of(Image.merge("RGB", (luma, luma, luma))).frame()
            frame.pts, frame.time_base = number, 1 / RATE
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for sound in tone(seconds):
            output.mux(audio.encode(sound))
        output.mux(audio.encode(None))
    return path


def tone(seconds: int) -> Iterator[av.AudioFrame]:
    """A steady tone in pieces of an AAC packet."""
    for at in range(0, seconds * SOUND_RATE, 1024):
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        wave = array("f", [0.2 * math.sin((at + sample) * 0.06) for sample in range(1024)]).tobytes()
        for plane in frame.planes:
            plane.update(wave.ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts = SOUND_RATE, at
        yield frame


def clips(folder: Path, count: int, seconds: int, size: tuple[int, int]) -> list[Path]:
    """`count` clips: six that are drawn, and copies of them."""
    drawn = [draw_clip(folder / f"drawn-{seed}.mp4", seconds, size, seed) for seed in range(min(6, count))]
    return [Path(shutil.copyfile(drawn[at % len(drawn)], folder / f"{at}.mp4")) for at in range(count)]


def cpu(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and wall seconds of some work, children included: the least of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        before, start = os.times(), time.monotonic()
        work()
        after = os.times()
        used = sum(after[:4]) - sum(before[:4])
        rounds.append((used, time.monotonic() - start))
    return min(rounds)


def film(folder: Path, parts: list[Part]) -> AssembledFilm:
    """Assemble parts to a file."""
    target = folder / "cut.mp4"
    with target.open("w+b") as file:
        return assemble(Assembly(tuple(parts)), file, target, lambda seconds: None)


def measure_copy(folder: Path, count: int, seconds: int) -> None:
    """The cut by copying packets, against `cat` and our probe of the same files."""
    paths = clips(folder, count, seconds, SIZES["720p"])
    parts = [Part("clip", Fraction(seconds), path) for path in paths]

    def floor() -> None:
        with (folder / "all").open("wb") as file:
            subprocess.run(["cat", *paths], stdout=file, check=True)
        for path in paths:
            probe(path)

    least, _ = cpu(floor)
    used, wall = cpu(lambda: film(folder, parts))
    assert film(folder, parts).copied
    print(
        f"copy    {count} clips of {seconds} s  {used:6.2f} s CPU, {wall:6.2f} s, {used / least:5.2f} × cat and probe"
    )


def measure_encoding(folder: Path, seconds: int) -> None:
    """The cut by encoding, CPU for each second of film."""
    for name, size in SIZES.items():
        paths = [draw_clip(folder / f"{name}-{seed}.mp4", seconds, size, seed) for seed in range(4)]
        odd = draw_clip(folder / f"{name}-odd.mp4", seconds, (640, 640), 9)
        parts = [Part("clip", Fraction(seconds), path) for path in (*paths, odd)]
        used, wall = cpu(partial(film, folder, parts))
        length = seconds * len(parts)
        print(f"encode  {name}  {used / length:6.3f} s CPU a second, {length / wall:5.1f} × real time")


def measure_sheet(folder: Path, count: int, seconds: int) -> None:
    """The contact sheet without a kept poster."""
    paths = clips(folder, count, seconds, SIZES["720p"])
    width = poster_width(count)

    def draw() -> None:
        span = ClipRange(Fraction(0), Fraction(seconds), reach(count))
        requests = [PosterRequest(path, "", span, width) for path in paths]
        cells = [
            SheetCell(f"SH{at:03d}", f"take 1 · {seconds} s", "", "good", picture=picture)
            for at, picture in enumerate(posters(requests, None))
        ]
        sheet_jpeg(Sheet("The Last Ferry", f"{count} shots", tuple(cells)))

    used, wall = cpu(draw)
    print(f"sheet   {count} shots  {used:6.2f} s CPU, {wall:6.2f} s")


def main() -> None:
    compile_first()
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", choices=["copy", "encode", "sheet"])
    args = parser.parse_args()
    for name, measure in (
        ("copy", partial(measure_copy, count=args.shots, seconds=args.seconds)),
        ("encode", partial(measure_encoding, seconds=args.seconds)),
        ("sheet", partial(measure_sheet, count=args.shots, seconds=args.seconds)),
    ):
        if args.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="storyboard-looking-") as folder:
                measure(Path(folder))


if __name__ == "__main__":
    main()
