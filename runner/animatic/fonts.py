"""Choice of fonts for a text: Pillow's own, then fontconfig or the usual folders for other scripts."""

import shutil
import subprocess
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from runner.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Where Linux and macOS have fonts, for a machine without fontconfig.
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts")
# Best first: fonts of many scripts, then one for each that these lack.
_LIKELY_NAMES = (
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
# Pixels at which a glyph is compared with the font's placeholder for missing glyphs.
_PROBE_SIZE = 20


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


_BUNDLED = Face()


@lru_cache(maxsize=64)
def font(face: Face, size: int) -> "FreeTypeFont":
    """The face at a height in pixels."""
    from PIL import ImageFont

    if face == _BUNDLED:
        bundled = ImageFont.load_default(size=size)
        if not isinstance(bundled, ImageFont.FreeTypeFont):
            raise TypeError("this Pillow was built without FreeType; install it from a wheel")
        return bundled
    return ImageFont.truetype(face.path, size, index=face.index)


Faces = tuple[Face, ...]
"""The faces that a text is set in, best first."""
Environment = tuple[tuple[str, str], ...] | None
"""Names and values of the environment that fontconfig gets; None passes on that of this process."""


@lru_cache(maxsize=256)
def faces_of(text: str, environment: Environment = None) -> Faces:
    """One face that has every character of the text, if there is one; else all faces that are needed.

    The choice depends on the text alone, not on earlier texts, so that the same text always looks the same.
    """
    characters = [char for char in dict.fromkeys(text) if _is_visible(char)]
    faces = list(_default_faces(environment))
    for char in characters:
        if not any(_covers(face, char) for face in faces) and (match := _face_of(char, environment)) is not None:
            faces.append(match)
    # One face, where one has all: letters of two weights within a line look like a mark of emphasis.
    complete = next((face for face in faces if all(_covers(face, char) for char in characters)), None)
    return (complete,) if complete is not None else tuple(faces)


def runs(text: str, faces: Faces) -> list[FontRun]:
    """The text cut where the face changes, between words where possible."""
    if len(faces) == 1:
        return [FontRun(text, faces[0])] if text else []
    font_runs: list[FontRun] = []
    for piece in _pieces(text):
        parts = [piece] if _face_for(piece, faces) else list(piece)
        for part in parts:
            face = _face_for(part, faces) or (font_runs[-1].face if font_runs else faces[0])
            if font_runs and (font_runs[-1].face == face or not part.strip()):
                font_runs[-1] = FontRun(font_runs[-1].text + part, font_runs[-1].face)
            else:
                font_runs.append(FontRun(part, face))
    return font_runs


def _face_for(text: str, faces: Faces) -> Face | None:
    return next((face for face in faces if all(_covers(face, char) for char in text if _is_visible(char))), None)


def missing_font(text: str, environ: Mapping[str, str]) -> str | None:
    """The characters of a text that no font draws, and the package to install; None when all can be drawn.

    `environ` is the environment that fontconfig gets: it must not hold a key.
    """
    faces = faces_of(text, tuple(sorted(environ.items())))
    uncovered = [char for char in dict.fromkeys(text) if _is_visible(char) and _face_for(char, faces) is None]
    if not uncovered:
        return None
    script, package = _script(uncovered[0])
    examples = " ".join(uncovered[:3]) + (" …" if len(uncovered) > 3 else "")
    return f"no font on this machine draws {examples} ({script}); install {package}"


def _pieces(text: str) -> Iterator[str]:
    """Words with the white space after them; single characters in scripts without blanks between words."""
    start = 0
    for at in range(1, len(text)):
        wide = ideographic(text[at]) or ideographic(text[at - 1])
        if wide or (text[at - 1].isspace() and not text[at].isspace()):
            yield text[start:at]
            start = at
    if start < len(text):
        yield text[start:]


def ideographic(char: str) -> bool:
    """Whether a line may be broken after a character: Chinese, Japanese, Korean, full width."""
    return char >= "\u2e80" and unicodedata.east_asian_width(char) in "WF"


@cache
def _default_faces(environment: Environment) -> Faces:
    """Pillow's own face, and the machine's default for plain text."""
    plain = _match_font("sans:lang=en", environment)
    return (_BUNDLED,) if plain is None else (_BUNDLED, plain)


@lru_cache(maxsize=4_000)
def _face_of(char: str, environment: Environment) -> Face | None:
    face = _match_font(_font_pattern(char), environment)
    return face if face and _covers(face, char) else None


def _font_pattern(char: str) -> str:
    name = unicodedata.name(char, "")
    # One character has different shapes in Chinese, Japanese and Korean fonts.
    language = "ja" if name.startswith(("HIRAGANA", "KATAKANA")) else "ko" if name.startswith("HANGUL") else ""
    if name.startswith("CJK"):
        language = "zh-cn"
    return f"sans:charset={ord(char):x}" + (f":lang={language}" if language else "")


@cache
def _match_font(pattern: str, environment: Environment) -> Face | None:
    """The match of fontconfig; without fontconfig, a likely file of the usual folders that has the character."""
    program = shutil.which("fc-match")
    if program is None:
        return _search_folders(pattern)
    try:
        output = subprocess.run(
            [program, "-f", "%{file}\t%{index}", pattern],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            # The first call on a new machine builds fontconfig's cache.
            timeout=10,
            check=True,
            env=None if environment is None else dict(environment),
        )
    except (OSError, subprocess.SubprocessError):
        return _search_folders(pattern)
    path, _, index = output.stdout.partition("\t")
    face = Face(path, int(index) if index.isdigit() else 0)
    return face if _can_open(face) else None


def _search_folders(pattern: str) -> Face | None:
    codepoint = pattern.partition("charset=")[2].partition(":")[0]
    for face in _installed_faces():
        if not codepoint or _covers(face, chr(int(codepoint, 16))):
            return face
    return None


@cache
def _installed_faces() -> list[Face]:
    files = [
        path
        for folder in _FOLDERS
        for path in sorted(Path(folder).rglob("*"))
        if path.suffix.lower() in (".ttf", ".otf", ".ttc") and path.stem.startswith(_LIKELY_NAMES)
    ]
    # The shortest of the names is the plain cut: DejaVuSans before DejaVuSans-Bold.
    files.sort(
        key=lambda path: (
            next(at for at, name in enumerate(_LIKELY_NAMES) if path.stem.startswith(name)),
            len(path.stem),
        )
    )
    return [face for path in files if _can_open(face := Face(str(path)))]


def _can_open(face: Face) -> bool:
    try:
        font(face, _PROBE_SIZE)
    except (OSError, ValueError):
        return False
    return True


@lru_cache(maxsize=20_000)
def _covers(face: Face, char: str) -> bool:
    glyph = _glyph(face, char)
    # Two characters that no font has: what it draws for either is a placeholder.
    return glyph != _glyph(face, "\uffff") and glyph != _glyph(face, "\U0010fffe")


@lru_cache(maxsize=20_000)
def _glyph(face: Face, char: str) -> bytes:
    mask = font(face, _PROBE_SIZE).getmask(char, mode="L")
    return repr(mask.size).encode() + bytes(mask)


def _is_visible(char: str) -> bool:
    """Whether a character is visible by itself: no white space, no combining mark, no control."""
    return unicodedata.category(char)[0] not in "CMZ" and char != "\ufffd"


def _script(char: str) -> tuple[str, str]:
    """Name of a character's script, and the package that draws it on Debian, Fedora and Arch."""
    name = unicodedata.name(char, "")
    if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")):
        scripts = "Chinese, Japanese, Korean"
        return scripts, "fonts-noto-cjk (Debian), google-noto-sans-cjk-fonts (Fedora) or noto-fonts-cjk (Arch)"
    if ord(char) >= 0x1F000 or unicodedata.category(char) == "So":
        return "a symbol", "fonts-noto-core and fonts-symbola (Debian) or gdouros-symbola-fonts (Fedora)"
    script = name.split(" ")[0].capitalize() or "a rare script"
    return script, "fonts-noto-core (Debian), google-noto-sans-fonts (Fedora) or noto-fonts (Arch)"
