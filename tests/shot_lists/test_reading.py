"""Shot lists of other programs become storyboards: what fits is a field, the rest is a comment with its reason."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.app.accepted_values import accepted_values
from runner.diagnostics.failures import OptionError, ShotListUnusable
from runner.language import compiler as language
from runner.shot_lists.reading import read_shot_list
from runner.shot_lists.shot_list import AcceptedValues
from runner.shot_lists.storyboard_text import storyboard_text

SHEET = """\
Scene,Shot,Size,Movement,Description,Seconds,Notes,Cast
Harbour,1A,Wide,Static,"Sunrise over the quay, mist on the water",5,,Maria
Harbour,1a,Close-up,Slow push-in,A rope tightens,"4,5",insert,
,,,,,,,
Office,2A,Medium,Handheld,He looks up,34,,
"""
SCREENPLAY = """\
Title: The **Quay**
Author: Nobody

EXT. HARBOUR - DAWN #12#

Mist. A rope _tightens_.

MARIA (V.O.)
(softly)
Not today.

> CUT TO:

INT. OFFICE

TOMAS
Who is it?

[[ask the costume department]]

He looks up.
"""
DECISIONS = """\
TITLE: My cut
FCM: NON-DROP FRAME

001  AX       V     C        00:00:01:00 00:00:05:12 01:00:00:00 01:00:04:12
* FROM CLIP NAME: quay.mov
002  AX       V     D    024 01:00:10:00 01:00:15:00 01:00:04:12 01:00:09:12
* FROM CLIP NAME: quay.mov
003  AX       A     C        00:00:00:00 00:00:01:00 01:00:09:12 01:00:10:12
"""


def document(name: str, text: str | bytes, **mapping: str) -> dict[str, Any]:
    """The storyboard of a list, as YAML reads it."""
    loaded: dict[str, Any] = yaml.safe_load(written(name, text, **mapping))
    return loaded


def written(name: str, text: str | bytes, **mapping: str) -> str:
    data = text.encode() if isinstance(text, str) else text
    return storyboard_text(read_shot_list(name, data, mapping, accepted_values()), name)


def errors_in(text: str, folder: Path) -> list[str]:
    (folder / "film.yaml").write_text(text, "utf-8")
    (folder / "storyboard.toml").write_text("", "utf-8")
    _, problems = language.compile([folder / "film.yaml"], folder, language.CompileOptions())
    return [f"{problem.code} {problem.place.line}: {problem.message}" for problem in problems.errors]


def test_the_columns_of_a_table_are_found_by_their_names() -> None:
    first, second, third = document("shots.csv", SHEET)["shots"]
    assert first == {
        "id": "1A", "scene": "Harbour", "seconds": 5, "prompt": "Wide. Static. Sunrise over the quay, mist on the water"
    }  # fmt: skip
    assert (second["id"], second["seconds"], second["notes"]) == ("1a-2", 4.5, "insert")
    assert (third["id"], third["seconds"]) == ("2A", 15)


def test_what_does_not_fit_is_a_comment_with_the_reason() -> None:
    text = written("shots.csv", SHEET)
    assert "    # Cast: Maria (no field of a shot is called so; --map notes=Cast keeps it)\n" in text
    assert "    # the list calls it 1a\n" in text
    assert "    # 34 s, and a clip has at most 15: make several shots of it\n" in text


def test_a_row_without_words_for_a_prompt_is_a_comment() -> None:
    text = written("shots.csv", "Shot,Description\n1,A quay\n2,\n")
    assert "# line 3 is left out, since it has no text for a prompt: Shot: 2\n" in text


def test_columns_are_named_by_map() -> None:
    shots = document("a.csv", "Nr;Was;Dauer\nx1;Ein Kai;4,5\n", id="Nr", prompt="was")["shots"]
    assert shots == [{"id": "x1", "seconds": 4.5, "prompt": "Ein Kai"}]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [({"prompt": "Shotz"}, "there is no column 'Shotz'; columns: Shot, Text"), ({"propmt": "Text"}, "is no field")],
)
def test_a_map_that_fits_nothing_names_what_there_is(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        written("a.csv", "Shot,Text\n1,A quay\n", **mapping)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    text = "Shot,Description,Notes\n1,Café à São Paulo,a bell\n2,A quay,\n3,A door of iron,\n"
    assert document("a.csv", text.encode(encoding))["shots"][0]["prompt"] == "Café à São Paulo"
    assert ("Windows-1252" in written("a.csv", text.encode(encoding))) == (encoding == "cp1252")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_usual_delimiter_is_read(delimiter: str) -> None:
    text = f"Shot{delimiter}Description\r\n1{delimiter}A quay\r\n"
    assert document("a.csv", text)["shots"] == [{"id": "1", "prompt": "A quay"}]
    assert document("a.csv", f"sep={delimiter}\r\n{text}")["shots"] == [{"id": "1", "prompt": "A quay"}]


def test_start_and_end_give_the_seconds_on_screen() -> None:
    sheet = "Shot,Description,Start,End\n1,A,0:05,0:09.5\n2,B,01:00:00:00,01:00:04:12\n3,C,00:00:55;00,00:01:00;02\n"
    assert [shot["seconds"] for shot in document("a.csv", sheet)["shots"]] == [4.5, 4.5, 5.005]


def test_signs_of_the_language_are_plain_text_in_a_prompt(tmp_path: Path) -> None:
    text = written("a.csv", 'Shot,Description\n1,"@maria sees {{ x }}, {% y %} and {# z #}, @image1"\n')
    assert errors_in(text, tmp_path) == []
    batch, _ = language.compile([tmp_path / "film.yaml"], tmp_path, language.CompileOptions())
    assert next(batch.shots).request.prompt == "@maria sees {{ x }}, {% y %} and {# z #}, image1"


@pytest.mark.parametrize("column", ["scene", "title", "tags", "notes"])
def test_signs_of_the_language_are_plain_text_beside_a_prompt(tmp_path: Path, column: str) -> None:
    text = written("a.json", json.dumps([{"prompt": "A quay", column: "{{ x }} and {% y %} {#"}]))
    assert errors_in(text, tmp_path) == []


def test_scene_headings_action_and_dialogue_become_shots() -> None:
    film = document("a.fountain", SCREENPLAY)
    assert film["title"] == "The Quay"
    assert [(shot["id"], shot["scene"], shot["prompt"]) for shot in film["shots"]] == [
        ("s12-1", "EXT. HARBOUR - DAWN",
         "EXT. HARBOUR - DAWN. Mist. A rope tightens.\nMARIA says (softly): “Not today.”"),
        ("s2-1", "INT. OFFICE", "INT. OFFICE. TOMAS says: “Who is it?”"),
        ("s2-2", "INT. OFFICE", "INT. OFFICE. He looks up."),
    ]  # fmt: skip
    text = written("a.fountain", SCREENPLAY)
    assert "# > CUT TO: (a section, synopsis, lyric or transition is no shot)" in text
    assert "# Author: Nobody (a line of the title page)" in text


def test_notes_and_lyrics_of_a_screenplay_are_comments() -> None:
    text = written("a.fountain", "INT. HOUSE\n\nANN\nNo. [[louder]]\n\n~La la\n\n===\n\nShe goes.\n")
    assert "    # louder (a note)\n    # ~La la (a section, synopsis, lyric or transition is no shot)\n" in text
    assert "ANN says: “No.”" in text


def test_events_of_an_edl_become_shots_of_their_length() -> None:
    film = document("a.edl", DECISIONS)
    assert film["title"] == "My cut"
    assert [(shot["id"], shot.get("in"), shot["seconds"]) for shot in film["shots"]] == [
        ("quay", 1, 4.5), ("quay-2", None, 5)
    ]  # fmt: skip
    text = written("a.edl", DECISIONS)
    assert "# 1 event of sound or black left out" in text
    assert "# source 01:00:10:00 to 01:00:15:00 of reel AX" in text
    assert "# D 024 (a dissolve, wipe or key: the cut of a storyboard has straight cuts)" in text


def test_drop_frame_time_codes_are_real_seconds() -> None:
    text = "FCM: DROP FRAME\n001 AX V C 00:00:00:00 00:00:05:00 00:00:55:00 00:01:00:02\n"
    assert document("a.edl", text)["shots"][0]["seconds"] == float(Decimal("5.005"))


def clip(name: str, start: int, length: int, first: int = 0) -> dict[str, Any]:
    """A clip of OpenTimelineIO at 24 pictures a second."""

    def at(value: int) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "value": value, "rate": 24}

    return {
        "OTIO_SCHEMA": "Clip.2", "name": name, "source_range": {"start_time": at(start), "duration": at(length)},
        "active_media_reference_key": "DEFAULT_MEDIA",
        "media_references": {"DEFAULT_MEDIA": {"available_range": {"start_time": at(first), "duration": at(480)}}},
    }  # fmt: skip


def timeline(*children: dict[str, Any]) -> str:
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": list(children)}
    stack = {"OTIO_SCHEMA": "Stack.1", "children": [track]}
    return json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "Cut", "tracks": stack})


@pytest.mark.parametrize("name", ["a.otio", "a.json"])
def test_clips_of_a_timeline_become_shots_in_their_order(name: str) -> None:
    film = document(name, timeline(clip("quay.mp4", 86412, 60, first=86400), {"OTIO_SCHEMA": "Transition.1"},
                                   clip("door", 0, 96)))  # fmt: skip
    assert film["title"] == "Cut"
    assert film["shots"] == [
        {"id": "quay", "title": "quay.mp4", "in": 0.5, "seconds": 2.5, "prompt": "quay"},
        {"id": "door", "title": "door", "seconds": 4, "prompt": "door"},
    ]


@pytest.mark.parametrize("wrap", [lambda shots: shots, lambda shots: {"title": "Film", "shots": shots}])
def test_json_lists_are_read_as_tables_are(wrap: Any) -> None:
    shots = [{"id": "quay", "prompt": "A quay", "duration": 5, "tags": ["hero", "night"], "lens": "35 mm", "x": {}}]
    (shot,) = document("a.json", json.dumps(wrap(shots)))["shots"]
    assert shot == {"id": "quay", "tags": ["hero", "night"], "seconds": 5, "prompt": "35 mm. A quay"}


def test_other_keys_of_a_json_document_are_comments() -> None:
    assert "# fps: 24 (is no list of shots)" in written("a.json", '{"fps": 24, "shots": [{"prompt": "A quay"}]}')


BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.csv", b"", "is empty"),
    "blank": ("a.csv", b" \n\n", "is empty"),
    "header alone": ("a.csv", b"Shot,Description\n", "has no shot"),
    "no prompt column": ("a.csv", b"A,B\n1,2\n", "no column is a prompt .A, B.; name it: --map prompt=COLUMN"),
    "another encoding": ("a.csv", b"Shot,Description\n1,caf\x81\xe9\n", "line 2 is neither UTF-8, UTF-16 nor"),
    "a spreadsheet": ("a.csv", b"PK\x03\x04...", "save it as CSV"),
    "binary": ("a.csv", b"Shot,Description\n1,\0\0\n", "is not a text file"),
    "a formula": ("a.csv", b"Shot,Description,Seconds\n1,A quay,=B2*2\n", "line 2, column Seconds: =B2.2 is a formula"),
    "an open quote": ("a.csv", b'Shot,Description\n1,"A quay\n2,B\n', "a quote is open"),
    "a list too long": ("a.csv", b"Shot,Description\n" + b"1,A quay\n" * 20_001, "has more than 20,000 rows"),
    "no scenes": ("a.fountain", b"She walks along the quay.\n\nMARIA\nNo.\n", "no scenes"),
    "no events": ("a.edl", b"TITLE: x\n", "has no video event"),
    "no timeline": ("a.otio", b"{}", "is no timeline"),
    "an empty timeline": ("a.otio", timeline().encode(), "has no clip on a picture track"),
    "no JSON": ("a.json", b"{", "line 1, column 2"),
    "deep JSON": ("a.json", b"[" * 100_000, "is nested too deep"),
    "no list": ("a.json", b'{"a": 1}', "has no list of shots"),
    "no objects": ("a.json", b"[1]", r"shots\[0\] is no object"),
    "another kind": ("a.pdf", b"x", "is no shot list that can be read"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_used_is_refused_by_a_message_of_its_own(case: str) -> None:
    name, data, message = BAD[case]
    with pytest.raises(ShotListUnusable, match=message):
        read_shot_list(name, data, {}, accepted_values())


CELL = st.text(
    st.one_of(
        st.sampled_from("abc 019@{}%#\"'`:,;-_.|>&*!?[]\n\t\\=é\u200d\u202e\u0085\ufeff😀"),
        st.characters(codec="utf-8", exclude_characters="\0\r"),
    ),
    max_size=40,
)


COLUMNS = ("id", "scene", "title", "prompt", "notes", "seconds", "in", "takes", "tags", "model", "cast")


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELL)), min_size=1, max_size=5))
@settings(max_examples=25)
def test_whatever_stands_in_the_cells_the_result_validates(tmp_path_factory: Any, rows: list[dict[str, str]]) -> None:
    try:
        text = written("a.json", json.dumps(rows))
    except ShotListUnusable:
        return
    assert errors_in(text, tmp_path_factory.mktemp("film")) == []


@given(st.text(st.sampled_from("INT. EXT ABCDE abc\n\n\n()[]@#>=*_!{}%-~"), max_size=200))
@settings(max_examples=25)
def test_whatever_a_screenplay_says_the_result_validates(tmp_path_factory: Any, body: str) -> None:
    text = written("a.fountain", f"INT. HOUSE\n\nShe waits.\n\n{body}")
    assert errors_in(text, tmp_path_factory.mktemp("film")) == []


def test_the_values_that_are_taken_are_handed_in() -> None:
    accepted = AcceptedValues({"model": ("novel-1",), "resolution": ("540p",)}, most_takes=3)
    table = b"prompt,model,resolution,takes\nA quay,novel-1,540p,3\nA boat,seedance-20,720p,4\n"
    quay, boat = read_shot_list("a.csv", table, {}, accepted).shots
    assert (quay.model, quay.resolution, quay.takes, quay.remarks) == ("novel-1", "540p", 3, ())
    assert (boat.model, boat.resolution, boat.takes) == ("", "", None)
    assert boat.remarks[-1] == "takes: 4 (is not a whole number from 1 to 3)"


def test_a_storyboard_takes_what_the_schema_and_the_default_edition_name() -> None:
    accepted = accepted_values()
    assert accepted.choices["model"] == ("seedance-20", "seedance2-fast", "seedance2.0-pro", "seedance2.0-fast")
    assert accepted.choices["resolution"] == ("480p", "720p", "1080p")
    assert accepted.choices["aspect_ratio"] == ("16:9", "9:16", "1:1", "3:4", "4:3", "21:9", "auto")
    assert accepted.most_takes == 20
