"""A storyboard that is written otherwise means the same: style, quotes, anchors, order of keys change no request."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.language import compiler as language
from runner.language.compiler import CompileOptions
from runner.language.model import Shot

NAMES = st.sampled_from(["Faro", "São Paulo", "佩鲁贾", "no", "16:9", "5s", "true", "a, b", "it's", "x: y", "#1"])
PIECES = """the sea|{{ city }}|@maria|看|0-2s:|she says: "no"|line
line|# no comment|{a}|@@home"""
TEXT = st.lists(st.sampled_from(PIECES.split("|")), min_size=1, max_size=6).map(" ".join)
SHOTS = st.fixed_dictionaries(
    {"prompt": TEXT},
    optional={
        "duration": st.integers(4, 15) | st.sampled_from(["5", "6s"]),
        "resolution": st.sampled_from(["480p", "720p", "1080p"]),
        "aspect_ratio": st.sampled_from(["16:9", "9:16", "1:1"]),
        "tags": st.lists(NAMES | st.integers(0, 9), max_size=3),
        "title": NAMES,
        "takes": st.integers(1, 20),
        "vars": st.fixed_dictionaries({"city": NAMES}),
        "wrap": st.sampled_from(["{{ prompt }} in {{ city }}", "{{ prompt | trim }}.\n\nEnd"]),
    },
)
BOARDS = st.lists(SHOTS, min_size=1, max_size=4)


def board(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "storyboard": 1,
        "vars": {"city": "Faro"},
        "assets": {"maria": {"image": "https://x.example.com/a.png", "words": 'a woman: "Maria"'}},
        "shots": [{"id": f"s{index}", **entry} for index, entry in enumerate(entries)],
    }


class _Shared(yaml.SafeDumper):
    """Writes equal lists and mappings once, with an anchor, and aliases after that."""


class _Apart(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def requests(root: Path, text: str) -> list[Shot]:
    (root / "board.yaml").write_text(text, "utf-8")
    batch, problems = language.compile([root / "board.yaml"], root, CompileOptions())
    assert not problems.errors, (text, problems.errors)
    return list(batch.shots)


def bare(shots: list[Shot]) -> list[tuple[object, ...]]:
    return [(shot.id, shot.request, shot.takes, shot.title, shot.tags, shot.names) for shot in shots]


@settings(max_examples=60, derandomize=True)
@given(
    entries=BOARDS,
    style=st.sampled_from([None, "'", '"']),
    flow=st.booleans(),
    width=st.integers(20, 200),
    seed=st.integers(0, 9999),
)
def test_the_same_requests_however_it_is_written(
    tmp_path_factory: pytest.TempPathFactory,
    entries: list[dict[str, Any]],
    style: str | None,
    flow: bool,
    width: int,
    seed: int,
) -> None:
    root = tmp_path_factory.getbasetemp()
    whole = board(entries)
    plain = yaml.dump(whole, Dumper=_Apart, allow_unicode=True, sort_keys=False)
    # Numbers keep their kind only without quotes around everything, so those are quoted by the strings alone.
    dumper = _Shared
    dumper.add_representer(str, lambda self, text: self.represent_scalar("tag:yaml.org,2002:str", text, style=style))
    other = yaml.dump(
        shuffled(whole, random.Random(seed)),
        Dumper=dumper,
        allow_unicode=True,
        default_flow_style=flow,
        width=width,
        sort_keys=False,
    )
    assert bare(requests(root, plain)) == bare(requests(root, other.replace("\n", "\r\n") if seed % 2 else other))
