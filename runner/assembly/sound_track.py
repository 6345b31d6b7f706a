"""The film's track of sound: AAC, encoded from its first to its last sample in one go, so that no join is heard.

A packet of AAC holds 1,024 samples, and a clip ends within one. Copied packets would be silent for what the encoder
filled each clip's last packet with, and shift the sound against the picture by up to half a packet.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from runner.assembly.clip_sound import SoundForm
from runner.assembly.sources import AudioFormat

if TYPE_CHECKING:
    import av
    from av.container import OutputContainer

RATE = 48_000
_PACKET = 1024
"""Samples of a packet."""
_BIT_RATE, _MOST_BITS = 96_000, 160_000
"""Bits a second and channel: at least, and at most where the clips have more."""
_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)
# The layouts that stay as they are; any other is mixed to two channels.
_CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6}
_OPTIONS = {"aac_coder": "fast"}
"""At these bit rates nearer to the source than the default one, in a third of its time."""


def form_of(formats: Iterable[AudioFormat]) -> SoundForm:
    """The form that all have, else 48 kHz and two channels."""
    rates = {audio.rate for audio in formats}
    layouts = {audio.layout for audio in formats}
    rate, layout = min(rates, default=RATE), min(layouts, default="stereo")
    return SoundForm(
        rate if len(rates) == 1 and rate in _RATES else RATE,
        layout if len(layouts) == 1 and layout in _CHANNELS else "stereo",
    )


class SoundTrack:
    """A track of a film file that takes samples in any portions."""

    def __init__(self, output: "OutputContainer", form: SoundForm, source_bit_rate: int = 0) -> None:
        import av

        channels = _CHANNELS[form.layout]
        self.form = form
        self.samples = 0
        self._output = output
        self._stream = output.add_stream("aac", rate=form.rate, layout=form.layout, options=dict(_OPTIONS))
        self._stream.bit_rate = max(_BIT_RATE * channels, min(source_bit_rate, _MOST_BITS * channels))
        self._base = Fraction(1, form.rate)
        self._queue = av.AudioFifo()

    def write(self, frames: Iterable["av.AudioFrame"]) -> None:
        """Append samples in the form of the track."""
        for frame in frames:
            self.samples += frame.samples
            # The queue counts the time itself.
            frame.pts, frame.time_base = None, self._base
            self._queue.write(frame)
            for piece in self._queue.read_many(_PACKET):
                self._output.mux(self._stream.encode(piece))

    def finish(self) -> None:
        """Write what is left: the last packet is filled with silence."""
        last = self._queue.read()
        if last is not None:
            self._output.mux(self._stream.encode(last))
        self._output.mux(self._stream.encode(None))
