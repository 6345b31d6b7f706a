"""The text of a shot list's bytes: UTF-8, UTF-16, else the Latin-1 that spreadsheets call Windows-1252. Pure."""

import codecs

from runner.diagnostics.failures import ShotListUnusable

# The first bytes of .xlsx, .ods and .docx, then those of .xls and .doc.
_ARCHIVE = b"PK\x03\x04"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
# UTF-8's mark needs a codec of its own to go away; UTF-16's takes it off.
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(data: bytes) -> tuple[str, str]:
    """The text of a file, and a remark about its encoding where that is a guess. Raises ShotListUnusable."""
    if data.startswith((_ARCHIVE, _COMPOUND_FILE)):
        raise ShotListUnusable("is a spreadsheet or document file, not text: save it as CSV (UTF-8)")
    text, remark = _decoded(data)
    if "\0" in text:
        raise ShotListUnusable("is not a text file: it has bytes of value 0")
    if not text.strip():
        raise ShotListUnusable("is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n"), remark


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None) or _utf16(data) or "utf-8"
    try:
        return data.decode(encoding), ""
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise ShotListUnusable(f"begins as {encoding.upper()} and is not: save it as UTF-8") from None
        line = data.count(b"\n", 0, error.start) + 1
    try:
        # What Excel writes where nobody chose UTF-8. Nearly all bytes mean something in it, so it is tried last.
        return data.decode("cp1252"), f"line {line} is not UTF-8: the file was read as Windows-1252 (Latin-1)"
    except UnicodeDecodeError:
        message = f"line {line} is neither UTF-8, UTF-16 nor Windows-1252 (Latin-1): save the file as UTF-8"
        raise ShotListUnusable(message) from None


def _utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte of western text is 0."""
    head = data[:2000]
    odd, even = head[1::2].count(0), head[::2].count(0)
    # Not every one: dashes, quotes and accents beyond Latin-1 have two.
    if max(odd, even) < max(len(head) // 2 * 0.7, 2) or min(odd, even) > 0:
        return None
    return "utf-16-le" if odd else "utf-16-be"
