"""A shot list written as a storyboard: what fits as fields, the rest as comments with the reason. Pure."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from runner.diagnostics.folded_name import fold_name
from runner.language.ids import id_error
from runner.lazy_pattern import lazy_pattern
from runner.shot_lists.shot_list import LONGEST_CLIP, ListedShot, ShotList
from runner.shot_lists.times import plain_number

# The default edition's limit, counted as `_units` does.
_MAX_PROMPT = 4_000
# Characters of a title, a scene or a tag: longer ones are texts in a wrong column.
_MAX_LABEL = 500
# Characters and number of the comments beside a shot: beyond that they hide the shot.
_MAX_REMARK = 300
_MAX_REMARKS = 20
# What a template would begin with: the text of a list is sent as it stands.
_TEMPLATE_START = lazy_pattern(r"\{(?=[{%#])")
_POSITION = lazy_pattern(r"@(?=(?:image|video|audio)_?\d)", re.IGNORECASE)
# Text that no reader of YAML takes for anything else; the words below are flags to readers of YAML 1.1.
_PLAIN_SCALAR = lazy_pattern(r"[A-Za-z][A-Za-z0-9 _.,()/-]*[A-Za-z0-9_.)]\Z")
_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf", "y", "n"})
# Invisible characters that Persian words and many emoji need.
_JOINERS = "\u200c\u200d"


def storyboard_text(shot_list: ShotList, source: str) -> str:
    """The text of a storyboard with every shot of the list; `source` is the name of the file that was read."""
    lines = [f"# From {_remark(source)}, by `storyboard import`."]
    lines += [f"# {_remark(remark)}" for remark in _shortened(shot_list.remarks)]
    lines += ["storyboard: 1"]
    lines += [f"title: {_scalar(_label(shot_list.title))}"] if _label(shot_list.title) else []
    lines += ["shots:"]
    taken: set[str] = set()
    for number, shot in enumerate(shot_list.shots, 1):
        lines += _shot(shot, number, taken)
    return "\n".join(lines) + "\n"


def _shot(shot: ListedShot, number: int, taken: set[str]) -> Iterator[str]:
    remarks: list[str] = []
    shot_id = _unique(_id(shot.id) or f"shot-{number}", taken)
    if shot.id.strip() and shot_id != shot.id.strip():
        remarks.append(f"the list calls it {shot.id.strip()}")
    yield f"  - id: {_scalar(shot_id)}"
    for name, text in (("scene", shot.scene), ("title", shot.title)):
        if label := _label(text):
            yield f"    {name}: {_scalar(_verbatim(label))}"
    if tags := [_scalar(_verbatim(label)) for label in map(_label, shot.tags[:50]) if label]:
        yield f"    tags: [{', '.join(tags)}]"
    for name, text in (("model", shot.model), ("resolution", shot.resolution), ("aspect_ratio", shot.aspect_ratio)):
        if text:
            yield f"    {name}: {_scalar(text)}"
    if shot.takes is not None:
        yield f"    takes: {shot.takes}"
    yield from _film_time(shot, remarks)
    yield from _prompt(shot.prompt, remarks)
    if notes := _clean(shot.notes)[:_MAX_PROMPT]:
        yield f"    notes: {_scalar(_verbatim(notes))}"
    for remark in _shortened((*remarks, *shot.remarks)):
        yield f"    # {_remark(remark)}"


def _film_time(shot: ListedShot, remarks: list[str]) -> Iterator[str]:
    """`in` and `seconds`, as far as the longest clip holds them."""
    seconds, start = shot.seconds, plain_number(shot.in_seconds)
    if start >= LONGEST_CLIP or (seconds is not None and start and start + seconds > LONGEST_CLIP):
        remarks.append(f"begins {start:f} s into its clip, and a clip has at most {LONGEST_CLIP:f}")
        start = Decimal(0)
    if start:
        yield f"    in: {start:f}"
    if seconds is None:
        return
    if seconds > LONGEST_CLIP:
        remarks.append(
            f"{plain_number(seconds):f} s, and a clip has at most {LONGEST_CLIP:f}: make several shots of it"
        )
    on_screen = plain_number(min(seconds, LONGEST_CLIP))
    if on_screen > 0:
        yield f"    seconds: {on_screen:f}"


def _prompt(text: str, remarks: list[str]) -> Iterator[str]:
    clean = _clean(text)
    if _units(clean) > _MAX_PROMPT:
        # Half as many characters fit in any case, since each counts two at most.
        cut = clean[: _MAX_PROMPT // 2] if _units(clean[:_MAX_PROMPT]) > _MAX_PROMPT else clean[:_MAX_PROMPT]
        cut = cut.rsplit(None, 1)[0]
        remarks.append(f"the prompt has {len(clean):,} characters, and the provider takes {_MAX_PROMPT:,}: it is cut")
        clean = cut
    if _POSITION.search(clean):
        remarks.append("@image1 and its like would name a reference: the @ is left out")
        clean = _POSITION.sub("", clean)
    escaped = _verbatim(clean.replace("@", "@@"))
    if "\n" not in escaped:
        yield f"    prompt: {_scalar(escaped or 'No words yet')}"
        return
    yield "    prompt: |-"
    for line in escaped.split("\n"):
        yield f"      {line}".rstrip()


def _verbatim(text: str) -> str:
    """A text of a shot without the beginning of a template, that shows what the list has."""
    return _TEMPLATE_START.sub("{{ '{' }}", text)


def _units(text: str) -> int:
    """The length as a provider may count it: an emoji has two."""
    return len(text) + sum(1 for character in text if character > "\uffff")


def _id(text: str) -> str:
    """A text in the form of an id; empty when nothing is left of it."""
    # 60 of the 64 characters of an id: `_unique` may add a number.
    name = re.sub(r"\.\.+", ".", re.sub(r"[^A-Za-z0-9._-]+", "-", text.strip())).strip("-._")[:60].rstrip(".-_")
    if name and id_error(name) is not None:
        # `CON`, `image1` and `quay.last_frame` mean something else; behind a word they do not.
        name = f"shot-{name}".replace(".", "-")
    return name if name and id_error(name) is None else ""


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with the first free number after it."""
    candidate, number = name, 2
    while fold_name(candidate) in taken:
        ending = f"-{number}"
        candidate, number = name[: 64 - len(ending)] + ending, number + 1
    taken.add(fold_name(candidate))
    return candidate


def _clean(text: str) -> str:
    """A text of visible characters, blanks and line ends; no line begins or ends with a blank."""
    visible = "".join(char if char.isprintable() or char in "\n" + _JOINERS else " " for char in text)
    lines = [" ".join(line.split()) for line in visible.split("\n")]
    return "\n".join(line for line in lines if line)


def _label(text: str) -> str:
    return " ".join(_clean(text).split())[:_MAX_LABEL].strip()


def _scalar(text: str) -> str:
    """A text as YAML: plain where nothing in it could mean something else, else in quotes."""
    is_plain = _PLAIN_SCALAR.match(text) and text.casefold() not in _WORDS_OF_YAML
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _shortened(remarks: tuple[str, ...]) -> list[str]:
    more = len(remarks) - _MAX_REMARKS
    return [*remarks[:_MAX_REMARKS], *([f"and {more} more remarks"] if more > 0 else [])]


def _remark(text: str) -> str:
    line = " ".join(_clean(text).split())
    return line if len(line) <= _MAX_REMARK else f"{line[:_MAX_REMARK]}…"
