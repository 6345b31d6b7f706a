"""No link of a material, its query, its object's path, nor a key of host or store stands in any output or record."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import KEY, Host
from tests.commands.test_materials import CANARY, CHAIN, picture, stored_secrets
from tests.publish.servers import BUCKET, KEY_ID, S3, SECRET, s3_server

FILM = "storyboards/film.yaml"
LINK = re.compile(rf"{CANARY.pattern}|refs/sha256/|/files/|[?&][A-Za-z-]+=[0-9A-Za-z%]{{8}}|{KEY}|{KEY_ID}|{SECRET}")
"""Whatever belongs to a link of the store, the host's uploads or clips, or is a key."""
QUOTED = "https://film.s3.example.com/refs/sha256/ab/abcd.png?X-Amz-Credential=AKIAX&X-Amz-Signature=0123456789abcdef"
RULES = f"""\
faults: 1
rules:
  - {{on: task, prompt: pushes the door, do: {{error: "Failed to download your reference {QUOTED}"}}}}
"""


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    with s3_server(tmp_path / "objects") as server:
        yield server


@pytest.fixture
def chain(tmp_path: Path) -> ContentRepo:
    """Three shots with a portrait, a frame and a clip; the store is on loopback."""
    made = content(tmp_path, CHAIN)
    (made.root / "storyboards/assets").mkdir()
    (made.root / "storyboards/assets/maria.png").write_bytes(picture())
    made.write("storyboard.toml", f'[publish]\nways = ["store"]\nstore = "s3://{BUCKET}/refs"\n')
    return made


def test_no_output_of_a_film_in_a_store_has_a_link_or_a_key(
    chain: ContentRepo, host: Callable[..., Host], s3: S3
) -> None:
    faults = chain.write("faults.yaml", RULES)
    paid = host("--local-materials", "--faults", str(faults), seconds="1")
    env = paid.env | s3.environment

    def output(*words: str) -> str:
        done = chain.storyboard(*words, **env)
        assert done.code in (0, 1, 8), done.err
        return done.out + done.err

    outputs = {
        "plan": output("plan", FILM, "--all"),
        "plan as JSON": output("plan", FILM, "--json"),
        "what if": output("plan", FILM, "--what-if"),
        "live screen": chain.at_terminal("run", FILM, "--select", "quay", typed="y\n", **env).out,
        "events": output("run", FILM, "--yes", "--json"),
        "closing": output("run", FILM, "--yes", "--again", "enter"),
        "status": output("status", FILM),
        "status as JSON": output("status", FILM, "--json"),
        "explained": output("plan", FILM, "--explain", "enter"),
        "refused": output("plan", FILM, "--all"),
        "spend": output("spend", FILM, "--json"),
        "doctor": output("doctor"),
    }
    assert "Failed to download your reference" in outputs["closing"]
    assert "https://film.s3.example.com/…" in outputs["closing"]
    assert "our own fetch" in " ".join(outputs["closing"].split())
    assert {name: found[0] for name, text in outputs.items() if (found := LINK.search(text))} == {}
    assert stored_secrets(chain) == ["faults.yaml"]
