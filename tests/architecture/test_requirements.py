"""A part that the machine lacks is named; every test asks for its parts at one place."""

import ast
import os
from pathlib import Path

import pytest

from tests import requirements

TESTS = Path(__file__).parents[1]
APART = ("conformance/", "requirements.py", "architecture/test_requirements.py")
"""The conformance tests skip for want of a purse or a key, which no machine brings."""

ASKS = {
    *("pytest.skip", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif"),
    *("shutil.which", "sys.platform", "os.geteuid", "os.getuid"),
}
LAST_WORDS = {name.rpartition(".")[2] for name in ASKS}


def test_a_missing_part_is_a_skip_with_its_name_outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="the command no-such-command"):
        requirements.command("no-such-command")
    with pytest.raises(pytest.skip.Exception, match="/proc/no/such/file"):
        requirements.kernel_file("/proc/no/such/file")


def test_a_missing_part_is_a_failure_with_its_name_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="the command no-such-command"):
        requirements.command("no-such-command")


def test_a_machine_without_any_command_lacks_compiler_fonts_and_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "")
    for requirement in (requirements.c_compiler, lambda: requirements.font("a"), requirements.mount_namespace):
        with pytest.raises(pytest.skip.Exception, match="missing on this machine"):
            requirement()


def test_root_loses_its_rights_for_a_block_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with requirements.without_root_rights(), pytest.raises(PermissionError):
        (tmp_path / "file").touch()
    if os.geteuid() == 0:
        (tmp_path / "file").touch()


def test_no_test_asks_the_machine_or_skips_at_another_place() -> None:
    names = {path.relative_to(TESTS).as_posix(): path for path in TESTS.rglob("*.py")}
    asked = {
        f"{name}: {ast.unparse(node)}"
        for name, path in names.items()
        if not name.startswith(APART)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in LAST_WORDS and ast.unparse(node) in ASKS
    }
    assert asked == set()
