"""Joining of clips by copying the packets of their pictures: those are not decoded, and lose no quality.

Possible where all parts are clips of one format, begin at a key frame and end where no later frame is needed. Their
sound is decoded and encoded anew as one track, at its own level: packets of sound could neither end nor begin with a
picture. Each sample stands where the pictures have it, so that a join is not heard and sound does not drift.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import ceil, floor, lcm
from pathlib import Path
from typing import TYPE_CHECKING, cast

from runner.assembly.clip_sound import ClipSound, SoundForm, SoundRange
from runner.assembly.parts import Assembly, CannotCopy, Part
from runner.assembly.sound_track import SoundTrack, form_of
from runner.assembly.sources import SourceFacts, film_stream, open_source
from runner.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    Packet = av.Packet[Stream]

Progress = Callable[[Fraction], None]
"""Called with the seconds of film that are written; may raise to stop."""


def check_formats(assembly: Assembly, sources: Mapping[Path, SourceFacts]) -> None:
    """Raise CannotCopy unless headers alone allow to copy: only clips, of one format, at their own level."""
    if assembly.music is not None:
        raise CannotCopy("music lies under it")
    if any(part.burn_in for part in assembly.parts):
        raise CannotCopy("names are burnt in")
    others = [part for part in assembly.parts if part.kind != "clip"]
    if others or not assembly.parts:
        slates = sum(part.kind == "slate" for part in others)
        raise CannotCopy(f"{_count(slates, 'slate')} in it" if slates else "a picture is shown in it")
    if any(part.level for part in assembly.parts):
        raise CannotCopy("a level is changed")
    facts = [sources[part.path] for part in assembly.parts if part.path is not None]
    first = facts[0]
    for what, differing in (
        # The most telling reason first: clips of another size have another encoding, too.
        ("codec", [other for other in facts if other.video.codec != first.video.codec]),
        ("size", [other for other in facts if other.shown_size != first.shown_size]),
        ("frame rate", [other for other in facts if other.video.rate != first.video.rate]),
        ("encoding", [other for other in facts if other.video != first.video]),
    ):
        if differing:
            raise CannotCopy(f"{_count(len(differing), 'clip')} of another {what}")


def copy_packets(
    assembly: Assembly, sources: Mapping[Path, SourceFacts], output: "OutputContainer", progress: Progress
) -> Fraction:
    """Write all parts to a container, and return the film's seconds. Raises CannotCopy, AssemblyError."""
    joiner: _Joiner | None = None
    offset = Fraction(0)
    for part in assembly.parts:
        assert part.path is not None
        used = _Range.of(part, sources[part.path])
        with open_source(part.path) as container:
            joiner = joiner or _joiner(container, output, sources.values())
            joiner.append(container, used, offset)
        offset += used.end - used.start
        progress(offset)
    if joiner is not None and joiner.sound is not None:
        joiner.sound.finish()
    return offset


@dataclass(frozen=True, slots=True)
class _Range:
    """The used range of a clip, and the whole clip, in the seconds of its file."""

    start: Fraction
    end: Fraction
    to_the_end: bool
    file_begin: Fraction
    file_end: Fraction
    half_picture: Fraction

    @classmethod
    def of(cls, part: Part, facts: SourceFacts) -> "_Range":
        picture = 1 / facts.video.rate
        # An encoded film holds the last frame as long as it takes; a copy has only what the file has.
        if part.end > facts.seconds + picture / 2:
            raise CannotCopy("a clip is shorter than its time in the film")
        # Half a picture is no difference: the edit counts in decimal seconds, and a file in whole pictures.
        to_the_end = part.end > facts.seconds - picture / 2
        begin, end = facts.begin, facts.begin + facts.seconds
        return cls(begin + part.start, end if to_the_end else begin + part.end, to_the_end, begin, end, picture / 2)

    def sound(self, form: SoundForm, offset: Fraction) -> SoundRange:
        """The range of the sound below it: whole samples, counted from the film's beginning."""
        # The difference of two rounded moments: rounded lengths would add up, and sound would drift.
        samples = round((offset + self.end - self.start) * form.rate) - round(offset * form.rate)
        return SoundRange(self.start, samples, self.file_begin, self.file_end)


@dataclass(frozen=True, slots=True)
class _Clock:
    """The used range in ticks of the clip's pictures, and the way from there to ticks of the film's.

    Whole numbers: fractions for each packet took as long as all the rest of a copy.
    """

    file_begin: int
    from_tick: int
    """The first tick of the range."""
    last_begin: int
    """The last tick at which the range's first picture may be shown."""
    end_tick: int
    """The first tick behind the range."""
    scale: tuple[int, int, int]
    """The film's tick at a tick t of the clip is (a · t + b) / c."""

    @classmethod
    def of(cls, used: _Range, offset: Fraction, base: Fraction, film_base: Fraction) -> "_Clock":
        """The clock of a clip with this time base whose used range begins at `offset` seconds of the film."""
        ticks, shift = base / film_base, (offset - used.start) / film_base
        whole = lcm(ticks.denominator, shift.denominator)
        return cls(
            round(used.file_begin / base),
            ceil((used.start - used.half_picture) / base),
            floor((used.start + used.half_picture) / base),
            ceil((used.end - used.half_picture) / base),
            (int(ticks * whole), int(shift * whole), whole),
        )

    def shown_at(self, packet: "Packet") -> int:
        """The tick at which a packet of pictures is shown: the first one is not shown before the clip begins."""
        return max(self.file_begin, packet.pts if packet.pts is not None else packet.dts or 0)

    def in_film(self, tick: int) -> int:
        """The film's tick at a tick of the clip."""
        a, b, c = self.scale
        return (2 * (a * tick + b) + c) // (2 * c)

    def film_ticks(self, ticks: int) -> int:
        """A duration in ticks of the film."""
        a, _, c = self.scale
        return (2 * a * ticks + c) // (2 * c)


@dataclass(slots=True)
class _Joiner:
    """The tracks of the film file, and where the last packet of its pictures stands."""

    output: "OutputContainer"
    video: "av.VideoStream"
    video_base: Fraction
    sound: SoundTrack | None
    last_dts: int | None = None

    def append(self, container: "InputContainer", used: _Range, offset: Fraction) -> None:
        """Append the used range of a clip at `offset` seconds. Raises CannotCopy."""
        stream = film_stream(container)
        assert stream is not None
        clock = _Clock.of(used, offset, stream.time_base or Fraction(1), self.video_base)
        pictures = _Pictures(clock, used.to_the_end)
        sound = None if self.sound is None else ClipSound(self.sound.form, used.sound(self.sound.form, offset))
        # The first track of sound is the one whose rate and channels the film follows.
        heard = container.streams.audio[:1] if sound is not None else ()
        for packet in container.demux([stream, *(track for track in heard if track.codec_context is not None)]):
            if packet.stream is not stream:
                self._write_sound(sound.feed(cast("av.Packet[av.AudioStream]", packet)) if sound is not None else ())
            elif packet.dts is not None or packet.pts is not None:
                # Copied, it would be shown: the edit list of a clip does not come along.
                if packet.is_discard:
                    raise CannotCopy("an edit list hides a part of a clip")
                if pictures.takes(packet):
                    self._write_picture(packet, clock)
        pictures.check_end()
        self._write_sound(sound.end() if sound is not None else ())

    def _write_picture(self, packet: "Packet", clock: _Clock) -> None:
        pts = clock.in_film(clock.shown_at(packet))
        dts = clock.in_film(packet.dts if packet.dts is not None else packet.pts or 0)
        # The muxer refuses a decoding time that does not grow; a tick later changes no picture.
        if self.last_dts is not None and dts <= self.last_dts:
            dts = self.last_dts + 1
        # No player can show a picture before it is decoded.
        if dts > pts:
            raise CannotCopy("the order of the frames of two clips does not fit")
        packet.duration = clock.film_ticks(packet.duration or 0)
        packet.time_base, packet.pts, packet.dts = self.video_base, pts, dts
        self.last_dts = dts
        packet.stream = self.video
        self.output.mux(packet)

    def _write_sound(self, frames: Iterable["av.AudioFrame"]) -> None:
        if self.sound is not None:
            self.sound.write(frames)


@dataclass(slots=True)
class _Pictures:
    """Choice of the video packets of one used range, in decoding order."""

    clock: _Clock
    to_the_end: bool
    begun: bool = False
    ended: bool = False

    def takes(self, packet: "Packet") -> bool:
        """Whether the packet belongs to the range. Raises CannotCopy where the range needs frames outside."""
        at = self.clock.shown_at(packet)
        if at < self.clock.from_tick:
            return False
        if not self.begun:
            # All pictures up to the next key frame need one that would be missing.
            if not packet.is_keyframe or at > self.clock.last_begin:
                raise CannotCopy("a clip begins between two key frames")
            self.begun = True
        if not self.to_the_end and at >= self.clock.end_tick:
            self.ended = True
            return False
        if self.ended:
            raise CannotCopy("a clip ends between two frames that need each other")
        return True

    def check_end(self) -> None:
        if not self.begun:
            raise CannotCopy("a clip begins between two key frames")


def _joiner(container: "InputContainer", output: "OutputContainer", facts: Iterable[SourceFacts]) -> _Joiner:
    """The film's tracks: the pictures' after that of its first clip, one for sound where any clip has some."""
    stream = film_stream(container)
    assert stream is not None
    # Opaque: of AV1 there may be a decoder under a name that no encoder has.
    video = output.add_stream_from_template(stream, opaque=True)
    formats = [source.audio for source in facts if source.audio is not None]
    most_bits = max((audio.bit_rate for audio in formats), default=0)
    sound = SoundTrack(output, form_of(formats), most_bits) if formats else None
    return _Joiner(output, video, stream.time_base or Fraction(1, 90_000), sound)


def _count(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number} {noun}s are"
