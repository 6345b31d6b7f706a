"""The reader of shot lists of any kind: the kind follows from the ending of the name. Pure."""

from collections.abc import Mapping
from pathlib import PurePath

from runner.diagnostics.failures import OptionError, ShotListUnusable
from runner.lazy_dataclass import replace
from runner.shot_lists.decoding import decode
from runner.shot_lists.shot_list import AcceptedValues, ShotList

MAX_BYTES = 16 << 20
"""Bytes of a shot list."""
# Excel saves a table with tabs as `.txt`.
_TABLES = (".csv", ".tsv", ".txt")
# `.spmd` is the ending of Screenplay Markdown, from which Fountain came.
_SCREENPLAYS = (".fountain", ".spmd")
ENDINGS = (*_TABLES, *_SCREENPLAYS, ".edl", ".otio", ".json")


def read_shot_list(name: str, data: bytes, mapping: Mapping[str, str], accepted: AcceptedValues) -> ShotList:
    """The shot list of a file. Raises ShotListUnusable, whose message continues the file's name, and OptionError."""
    ending = PurePath(name).suffix.lower()
    if ending not in ENDINGS:
        raise ShotListUnusable(f"is no shot list that can be read; endings: {', '.join(ENDINGS)}")
    if mapping and ending not in (*_TABLES, ".json"):
        raise OptionError(f"--map is for tables and JSON: a {ending} file has no columns")
    text, remark = decode(data)
    shot_list = _read(ending, text, mapping, accepted)
    if not shot_list.shots:
        raise ShotListUnusable("has no shot: no row has a text for a prompt")
    return replace(shot_list, remarks=(remark, *shot_list.remarks)) if remark else shot_list


def _read(ending: str, text: str, mapping: Mapping[str, str], accepted: AcceptedValues) -> ShotList:
    if ending in _TABLES:
        from runner.shot_lists.table import read_table

        return read_table(text, mapping, accepted)
    if ending in _SCREENPLAYS:
        from runner.shot_lists.fountain import read_fountain

        return read_fountain(text)
    if ending == ".edl":
        from runner.shot_lists.edl import read_edl

        return read_edl(text)
    from runner.shot_lists.json_list import parse_json, read_json
    from runner.shot_lists.timeline_file import SCHEMA_KEY, read_timeline

    document = parse_json(text)
    # Some programs save a timeline under `.json`.
    is_timeline = ending == ".otio" or (isinstance(document, dict) and SCHEMA_KEY in document)
    return read_timeline(document) if is_timeline else read_json(document, mapping, accepted)
