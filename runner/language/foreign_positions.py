"""Positions of references as other tools write them, such as `图片1` or `Image 1`, and their names here."""

import re
import unicodedata
from collections.abc import Mapping

from runner.lazy_pattern import lazy_pattern
from runner.requests.request import Kind

# Names of a position's kind in other tools, whose prompts are pasted here.
_KIND_WORDS: Mapping[Kind, tuple[str, ...]] = {
    "image": (
        *("image", "img", "picture", "pic", "photo", "figure"),
        *("图片", "图像", "图", "圖片", "圖像", "圖", "照片", "画像", "写真", "イメージ", "이미지", "그림", "사진"),
        *("bild", "foto", "imagen", "imagem", "imagine", "immagine", "afbeelding", "obraz", "resim", "hình", "ảnh"),
        *("изображение", "картинка", "фото", "рисунок", "صورة", "תמונה", "εικόνα", "चित्र", "ภาพ"),
    ),
    "video": (
        *(
            "video",
            "vídeo",
            "vidéo",
            "clip",
            "film",
            "视频",
            "视訊",
            "視頻",
            "視訊",
            "影片",
            "動画",
            "ビデオ",
            "비디오",
        ),
        *("영상", "видео", "فيديو", "वीडियो", "วิดีโอ"),
    ),
    "audio": (
        *("audio", "áudio", "sound", "music", "voice", "音频", "音頻", "音讯", "音訊", "音声", "音楽", "オーディオ"),
        *("오디오", "음성", "аудио", "звук", "صوت", "ऑडियो", "เสียง"),
    ),
}
# The longest word first: `第1张图片` must not end behind `图`.
_KIND = "|".join(f"(?P<{kind}>{'|'.join(sorted(words, key=len, reverse=True))})" for kind, words in _KIND_WORDS.items())
# Characters that are a number each.
_NUMERALS = "①-⑳⑴-⒇¹²³⁴-⁹₁-₉一二三四五六七八九十Ⅰ-Ⅻ"
# No line end: a number in the next line is not the position's.
_BLANK = r"[^\S\n]"
_COUNTED_FIRST = rf"第{_BLANK}?(?P<ordinal>\d{{1,3}}|[{_NUMERALS}]){_BLANK}?[张張幅个個段枚]?(?:参考|參考)?"
_COUNTED_LAST = rf"(?:{_BLANK}|[_\-.])?[#＃(（\[【]?(?P<number>\d{{1,3}}(?!\d)|[{_NUMERALS}])"
_FOREIGN_POSITION = lazy_pattern(
    rf"(?:(?P<counted_first>{_COUNTED_FIRST})|(?:(?:reference|ref|参考|參考|参照)(?:{_BLANK}|[_\-])?)?)"
    rf"(?:{_KIND})(?(counted_first)|{_COUNTED_LAST})",
    re.IGNORECASE,
)
# A word with a number behind it: a position in a language or tool that is not listed above.
_NUMBERED_WORD = lazy_pattern(rf"[^\W\d_]+(?:{_BLANK}|[_\-.])?(?:\d{{1,3}}(?!\w)|[{_NUMERALS}])")


def foreign_position(text: str, start: int) -> tuple[str, str] | None:
    """A position as other tools write it, `图片1` or `Image 1`, from an offset on, and its name here: `image1`."""
    match = _FOREIGN_POSITION.match(text, start)
    if match is None:
        return None
    kind = next(kind for kind in _KIND_WORDS if match[kind] is not None)
    return match.group(), f"{kind}{_number(match['ordinal'] or match['number'])}"


def is_numbered_word(text: str, start: int) -> bool:
    """Whether a word with a number begins at an offset: it may be a position too, `角色1`."""
    return _NUMBERED_WORD.match(text, start) is not None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else int(unicodedata.numeric(text))
