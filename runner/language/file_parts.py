"""The part of a local sound or video that an asset names, and the frames of its video."""

from decimal import Decimal

from runner.diagnostics.problem import Problem
from runner.language.asset import Asset
from runner.requests.decimals import decimal_text, exact_decimal
from runner.requests.request import FilePart, Kind, LocalFile, Material, RemoteFile

# Seconds by which a part may go beyond the end of its file: lengths are often written rounded.
_TOLERANCE = Decimal("0.05")


def asset_part(material: LocalFile | RemoteFile, asset: Asset) -> LocalFile | RemoteFile | Problem:
    """An asset's material, cut to its `start` and `seconds`; a Problem when it has no such part."""
    start, seconds = exact_decimal(asset.start), exact_decimal(asset.seconds)
    if isinstance(material, RemoteFile) or material.seconds is None:
        # `seconds` alone is the length of a remote file as the user states it, and cuts nothing.
        return material if start is None else _no_part(material, asset)
    if start is None and seconds is None:
        return material
    begin, length = start or Decimal(0), material.seconds
    end = length if seconds is None else begin + seconds
    if begin > length - _TOLERANCE or end > length + _TOLERANCE:
        return _outside(material.path, asset, begin, end, length)
    is_to_end = end > length - _TOLERANCE
    # The whole file keeps the fingerprint that it has without a part.
    if is_to_end and not begin:
        return material
    # No length where the part goes to the end: with and without `seconds` it is one request, paid once.
    part = FilePart(begin, None if is_to_end else seconds)
    return _cut(material, material.kind, length - begin if is_to_end else seconds, part)


def frame_of_video(material: Material, which: str) -> LocalFile | None:
    """The `first_frame` or `last_frame` of a local video, or of its part; None for every other material."""
    if not isinstance(material, LocalFile) or material.kind != "video":
        return None
    part = material.part or FilePart()
    frame = FilePart(part.start, part.seconds, "first_frame" if which == "first_frame" else "last_frame")
    return _cut(material, "image", None, frame)


def _cut(file: LocalFile, kind: Kind, seconds: Decimal | None, part: FilePart) -> LocalFile:
    return LocalFile(file.path, file.sha256, kind, file.bytes, file.width, file.height, seconds, part)


def _no_part(material: LocalFile | RemoteFile, asset: Asset) -> Problem:
    if isinstance(material, RemoteFile):
        cause, hint = "nobody downloads an address to cut it", "name a copy in the repository, or leave `start` out"
    else:
        cause, hint = "an image has no parts", "leave `start` out"
    return Problem("part-kind", asset.field("start").place(), f"`start` of `{asset.name}` cannot be: {cause}", hint)


def _outside(path: str, asset: Asset, begin: Decimal, end: Decimal, length: Decimal) -> Problem:
    is_start = begin > length - _TOLERANCE
    place = asset.field("start" if is_start else "seconds").place()
    where = f"begins at {begin:f} s" if is_start else f"ends at {end:f} s"
    message = f"the part of `{asset.name}` {where}, but `{path}` has {length:f} s"
    left = decimal_text(length - begin)
    hint = "begin earlier" if is_start else f"write seconds: {left}, or leave `seconds` out: the part goes to the end"
    return Problem("part-outside", place, message, hint)
