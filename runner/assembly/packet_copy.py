"""Joining of clips by copying their packets: nothing is decoded, nothing loses quality.

Possible where all parts are clips of one format, begin at a key frame and end where no later frame is needed. The
sound follows without a gap: each clip's packets are taken from the nearest one on, so that sound and picture drift by
at most half a packet (11 ms), and the encoder's lead-in (priming) of all clips but the first is left out. What cannot
be left out is the silence with which an encoder fills a clip's last packet: at most one packet of a join is quiet.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from runner.assembly.parts import Assembly, CannotCopy, Part
from runner.assembly.sources import SourceFacts, film_stream, open_source
from runner.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    Packet = av.Packet[Stream]

Progress = Callable[[Fraction], None]
"""Called with the seconds of film that are written; may raise to stop."""
# Seconds of sound that may be missing at a clip's end before a gap would be heard.
_LATE_SOUND = Fraction(1, 20)


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
        ("codec", [other for other in facts if other.video.codec != first.video.codec]),
        ("size", [other for other in facts if other.shown_size != first.shown_size]),
        ("frame rate", [other for other in facts if other.video.rate != first.video.rate]),
        ("encoding", [other for other in facts if other.video != first.video]),
        ("sound format", [other for other in facts if other.audio != first.audio]),
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
        with open_source(part.path) as container:
            joiner = joiner or _joiner(container, output)
            offset += joiner.append(container, _Range.of(part, sources[part.path]), offset)
        progress(offset)
    return offset


@dataclass(frozen=True, slots=True)
class _Range:
    """The used range of a clip in its own seconds; `whole_end` is the clip's length where all of it is used."""

    start: Fraction
    end: Fraction
    to_the_end: bool

    @classmethod
    def of(cls, part: Part, facts: SourceFacts) -> "_Range":
        picture = 1 / facts.video.rate
        if part.end > facts.seconds + picture / 2:
            raise CannotCopy("a clip is shorter than its time in the film")
        to_the_end = part.end > facts.seconds - picture / 2
        return cls(part.start, facts.seconds if to_the_end else part.end, to_the_end)


@dataclass(slots=True)
class _Joiner:
    """The tracks of the film file, and where their last packets end."""

    output: "OutputContainer"
    video: "av.VideoStream"
    audio: "av.AudioStream | None"
    video_base: Fraction
    audio_base: Fraction
    last_dts: int | None = None
    sound_end: Fraction | None = None

    def append(self, container: "InputContainer", used: _Range, offset: Fraction) -> Fraction:
        """Append the used range of a clip at `offset` seconds; returns its seconds. Raises CannotCopy."""
        stream = film_stream(container)
        assert stream is not None
        audio = container.streams.audio[0] if self.audio is not None else None
        pictures = _Pictures(used, _half_picture(stream))
        sound_ended: Fraction | None = None
        end = offset + used.end - used.start
        for packet in container.demux([stream] if audio is None else [stream, audio]):
            if packet.dts is None and packet.pts is None:
                continue
            if packet.stream is stream:
                if packet.is_discard:
                    raise CannotCopy("an edit list hides a part of a clip")
                if pictures.takes(packet):
                    self._write_picture(packet, offset - used.start)
            else:
                sound_ended = self._append_sound(packet, offset - used.start, end)
        pictures.check_end()
        if audio is not None and (sound_ended is None or sound_ended < end - _LATE_SOUND):
            raise CannotCopy("the sound of a clip is shorter than its video")
        return used.end - used.start

    def _write_picture(self, packet: "Packet", shift: Fraction) -> None:
        base = packet.time_base or Fraction(1)
        pts = round(((packet.pts if packet.pts is not None else packet.dts or 0) * base + shift) / self.video_base)
        dts = round(((packet.dts if packet.dts is not None else packet.pts or 0) * base + shift) / self.video_base)
        if self.last_dts is not None and dts <= self.last_dts:
            dts = self.last_dts + 1
        if dts > pts:
            raise CannotCopy("the order of the frames of two clips does not fit")
        packet.duration = round((packet.duration or 0) * base / self.video_base)
        packet.time_base, packet.pts, packet.dts = self.video_base, pts, dts
        self.last_dts = dts
        packet.stream = self.video
        self.output.mux(packet)

    def _append_sound(self, packet: "Packet", shift: Fraction, end: Fraction) -> Fraction | None:
        """Write a packet of sound where it follows the last one; returns where the sound ends by now."""
        assert self.audio is not None
        # The last packet of a clip states what is heard of it; a decoder makes a whole one of it all the same.
        length = Fraction(self.audio.codec_context.frame_size or 1024, self.audio.codec_context.sample_rate)
        at = (packet.pts if packet.pts is not None else packet.dts or 0) * (packet.time_base or Fraction(1)) + shift
        if self.sound_end is None:
            self.sound_end = at
        elif packet.is_discard or at < self.sound_end - length / 2 or self.sound_end > end - length / 2:
            return self.sound_end
        elif at > self.sound_end + length:
            raise CannotCopy("the sound of a clip has a gap")
        pts = round(self.sound_end / self.audio_base)
        self.sound_end += length
        packet.duration = round(length / self.audio_base)
        packet.time_base, packet.pts, packet.dts = self.audio_base, pts, pts
        packet.stream = self.audio
        self.output.mux(packet)
        return self.sound_end


@dataclass(slots=True)
class _Pictures:
    """Choice of the video packets of one used range, in decoding order."""

    used: _Range
    slack: Fraction
    begun: bool = False
    ended: bool = False

    def takes(self, packet: "Packet") -> bool:
        """Whether the packet belongs to the range. Raises CannotCopy where the range needs frames outside."""
        base = packet.time_base or Fraction(1)
        at = (packet.pts if packet.pts is not None else packet.dts or 0) * base
        if at < self.used.start - self.slack:
            return False
        if not self.begun:
            if not packet.is_keyframe or at > self.used.start + self.slack:
                raise CannotCopy("a clip begins between two key frames")
            self.begun = True
        if not self.used.to_the_end and at >= self.used.end - self.slack:
            self.ended = True
            return False
        if self.ended:
            raise CannotCopy("a clip ends between two frames that need each other")
        return True

    def check_end(self) -> None:
        if not self.begun:
            raise CannotCopy("a clip begins between two key frames")


def _joiner(container: "InputContainer", output: "OutputContainer") -> _Joiner:
    """The film's tracks, made after those of its first clip."""
    stream = film_stream(container)
    assert stream is not None
    # Opaque: of AV1 there may be a decoder under a name that no encoder has.
    video = output.add_stream_from_template(stream, opaque=True)
    sound = container.streams.audio[0] if container.streams.audio else None
    audio = output.add_stream_from_template(sound) if sound is not None else None
    return _Joiner(output, video, audio, _base(stream), _base(sound) if sound is not None else Fraction(1))


def _base(stream: "av.VideoStream | av.AudioStream") -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _half_picture(stream: "av.VideoStream") -> Fraction:
    return 1 / Fraction(stream.average_rate or 24) / 2


def _count(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number} {noun}s are"
