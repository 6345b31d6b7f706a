"""Time that the drawing of a clip takes: a formula whose constants were measured with `make bench-animatic`."""

# CPU seconds to compose a scene.
_SETUP = 0.07
# CPU seconds for each second of clip, whatever its size: layers, letters, sound.
_SECOND = 0.02
# CPU seconds for each second of clip and million pixels of its size: scaling and encoding.
_MEGAPIXEL = 0.065


def drawing_seconds(width: int, height: int, seconds: float) -> float:
    """The CPU seconds that a clip of this size and length takes on one core."""
    return _SETUP + seconds * (_SECOND + _MEGAPIXEL * width * height / 1e6)
