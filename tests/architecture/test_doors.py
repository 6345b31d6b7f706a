"""The doors of the house: who may read the clock, the environment, sockets, SQL, and who may print."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.syntax_nodes import syntax_nodes

PACKAGE = Path(__file__).parents[2] / "runner"
FILES = sorted(PACKAGE.rglob("*.py"))
DRAWERS = {"utils", "util", "helpers", "common", "core", "base", "manager", "types", "misc", "tools"}
DOORS = {
    "clock and chance": (
        {"time.time", "time.monotonic", "datetime.now", "datetime.utcnow", "random.random", "random.choice",
         "uuid.uuid4", "secrets.token_urlsafe", "secrets.token_hex", "os.urandom"},
        ("clock.py",),
    ),
    "the environment": ({"os.environ", "os.getenv"}, ("settings/",)),
    "printing": ({"print"}, ("commands/", "show/", "cli.py", "__main__.py")),
    "the user": (
        {"input", "sys.stdin", "sys.stdout", "sys.stderr"},
        ("commands/", "cli.py", "__main__.py", "streams.py", "language/templates/worker", "sandbox/drawing/worker"),
    ),
    "SQL": ({"sqlite3.connect"}, ("store/",)),
    "sockets": ({"socket.socket", "socket.create_connection", "httpx.Client", "httpx.AsyncClient", "uvicorn.Server"},
                ("dailies_server/", "providers/", "publish/", "sandbox/")),
}  # fmt: skip


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{name_of(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def used(path: Path) -> Iterator[tuple[str, int]]:
    for node in syntax_nodes(path):
        if isinstance(node, ast.Attribute):
            yield name_of(node), node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


@pytest.mark.parametrize("door", DOORS)
def test_only_one_room_has_the_door_to(door: str) -> None:
    names, rooms = DOORS[door]
    outside = [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in FILES
        if not str(path.relative_to(PACKAGE)).startswith(rooms)
        for name, line in used(path)
        if name in names
    ]
    assert outside == []


def test_async_is_only_from_the_engine_up() -> None:
    low = (
        "language/",
        "editions/",
        "media/",
        "planning/",
        "attempts/",
        "requests/",
        "settings/",
        "animatic/",
        "diagnostics/",
        "show/",
    )
    found = [
        str(path.relative_to(PACKAGE))
        for path in FILES
        if str(path.relative_to(PACKAGE)).startswith(low) and "async def" in path.read_text("utf-8")
    ]
    assert found == []


def test_no_folder_or_file_is_a_drawer() -> None:
    assert [str(path) for path in PACKAGE.rglob("*") if path.stem in DRAWERS] == []


def test_every_module_says_its_one_thing_in_its_first_line() -> None:
    silent = [
        str(path.relative_to(PACKAGE))
        for path in FILES
        if isinstance(module := syntax_nodes(path)[0], ast.Module) and not ast.get_docstring(module)
    ]
    assert silent == []


def test_a_function_fits_a_screen_and_a_file_a_room() -> None:
    long = [f"{path.relative_to(PACKAGE)}: {size} lines" for path in FILES if (size := lines(path)) > 400]
    for path in FILES:
        for node in syntax_nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or 0) - node.lineno + 1
                if size > 60:
                    long.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: {size} lines")
    assert long == []


def lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def test_nobody_but_a_boundary_catches_everything() -> None:
    """A boundary is where a process ends; what notes something and raises it again catches nothing."""
    boundaries = ("cli.py", "language/templates/worker.py", "sandbox/drawing/worker.py")
    broad = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in FILES
        if str(path.relative_to(PACKAGE)) not in boundaries
        for node in syntax_nodes(path)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or name_of(node.type) == "Exception")
        if not any(isinstance(inner, ast.Raise) for inner in node.body)
    ]
    assert broad == []


def test_no_test_patches_a_module_of_ours() -> None:
    tests = PACKAGE.parent / "tests"
    patch = re.compile(r"monkeypatch\.setattr|mock\.patch|from unittest import mock")
    here = Path(__file__)
    assert [str(path) for path in tests.rglob("*.py") if path != here and patch.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--version"], {"yaml", "jinja2", "jsonschema", "jsonschema_rs", "httpx", "anyio", "rich", "av", "PIL"}),
        (["--help"], {"yaml", "jinja2", "jsonschema", "jsonschema_rs", "httpx", "anyio", "rich", "av", "PIL"}),
        (
            ["plan", "storyboards/spot.yaml"],
            {"jsonschema", "httpx", "anyio", "rich", "av", "PIL", "starlette", "uvicorn"},
        ),
        (["validate", "storyboards/spot.yaml"], {"jsonschema", "httpx", "anyio", "rich", "av", "PIL", "starlette"}),
    ],
)
def test_heavy_modules_are_imported_only_by_what_needs_them(
    words: list[str], unwanted: set[str], tmp_path: Path
) -> None:
    script = (
        "import sys\nfrom runner.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=PACKAGE.parent, capture_output=True, text=True, check=True,
        env={"STORYBOARD_STATE": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert unwanted & set(done.stderr.split()) == set()


def test_every_child_process_gets_an_environment_of_its_own() -> None:
    """The key would be in an environment that is inherited."""
    starts = {"subprocess.run", "subprocess.Popen", "asyncio.create_subprocess_exec"}
    others = re.compile(
        r"(os\.(system|popen|fork|forkpty|exec\w+|spawn\w+|posix_spawnp?)|pty\.(fork|spawn)|multiprocessing\.\w+"
        r"|subprocess\.(call|check_\w+|getoutput|getstatusoutput)|asyncio\.create_subprocess_shell"
        r"|\w+\.(ProcessPoolExecutor|subprocess_exec|subprocess_shell|open_process|run_process))"
    )
    calls = [
        (f"{path.relative_to(PACKAGE)}:{node.lineno}", name_of(node.func), {word.arg for word in node.keywords})
        for path in FILES
        for node in syntax_nodes(path)
        if isinstance(node, ast.Call)
    ]
    assert [place for place, name, words in calls if name in starts and "env" not in words] == []
    assert [place for place, name, _ in calls if others.fullmatch(name)] == []
    assert sum(name in starts for _, name, _ in calls) >= 4


OPENERS = {"session.py", "named_shots.py", "saved_plan_session.py"}
USE_CASES = {"run.py", "plan.py", "status.py", "diff.py", "served_dailies.py"}
PLANNERS = {
    "session.py",
    "named_shots.py",
    "foreign_outputs.py",
    "selection.py",
    "budget_scope.py",
    "credit_scope.py",
    "confirmation.py",
    "plan_report.py",
    "cheaper_orders.py",
    "execute.py",
    "fetch_clips.py",
    "settle.py",
    "spend.py",
}


def names_in(path: Path, *names: str) -> Iterator[int]:
    return (node.lineno for node in syntax_nodes(path) if isinstance(node, ast.Name) and node.id in names)


def test_the_session_ends_where_a_use_case_begins() -> None:
    """A step is handed the values and ports that it uses, never the whole session."""
    naming = {path.name for path in (PACKAGE / "app").glob("*.py") if any(names_in(path, "Session"))}
    assert naming == OPENERS | USE_CASES


def test_only_what_plans_has_the_planner() -> None:
    """What reads a setting, the batch or the routes is handed those, and what needs one plan a function for it."""
    naming = {path.name for path in (PACKAGE / "app").glob("*.py") if any(names_in(path, "BatchPlanner"))}
    assert naming == PLANNERS


def test_the_session_stays_in_the_application() -> None:
    outside = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in FILES
        if not str(path.relative_to(PACKAGE)).startswith(("app/", "commands/"))
        for line in names_in(path, "Session", "Project")
    ]
    assert outside == []


MOST_LINES_OF_A_COMMAND = 60


def own_lines(path: Path) -> int:
    """Lines within the functions of a command that declare no flags, without docstrings, comments and blank lines."""
    text = path.read_text("utf-8").splitlines()
    lines: set[int] = set()
    for function in ast.walk(ast.parse("\n".join(text))):
        if isinstance(function, ast.FunctionDef) and not function.name.lstrip("_").startswith("add"):
            has_docstring = ast.get_docstring(function) is not None
            start = function.body[0].end_lineno if has_docstring else function.lineno - 1
            lines |= set(range((start or 0) + 1, (function.end_lineno or 0) + 1))
    return sum(1 for line in lines if text[line - 1].strip() and not text[line - 1].lstrip().startswith("#"))


def test_a_command_parses_calls_and_shows() -> None:
    long = {path.name: own_lines(path) for path in (PACKAGE / "commands").glob("*.py")}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES_OF_A_COMMAND} == {}


def test_parsed_arguments_stay_in_the_commands() -> None:
    naming = [
        f"{path.relative_to(PACKAGE)}"
        for path in FILES
        for node in syntax_nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "Namespace"
    ]
    assert [name for name in naming if not name.startswith("commands/") and name != "cli.py"] == []
