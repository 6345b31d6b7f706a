"""The examples of docs/sandbox.md work: the clients in three languages, the faults file, the flags."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.language.schema_files import load
from runner.sandbox.faults.fault_rules import read_faults
from tests import requirements
from tests.sandbox.sandbox_client import start_server, stop_server

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def block(kind: str, number: int = 0) -> str:
    return str(re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[number])


CLIENTS = {"curl": (["sh", "-eu"], "sh", 1), "python": ([sys.executable], "python", 0), "node": (["node"], "js", 0)}


@pytest.mark.parametrize("name", CLIENTS)
def test_the_clients_of_the_page_get_a_clip(name: str, tmp_path: Path) -> None:
    command, kind, number = CLIENTS[name]
    requirements.command("curl" if name == "curl" else command[0])
    arguments = block("sh").split()[2:]
    assert arguments[:2] == ["--port", "8787"]
    process, address = start_server(tmp_path / "state", *arguments[2:])
    script = tmp_path / ("client.mjs" if kind == "js" else "client")
    script.write_text(block(kind, number).replace("http://127.0.0.1:8787", address))
    done = subprocess.run([*command, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    stop_server(process, signal.SIGTERM)
    assert done.returncode == 0, done.stderr
    if name == "curl":
        assert "uploadUrl" in done.stdout
    else:
        assert done.stdout.startswith("success 60 credits")
    if name != "node":
        assert (tmp_path / "boat.mp4").read_bytes()[4:8] == b"ftyp"


def test_the_faults_file_of_the_page_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(block("yaml"))
    assert len(read_faults(path, 0).rules) == 7


def test_the_page_names_every_flag_and_no_other() -> None:
    done = subprocess.run([sys.executable, "-m", "runner", "sandbox", "--help"], capture_output=True, text=True)
    flags = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", done.stdout)) - {"--help"}
    table = PAGE.partition("| flag |")[2].partition("## Ask it")[0]
    assert flags - set(re.findall(r"--[a-z][a-z-]*", table)) <= {"--port"}
    assert set(re.findall(r"--[a-z][a-z-]*", table)) <= flags


def test_the_page_names_every_word_of_the_faults_schema() -> None:
    schema = load("faults")
    for part in ("answer", "task", "callback", "connection"):
        for word in schema["definitions"][part]["properties"]:
            assert f"`{word}`" in PAGE, f"{part}.{word}"
    for word in schema["definitions"]["rule"]["properties"]:
        assert word in PAGE
