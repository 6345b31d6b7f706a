"""The assembly of one film file: the packets of its pictures are copied where that is possible, else encoded once."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from runner.animatic.fonts import missing_font
from runner.assembly.burn_in import burn_in
from runner.assembly.film_key import FilmKey, comment_of
from runner.assembly.film_pictures import FrameSpan, frames_of
from runner.assembly.film_shape import quick_shape, shape_of
from runner.assembly.film_sound import MIX, even_sound, write_mix
from runner.assembly.packet_copy import check_formats, copy_packets
from runner.assembly.parts import AssembledFilm, Assembly, AssemblyError, CannotCopy, FilmShape
from runner.assembly.sound_track import RATE, SoundTrack
from runner.assembly.sources import SourceFacts, facts_of
from runner.files.reading import reason

if TYPE_CHECKING:
    import av
    from av.container import OutputContainer

Progress = Callable[[Fraction], None]
"""Called with the seconds of film that are written; may raise to stop."""
# x264 calls 23 its default: below it are films to keep, above it films to look at once.
_QUICK = {"preset": "superfast", "crf": "26"}
_GOOD = {"preset": "veryfast", "crf": "19"}


def can_copy(assembly: Assembly) -> bool:
    """Whether the headers of all parts allow to copy packets. Raises AssemblyError."""
    try:
        check_formats(assembly, _sources(assembly))
    except CannotCopy:
        return False
    return True


def assemble(assembly: Assembly, target: BinaryIO, path: Path, progress: Progress) -> AssembledFilm:
    """Write the film to an empty file that is open for reading and writing, and has this path.

    Raises AssemblyError for a part that cannot be read, CannotCopy where only a copy is wanted, OSError when the
    target cannot be written, and whatever `progress` raises; the target is then incomplete.
    """
    if not assembly.parts or assembly.seconds <= 0:
        raise AssemblyError("there is nothing to show")
    sources = _sources(assembly)
    shape = shape_of(assembly, sources)
    notes = _notes(assembly, sources)
    try:
        check_formats(assembly, sources)
        with _output(target, path, FilmKey(assembly.key)) as output:
            seconds = copy_packets(assembly, sources, output, progress)
        return AssembledFilm(seconds, shape, copied=True, notes=notes)
    except CannotCopy as error:
        if assembly.copy_only:
            raise
        # The copy may have begun, and failed at a later clip.
        target.seek(0)
        target.truncate()
        cause = error.reason
    shape = quick_shape(shape) if assembly.quick else shape
    more = _encode(assembly, sources, shape, (target, path), progress)
    return AssembledFilm(assembly.seconds, shape, copied=False, reason=cause, notes=(*notes, *more))


def film_shape(assembly: Assembly) -> FilmShape:
    """Size and rate of the whole film. Raises AssemblyError."""
    return shape_of(assembly, _sources(assembly))


def _sources(assembly: Assembly) -> dict[Path, SourceFacts]:
    paths = dict.fromkeys(part.path for part in assembly.parts if part.kind == "clip" and part.path is not None)
    return {path: facts_of(path) for path in paths}


def _notes(assembly: Assembly, sources: Mapping[Path, SourceFacts]) -> tuple[str, ...]:
    notes = []
    for part in assembly.parts:
        if part.kind == "clip" and part.path is not None:
            lacking = part.end - sources[part.path].seconds
            if lacking > 1 / sources[part.path].video.rate:
                notes.append(f"{part.path.name} is {float(lacking):.1f} s shorter than its time in the film")
    texts = "".join("".join(part.slate_lines) + part.burn_in for part in assembly.parts)
    if texts and (message := missing_font(texts, dict(assembly.environment or ()))) is not None:
        notes.append(message)
    return tuple(dict.fromkeys(notes))


class _NamedFile:
    """A file that was opened below a folder's descriptor, with its path: the muxer reads it again to move the index.

    After the first error it takes everything and keeps nothing: the muxer goes on to its end, and PyAV prints the
    traceback of each error after the first.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.name = str(path)
        self._file = file
        self._is_given_up = False
        self.read, self.tell = file.read, file.tell

    def write(self, content: bytes) -> int:
        """Write; returns the number of bytes. OSError, once."""
        return self._tried(lambda: self._file.write(content), len(content))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place in the file, and return it. OSError, once."""
        return self._tried(lambda: self._file.seek(offset, whence), offset)

    def _tried(self, call: Callable[[], int], otherwise: int) -> int:
        if self._is_given_up:
            return otherwise
        try:
            return call()
        except OSError:
            self._is_given_up = True
            raise


def _output(target: IO[bytes], path: Path, key: FilmKey) -> "OutputContainer":
    import av

    # The index at the front, for players that load the film while they show it; no version of the library in it.
    container = av.open(
        _NamedFile(target, path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
    )
    if key.content:
        container.metadata["comment"] = comment_of(key)
    return container


def _encode(
    assembly: Assembly,
    sources: Mapping[Path, SourceFacts],
    shape: FilmShape,
    target: tuple[BinaryIO, Path],
    progress: Progress,
) -> list[str]:
    """Encode the film, sound first into temporary files; returns notes."""
    with tempfile.TemporaryDirectory(prefix="storyboard-cut-") as name:
        folder = Path(name)
        try:
            with (folder / "mix").open("wb") as mix, (folder / "music").open("wb") as music:
                notes = write_mix(assembly, sources, mix, music)
        except OSError as error:
            message = f"its sound cannot be written into the temporary folder {folder.parent}: {reason(error)}"
            raise AssemblyError(f"{message}; TMPDIR names another") from error
        with (folder / "mix").open("rb") as mix, (folder / "music").open("rb") as music:
            sound = even_sound(mix, music if assembly.music is not None else None, folder)
            with _output(*target, FilmKey(assembly.key, assembly.quick)) as output:
                _write(assembly, (sources, shape), output, sound, progress)
    return notes


def _write(
    assembly: Assembly,
    source: tuple[Mapping[Path, SourceFacts], FilmShape],
    output: "OutputContainer",
    sound: "Iterator[av.AudioFrame]",
    progress: Progress,
) -> None:
    sources, shape = source
    video = _video_stream(output, shape, _QUICK if assembly.quick else _GOOD)
    audio = SoundTrack(output, MIX)
    offset, number = Fraction(0), 0
    for part in assembly.parts:
        # Rounded from the film's beginning: the errors of single parts do not add up.
        end = round((offset + part.seconds) * shape.rate)
        begin = sources[part.path].begin if part.kind == "clip" and part.path is not None else Fraction(0)
        for frame in frames_of(part, shape, FrameSpan(number, end - number, offset, begin), assembly.environment):
            if part.burn_in:
                frame = burn_in(frame, part.burn_in, number, shape, assembly.environment)
            _write_sound(audio, sound, Fraction(number) / shape.rate)
            _write_picture(output, video, frame, number, shape)
            number += 1
            # Half a second of film at 24 pictures a second.
            if number % 12 == 0:
                progress(Fraction(number) / shape.rate)
        offset += part.seconds
    output.mux(video.encode(None))
    # A second beyond the pictures: whatever the filters still hold.
    _write_sound(audio, sound, offset + 1)
    audio.finish()


def _video_stream(output: "OutputContainer", shape: FilmShape, options: Mapping[str, str]) -> "av.VideoStream":
    stream = output.add_stream("libx264", rate=shape.rate, options=dict(options))
    stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / shape.rate
    # A key picture every two seconds: players seek to those.
    context.gop_size = round(shape.rate * 2)
    # 1 is limited range, and BT.709, in the numbers of ffmpeg.
    context.color_range = 1
    context.colorspace = context.color_primaries = context.color_trc = 1
    return stream


def _write_picture(
    output: "OutputContainer", video: "av.VideoStream", frame: "av.VideoFrame", number: int, shape: FilmShape
) -> None:
    frame.pts = number
    frame.time_base = 1 / shape.rate
    # The encoder chooses which pictures are key frames.
    frame.pict_type = 0
    output.mux(video.encode(frame))


def _write_sound(audio: SoundTrack, sound: "Iterator[av.AudioFrame]", until: Fraction) -> None:
    """Encode sound up to a moment of the film."""
    while audio.samples < until * RATE and (frame := next(sound, None)) is not None:
        audio.write((frame,))
