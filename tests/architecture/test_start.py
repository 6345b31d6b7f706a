"""What a small command imports: all of it is time that somebody waits."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.lazy_pattern import lazy_pattern
from tests.builders.made_films import filmed

REPOSITORY = Path(__file__).parents[2]
BOARD = """\
storyboard: 1
include: [cast.yaml]
vars: {sky: pink}
defaults: {duration: 5, wrap: "{{ prompt }}{% if sky and sky != 'grey' %}, the sky is {{ sky | upper }}{% endif %}"}
shots:
  - {id: quay, prompt: "A quay, and @maria on it"}
  - {id: boat, prompt: "A boat", first_frame: "@quay.last_frame"}
"""
CAST = "assets:\n  maria: {words: a woman in a yellow coat}\n"
FOREIGN = {"yaml", "_yaml"}
"""The only package of others that a good storyboard needs, under both of its names."""
IDLE = {
    *("dataclasses", "inspect", "shutil", "subprocess", "sqlite3", "platformdirs", "secrets", "difflib", "ssl"),
    *("asyncio", "concurrent", "logging", "http", "multiprocessing", "email", "socket"),
}
"""Modules of Python that cost much, and that only a problem, a screen, a paid run or a worker needs."""
ROOMS = {
    "validate": {
        *("app", "attempts", "commands", "diagnostics", "editions", "files", "language", "media", "providers"),
        *("requests", "settings"),
    },
    "plan": {
        *("app", "attempts", "commands", "diagnostics", "editions", "engine", "files", "language", "media", "planning"),
        *("animatic", "providers", "requests", "settings", "show", "store"),
    },
}
ROOMS["status"] = ROOMS["plan"] | {"assembly", "timeline"}
"""The rooms that may be entered, not the publisher's or the sandbox's; of `animatic` two modules of constants, of
`assembly` and `timeline` what tells whether the cut is up to date.
"""

WORDS = {"validate": [], "plan": ["--json"], "status": ["--json"]}
"""A plan's screen asks the terminal how wide it is, which imports much; a plan for programs does not."""


def imported(words: list[str], folder: Path) -> set[str]:
    """The modules of a process that has carried out a command."""
    script = (
        "import sys\nsys.argv = ['storyboard', *sys.argv[1:]]\nfrom runner.__main__ import main\n"
        "try:\n    code = main()\nexcept SystemExit:\n    code = 0\n"
        "print('\\n', *sys.modules, file=sys.stderr)\nsys.exit(code)"
    )
    env = {"STORYBOARD_STATE": str(folder / "state"), "XDG_CONFIG_HOME": str(folder), "PATH": "/usr/bin:/bin"}
    env |= {"PYTHONPATH": str(REPOSITORY), "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, env=env, capture_output=True, text=True, check=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return set(done.stderr.split()) - bare()


def bare() -> set[str]:
    """What Python brings along by itself in this environment."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def foreign(modules: set[str]) -> set[str]:
    """Packages that are neither Python's nor ours; what Cython notes under a name of its own is no package."""
    tops = {name.partition(".")[0] for name in modules if "cython" not in name}
    return tops - sys.stdlib_module_names - {"runner", "__main__"}


@pytest.mark.parametrize("command", ROOMS)
def test_a_good_storyboard_imports_only_what_it_needs(command: str, tmp_path: Path) -> None:
    (tmp_path / "film.yaml").write_text(BOARD)
    (tmp_path / "cast.yaml").write_text(CAST)
    (tmp_path / "storyboard.toml").write_text('provider = "sandbox"\n')
    found = imported([command, *WORDS[command], "film.yaml"], tmp_path)
    assert foreign(found) <= FOREIGN
    assert found & IDLE == set()
    rooms = {name.split(".")[1] for name in found if name.startswith("runner.") and name.count(".") > 1}
    assert rooms <= ROOMS[command]


def test_validate_knows_nothing_of_what_was_made(tmp_path: Path) -> None:
    (tmp_path / "film.yaml").write_text(BOARD)
    (tmp_path / "cast.yaml").write_text(CAST)
    found = imported(["validate", "film.yaml"], tmp_path)
    made = {"planning", "store", "engine", "show"}
    assert {name for name in found if name.partition("runner.")[2].partition(".")[0] in made} == set()


def test_a_run_with_nothing_to_do_imports_no_network_no_video_and_no_saved_plan(tmp_path: Path) -> None:
    film = filmed(tmp_path, BOARD.replace("include: [cast.yaml]", CAST.strip()))
    found = imported(["run", "storyboards/film.yaml"], film.root)
    assert foreign(found) <= FOREIGN
    assert found & (IDLE - {"sqlite3", "secrets"}) == set()
    assert {
        name for name in found if name.startswith(("runner.publish", "runner.sandbox", "runner.show.live"))
    } == set()
    assert (
        found & {f"runner.{name}" for name in ("app.execute", "app.saved_plans", "engine.run_loop", "media.clip")}
        == set()
    )


def test_the_version_imports_nothing(tmp_path: Path) -> None:
    found = imported(["--version"], tmp_path)
    assert {name for name in found if not name.startswith("runner")} == set()


def test_help_imports_argparse_and_no_package_of_others(tmp_path: Path) -> None:
    found = imported(["--help"], tmp_path)
    assert foreign(found) == set()
    assert {name for name in found if name.startswith("runner.")} == {
        "runner.__main__", "runner.cli", "runner.commands", "runner.garbage_collection", "runner.streams",
        "runner.lazy_dataclass", "runner.lazy_pattern", "runner.paid_providers", "runner.providers",
        "runner.providers.kinovi", "runner.providers.kinovi.description",
        "runner.settings", "runner.settings.api_key", "runner.settings.environment",
        "runner.show", "runner.show.text", "runner.show.text.help_format", "runner.show.text.terminal",
    }  # fmt: skip


def test_a_pattern_is_compiled_at_its_first_use() -> None:
    """`re.compile` at the top of a module costs every command that imports it; inside a function it is a choice."""
    found = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "runner").rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and "re.compile(" in ast.unparse(node)
    }
    assert found == set()


def test_a_lazy_pattern_is_a_pattern_from_its_first_use_on() -> None:
    text = r"(?P<word>[a-z]+)-(\d)"
    lazy, plain = lazy_pattern(text, re.IGNORECASE), re.compile(text, re.IGNORECASE)
    for _ in range(2):
        match = lazy.match("Fog-1")
        assert match is not None
        assert match["word"] == "Fog"
        assert lazy.sub("x", "a-1 b-2") == plain.sub("x", "a-1 b-2")
    assert (lazy.pattern, lazy.flags, lazy.groupindex) == (plain.pattern, plain.flags, plain.groupindex)


def test_patterns_of_pyyaml_and_tomllib_are_compiled_at_their_first_use() -> None:
    """At import each compiles some that neither a storyboard nor plain settings need."""
    script = """
import datetime, re
compile_pattern, compiled = re._compile, []
re._compile = lambda pattern, flags: compiled.append(pattern) or compile_pattern(pattern, flags)
from runner.language.yaml import libyaml
from runner.settings.toml_limits import parse_toml
assert re.compile("a").__class__ is re.Pattern
at_import = len(compiled)
import yaml
assert yaml.safe_load("[2024-05-01, 1.5, yes, quay]") == [datetime.date(2024, 5, 1), 1.5, True, "quay"]
assert parse_toml("a = [1_000, 2024-05-01]") == {"a": [1000, datetime.date(2024, 5, 1)]}
assert len(compiled) > at_import + 8
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)


def test_values_come_from_values() -> None:
    """`dataclasses` writes its classes while they are imported."""
    found = {
        path.relative_to(REPOSITORY / "runner").as_posix()
        for path in (REPOSITORY / "runner").rglob("*.py")
        if "from dataclasses import" in path.read_text("utf-8")
    }
    assert found == {"lazy_dataclass.py"}
