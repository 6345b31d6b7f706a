"""Health checks of the media libraries for `doctor`: codecs, picture formats, fonts, libyaml."""

from runner.diagnostics.problem import HealthCheck

_HINT = "install the package again from a wheel: pip install --force-reinstall {name}"
# What clips are encoded with, and what clips and materials may hold.
_ENCODERS = ("libx264", "aac")
_DECODERS = ("h264", "hevc", "aac", "mp3", "flac", "vorbis", "opus", "pcm_s16le")


def libraries() -> list[HealthCheck]:
    """Check PyAV and the codecs that clips need, Pillow with fonts and formats, and PyYAML with libyaml."""
    return [_av(), _pillow(), _libyaml()]


def _av() -> HealthCheck:
    try:
        import av
        from av.codec.codec import UnknownCodecError
    except ImportError as error:
        return HealthCheck("video", "error", f"PyAV cannot be loaded: {error}", _HINT.format(name="av"))
    missing = []
    for name, mode in [*((name, "w") for name in _ENCODERS), *((name, "r") for name in _DECODERS)]:
        try:
            av.Codec(name, "w" if mode == "w" else "r")
        except UnknownCodecError:
            missing.append(name)
    if missing:
        return HealthCheck(
            "video", "error", f"PyAV {av.__version__} has no {', '.join(missing)}", _HINT.format(name="av")
        )
    return HealthCheck("video", "ok", f"PyAV {av.__version__} makes and reads H.264 and AAC")


def _pillow() -> HealthCheck:
    try:
        import PIL
        from PIL import features
    except ImportError as error:
        return HealthCheck("pictures", "error", f"Pillow cannot be loaded: {error}", _HINT.format(name="pillow"))
    missing = [name for name in ("freetype2", "webp", "jpg", "zlib") if not features.check(name)]
    if missing:
        message = f"Pillow {PIL.__version__} was built without {', '.join(missing)}"
        return HealthCheck("pictures", "error", message, _HINT.format(name="pillow"))
    return HealthCheck("pictures", "ok", f"Pillow {PIL.__version__} reads JPEG, PNG and WebP, and sets type")


def _libyaml() -> HealthCheck:
    try:
        from yaml import CLoader
    except ImportError:
        hint = _HINT.format(name="pyyaml")
        return HealthCheck("storyboards", "error", "PyYAML was built without libyaml: no storyboard can be read", hint)
    return HealthCheck("storyboards", "ok", f"PyYAML reads them with libyaml ({CLoader.__name__})")
