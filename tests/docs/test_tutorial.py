"""The tutorial, word for word: its commands run, its edits apply, and what it shows is what is printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs/tutorial.md"


def test_the_tutorial_runs_as_it_is_written(tmp_path: Path) -> None:
    folder, shown = tmp_path, ""
    environ = _environ(tmp_path)
    for block in blocks(PAGE):
        if block.kind == "sh":
            shown = ""
            for line in block.text.splitlines():
                folder, output = _type(line, folder, environ)
                shown += output
        elif block.kind == "diff":
            _edit(folder, block)
        elif block.kind == "text":
            assert _missing(block.text, shown) == [], f"{PAGE.name}:{block.line} shows what is not printed:\n{shown}"


def _environ(home: Path) -> dict[str, str]:
    """A new user's: no key, no settings, no terminal."""
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "SYSTEMROOT", "TMPDIR")}
    return kept | {
        "PATH": f"{_scripts(home)}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "STORYBOARD_STATE": str(home / "state"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@example.com",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.com",
    }


def _scripts(home: Path) -> Path:
    """A folder with the command `storyboard`, as an installation has it."""
    folder = home / "bin"
    folder.mkdir()
    command = folder / "storyboard"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m runner "$@"\n', "utf-8")
    command.chmod(0o755)
    return folder


def _type(line: str, folder: Path, environ: dict[str, str]) -> tuple[Path, str]:
    """One typed line; a comment may say how it ends: `# exit code 3`."""
    expected = re.search(r"# exit code (\d+)", line)
    output, code, after = _shell(line, folder, environ)
    assert code == int(expected[1] if expected else 0), f"{line!r} ended with {code}:\n{output}"
    return after, output


def _shell(line: str, folder: Path, environ: dict[str, str]) -> tuple[str, int, Path]:
    where = Path(environ["HOME"]) / "where"
    ended = subprocess.run(
        ["/bin/sh", "-c", f"{line}\nstatus=$?; pwd > {shlex.quote(str(where))}; exit $status"],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=180,
        text=True,
        check=False,
    )
    return ended.stdout, ended.returncode, Path(where.read_text("utf-8").strip())


def _edit(folder: Path, block: Block) -> None:
    """Applies a diff without line numbers to the file that the sentence before it names."""
    named = re.findall(r"`([\w/.-]+\.(?:yaml|toml))`", block.before)
    path = folder / named[-1]
    old = [line[1:] for line in block.text.splitlines() if line[:1] in ("-", " ")]
    new = [line[1:] for line in block.text.splitlines() if line[:1] in ("+", " ")]
    text = path.read_text("utf-8")
    before, after = "\n".join(old) + "\n", "\n".join(new) + "\n"
    assert text.count(before) == 1, f"{PAGE.name}:{block.line}: {path.name} holds this {text.count(before)} times"
    path.write_text(text.replace(before, after), "utf-8")


def _missing(expected: str, shown: str) -> list[str]:
    """Lines that are not printed, in their order; `…` stands for anything, blanks for any blanks."""
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    missing, at = [], 0
    for line in filter(str.strip, expected.splitlines()):
        pattern = ".*".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        found = next((index for index in range(at, len(lines)) if re.fullmatch(pattern, lines[index])), None)
        if found is None:
            missing.append(line)
        else:
            at = found + 1
    return missing
