"""The reader of screenplays in Fountain: scene headings, action and dialogue become shots. Pure."""

import re
from collections.abc import Iterator

from runner.diagnostics.failures import ShotListUnusable
from runner.lazy_dataclass import replace
from runner.lazy_pattern import lazy_pattern
from runner.shot_lists.shot_list import MAX_SHOTS, ListedShot, ShotList

# The marks as Fountain's own page of its syntax has them.
_HEADING = lazy_pattern(r"(?:int\.?/ext|int/ext|i/e|int|ext|est)[. ]", re.IGNORECASE)
_SCENE_NUMBER = lazy_pattern(r"\s*#([\w.-]{1,20})#\s*\Z")
_BONEYARD = lazy_pattern(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_NOTE = lazy_pattern(r"\[\[(.*?)\]\]", re.DOTALL)
_EMPHASIS = lazy_pattern(r"(?<!\\)(\*{1,3}|_)(?=\S)(.+?)(?<=\S)(?<!\\)\1")
_TITLE_KEY = lazy_pattern(
    r"(title|credit|authors?|source|notes|draft date|date|contact|copyright|revision|format|font)\s*:\s*(.*)\Z",
    re.IGNORECASE,
)
_EXTENSION = lazy_pattern(r"\s*\([^)]*\)\s*")
# A script without an empty line has no title page: its end is not looked for any further.
_MAX_TITLE_LINES = 60


def read_fountain(text: str) -> ShotList:
    """The shots of a screenplay: one for each paragraph of action, with the dialogue after it.

    Raises ShotListUnusable without a scene heading.
    """
    title, others, body = _title_page(_BONEYARD.sub("", text))
    screenplay = _Screenplay()
    screenplay.remarks += [f"{line} (a line of the title page)" for line in others]
    for paragraph in _paragraphs(body):
        screenplay.read(paragraph)
    if not screenplay.scene_count:
        raise ShotListUnusable("has no scene heading (INT. or EXT. at the beginning of a line, or .FORCED): no scenes")
    return ShotList(tuple(screenplay.shots), title, tuple(screenplay.remarks))


def _title_page(text: str) -> tuple[str, list[str], str]:
    """The title of a title page, its other lines, and the text after that page."""
    lines = text.lstrip("\n").split("\n")
    if not _TITLE_KEY.match(lines[0]):
        return "", [], text
    end = next((number for number, line in enumerate(lines[:_MAX_TITLE_LINES]) if not line.strip()), 0)
    title: list[str] = []
    others: list[str] = []
    key = ""
    for line in lines[:end]:
        match = _TITLE_KEY.match(line)
        key = match[1].casefold() if match else key
        if key == "title":
            title.append(match[2] if match else line.strip())
        else:
            others.append(line.strip())
    return _plain(" ".join(title).strip()), others, "\n".join(lines[end:])


def _paragraphs(text: str) -> Iterator[list[str]]:
    """The lines between empty lines."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            lines.append(line.strip())
        elif lines:
            yield lines
            lines = []


class _Screenplay:
    """The shots of the paragraphs, collected in their order."""

    def __init__(self) -> None:
        self.shots: list[ListedShot] = []
        self.remarks: list[str] = []
        self.scene_count = 0
        self.scene = ""
        self.number = ""
        self.shots_of_scene = 0

    def read(self, lines: list[str]) -> None:
        first = lines[0]
        if _is_heading(first):
            self._heading(first)
            if lines[1:]:
                self.read(lines[1:])
        elif first.startswith("==="):
            return  # the end of a page
        elif first.startswith(("#", "=", "~")) or _is_transition(first):
            self._remark(f"{' '.join(lines)} (a section, synopsis, lyric or transition is no shot)")
        elif len(lines) > 1 and _is_character(first):
            # A line in capitals with nothing below it is action.
            self._dialogue(first, lines[1:])
        else:
            self._action(" ".join(line.removeprefix("!").strip("<> ") for line in lines))

    def _heading(self, line: str) -> None:
        number = _SCENE_NUMBER.search(line)
        heading = _SCENE_NUMBER.sub("", line)
        self.scene = _plain(heading.removeprefix(".").strip())
        self.scene_count += 1
        self.number = number[1] if number else str(self.scene_count)
        self.shots_of_scene = 0

    def _action(self, text: str) -> None:
        notes = " ".join(note.strip() for note in _NOTE.findall(text))
        action = _plain(_NOTE.sub("", text).strip())
        if not action:
            self._remark(f"{notes} (a note)")
        elif not self.scene_count:
            self.remarks.append(f"{action} (stands before the first scene heading)")
        else:
            self._add(action, notes)

    def _add(self, text: str, notes: str = "") -> None:
        if len(self.shots) == MAX_SHOTS:
            raise ShotListUnusable(f"has more than {MAX_SHOTS:,} shots: import it in parts")
        self.shots_of_scene += 1
        # With the heading: the model sees one prompt, and nothing of the scene around it.
        prompt = f"{self.scene}. {text}"
        self.shots.append(
            ListedShot(id=f"s{self.number}-{self.shots_of_scene}", scene=self.scene, prompt=prompt, notes=notes)
        )

    def _dialogue(self, character: str, lines: list[str]) -> None:
        """Add what a character says to the shot before it in the scene, else as a shot of its own."""
        name = _plain(_EXTENSION.sub(" ", character.removeprefix("@").rstrip("^ ")).strip())
        manner = [line.strip("() ") for line in lines if line.startswith("(")]
        text = " ".join(line for line in lines if not line.startswith("("))
        speech = " ".join(_plain(_NOTE.sub("", text)).split())
        spoken = f"{name} says{' (' + ', '.join(manner) + ')' if manner else ''}: “{speech}”"
        if not self.scene_count:
            self.remarks.append(f"{spoken} (stands before the first scene heading)")
        elif self.shots_of_scene:
            last = self.shots[-1]
            self.shots[-1] = replace(last, prompt=f"{last.prompt}\n{spoken}")
        else:
            self._add(spoken)
        for note in _NOTE.findall(text):
            self._remark(f"{note} (a note)")

    def _remark(self, text: str) -> None:
        """Keep a text that is no shot beside the shot before it."""
        if self.shots_of_scene:
            last = self.shots[-1]
            self.shots[-1] = replace(last, remarks=(*last.remarks, text))
        else:
            self.remarks.append(text)


def _is_heading(line: str) -> bool:
    # `...and then` is action: a forced heading has one point.
    return bool(_HEADING.match(line)) or (line.startswith(".") and line[1:2].isalnum())


def _is_transition(line: str) -> bool:
    # `> THE END <` is a centred line, no transition.
    is_centered = line.endswith("<")
    return (line.startswith(">") and not is_centered) or (line.isupper() and line.endswith("TO:"))


def _is_character(line: str) -> bool:
    name = _EXTENSION.sub("", line.rstrip("^ "))
    return line.startswith("@") or (name.isupper() and not line.startswith(("!", ">")))


def _plain(text: str) -> str:
    """A text without the marks of emphasis."""
    return _EMPHASIS.sub(r"\2", text).replace("\\*", "*").replace("\\_", "_")
