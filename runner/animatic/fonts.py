"""Which font draws which text: Pillow's own, then what fontconfig or the usual folders offer for other scripts."""

import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from runner.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts")
_LIKELY = (
    "NotoSans-Regular",
    "DejaVuSans",
    "NotoSansCJK-Regular",
    "PingFang",
    "Hiragino Sans GB",
    "AppleSDGothicNeo",
    "Arial Unicode",
    "NotoSansArabic-Regular",
    "NotoSansHebrew-Regular",
    "NotoSansDevanagari-Regular",
    "NotoSansThai-Regular",
)
_PROBE = 20
"""Pixels at which a glyph is compared with the font's sign for "I have none"."""


@dataclass(frozen=True, slots=True)
class Face:
    """A font file; the empty path is the font that comes with Pillow."""

    path: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class FontRun:
    """A piece of a line that one face draws."""

    text: str
    face: Face


_OWN = Face()


@lru_cache(maxsize=64)
def font(face: Face, size: int) -> "FreeTypeFont":
    """The face at a height in pixels."""
    from PIL import ImageFont

    if face == _OWN:
        own = ImageFont.load_default(size=size)
        if not isinstance(own, ImageFont.FreeTypeFont):
            raise TypeError("this Pillow was built without FreeType; install it from a wheel")
        return own
    return ImageFont.truetype(face.path, size, index=face.index)


Faces = tuple[Face, ...]
"""The faces that a text is set in, best first."""


@lru_cache(maxsize=256)
def faces_of(text: str) -> Faces:
    """One face that has every sign of the text, if there is one; else all that are needed for it.

    It depends on the text alone, not on what was drawn before, so that the same text always looks the same.
    """
    signs = [char for char in dict.fromkeys(text) if _drawn(char)]
    faces = list(_base())
    for char in signs:
        if not any(_covers(face, char) for face in faces) and (found := _face_of(char)) is not None:
            faces.append(found)
    whole = next((face for face in faces if all(_covers(face, char) for char in signs)), None)
    return (whole,) if whole is not None else tuple(faces)


def runs(text: str, faces: Faces) -> list[FontRun]:
    """The text cut where the face changes, between words where that is possible."""
    if len(faces) == 1:
        return [FontRun(text, faces[0])] if text else []
    out: list[FontRun] = []
    for piece in _pieces(text):
        parts = [piece] if _first(piece, faces) else list(piece)
        for part in parts:
            face = _first(part, faces) or (out[-1].face if out else faces[0])
            if out and (out[-1].face == face or not part.strip()):
                out[-1] = FontRun(out[-1].text + part, out[-1].face)
            else:
                out.append(FontRun(part, face))
    return out


def _first(text: str, faces: Faces) -> Face | None:
    return next((face for face in faces if all(_covers(face, char) for char in text if _drawn(char))), None)


def missing_font(text: str) -> str | None:
    """None when every sign of the text can be drawn here, else which signs cannot, and what to install."""
    bare = [char for char in dict.fromkeys(text) if _drawn(char) and _first(char, faces_of(text)) is None]
    if not bare:
        return None
    script, package = _script(bare[0])
    signs = " ".join(bare[:3]) + (" …" if len(bare) > 3 else "")
    return f"no font on this machine draws {signs} ({script}); install {package}"


def _pieces(text: str) -> Iterator[str]:
    """Words with the white space after them; each sign by itself where words have no blanks between them."""
    start = 0
    for at in range(1, len(text)):
        wide = ideographic(text[at]) or ideographic(text[at - 1])
        if wide or (text[at - 1].isspace() and not text[at].isspace()):
            yield text[start:at]
            start = at
    if start < len(text):
        yield text[start:]


def ideographic(char: str) -> bool:
    """A sign after which a line may be broken: Chinese, Japanese, Korean, full width."""
    return char >= "\u2e80" and unicodedata.east_asian_width(char) in "WF"


@cache
def _base() -> Faces:
    """Pillow's own face, and what the machine takes for plain text."""
    plain = _ask("sans:lang=en")
    return (_OWN,) if plain is None else (_OWN, plain)


@lru_cache(maxsize=4_000)
def _face_of(char: str) -> Face | None:
    found = _ask(_hint(char))
    return found if found and _covers(found, char) else None


def _hint(char: str) -> str:
    name = unicodedata.name(char, "")
    language = "ja" if name.startswith(("HIRAGANA", "KATAKANA")) else "ko" if name.startswith("HANGUL") else ""
    if name.startswith("CJK"):
        language = "zh-cn"
    return f"sans:charset={ord(char):x}" + (f":lang={language}" if language else "")


@cache
def _ask(pattern: str) -> Face | None:
    """What fontconfig would take; without it, a likely file of the usual folders that has the sign asked for."""
    program = shutil.which("fc-match")
    if program is None:
        return _search(pattern)
    try:
        asked = subprocess.run(
            [program, "-f", "%{file}\t%{index}", pattern], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return _search(pattern)
    path, _, index = asked.stdout.partition("\t")
    face = Face(path, int(index) if index.isdigit() else 0)
    return face if _opens(face) else None


def _search(pattern: str) -> Face | None:
    sign = pattern.partition("charset=")[2].partition(":")[0]
    for face in _shelf():
        if not sign or _covers(face, chr(int(sign, 16))):
            return face
    return None


@cache
def _shelf() -> list[Face]:
    files = [
        path
        for folder in _FOLDERS
        for path in sorted(Path(folder).rglob("*"))
        if path.suffix.lower() in (".ttf", ".otf", ".ttc") and path.stem.startswith(_LIKELY)
    ]
    # The shortest of the names is the plain cut: DejaVuSans before DejaVuSans-Bold.
    files.sort(
        key=lambda path: (next(at for at, name in enumerate(_LIKELY) if path.stem.startswith(name)), len(path.stem))
    )
    return [face for path in files if _opens(face := Face(str(path)))]


def _opens(face: Face) -> bool:
    try:
        font(face, _PROBE)
    except (OSError, ValueError):
        return False
    return True


@lru_cache(maxsize=20_000)
def _covers(face: Face, char: str) -> bool:
    glyph = _glyph(face, char)
    return glyph != _glyph(face, "\uffff") and glyph != _glyph(face, "\U0010fffe")


@lru_cache(maxsize=20_000)
def _glyph(face: Face, char: str) -> bytes:
    mask = font(face, _PROBE).getmask(char, mode="L")
    return repr(mask.size).encode() + bytes(mask)


def _drawn(char: str) -> bool:
    """Whether a sign shows by itself: no white space, no marks that join others, no controls."""
    return unicodedata.category(char)[0] not in "CMZ" and char != "\ufffd"


def _script(char: str) -> tuple[str, str]:
    """The script's name for people, and the package that draws it on Debian, Fedora and Arch."""
    name = unicodedata.name(char, "")
    if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")):
        words = "Chinese, Japanese, Korean"
        return words, "fonts-noto-cjk (Debian), google-noto-sans-cjk-fonts (Fedora) or noto-fonts-cjk (Arch)"
    if ord(char) >= 0x1F000 or unicodedata.category(char) == "So":
        return "a symbol", "fonts-noto-core and fonts-symbola (Debian) or gdouros-symbola-fonts (Fedora)"
    script = name.split(" ")[0].capitalize() or "a rare script"
    return script, "fonts-noto-core (Debian), google-noto-sans-fonts (Fedora) or noto-fonts (Arch)"
