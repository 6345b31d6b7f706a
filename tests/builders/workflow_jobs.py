"""Jobs of GitHub's workflows, played: expressions, `run:` in real bash, and the actions of others on folders."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.double.code_hosts import Github
from tests.prepared_command import write_command

_TOKEN = re.compile(r"'[^']*'|[A-Za-z_][\w.-]*(?:\(\))?|==|!=|&&|\|\||!|\(|\)")
_WORDS = {"&&": "and", "||": "or", "!": "not", "==": "==", "!=": "!=", "(": "(", ")": ")"}
_CONTEXTS_WITH_GAPS = ("steps.", "inputs.", "vars.", "secrets.")
"""Contexts in which a name that is not there is empty."""


def tool_path(folder: Path) -> str:
    """A PATH that begins with a folder where `storyboard` is this program, and `pip` notes what it is asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    write_command(folder / "storyboard")
    (folder / "pip").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {folder.parent / "pip.log"}\n')
    for tool in folder.iterdir():
        tool.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@dataclass
class Job:
    """One job at GitHub, in a working tree that is checked out already."""

    root: Path
    """The working tree."""
    temp: Path
    """RUNNER_TEMP: a folder of this job alone."""
    host: Github
    context: dict[str, str]
    """Values of expressions by name: `github.token`, `vars.STORYBOARD_INSTALL`."""
    env: dict[str, str]
    caches: Path
    """The folder of all caches, one below its key."""
    outputs: dict[str, str] = field(default_factory=dict)
    """`steps.ID.outputs.NAME` of the steps that ran."""
    failed: str = ""
    """The step that failed first; empty while none has."""
    lost_after: str = ""
    """The step after which the machine is lost: none of the others runs."""
    log: str = ""

    def __post_init__(self) -> None:
        self.temp.mkdir(parents=True, exist_ok=True)

    @property
    def summary(self) -> str:
        path = self.temp / "summary.md"
        return path.read_text() if path.exists() else ""

    def run(self, steps: Sequence[Mapping[str, Any]]) -> "Job":
        """Run steps as a job does: after a failure only those with `always()`."""
        for step in steps:
            condition = str(step.get("if", "success()"))
            if not self.evaluate(condition if "()" in condition else f"success() && ({condition})"):
                continue
            done = self._run_script(step) if "run" in step else self._use(step)
            self.failed = self.failed or ("" if done else str(step.get("name", step.get("uses"))))
            if self.lost_after and step.get("name") == self.lost_after:
                break
        return self

    def evaluate(self, expression: str) -> str | bool:
        """The value of an expression."""
        words = [_WORDS.get(token) or repr(self._value(token)) for token in _TOKEN.findall(expression)]
        result: str | bool = eval(" ".join(words), {"__builtins__": {}})
        return result

    def _value(self, token: str) -> str | bool:
        if token.startswith("'"):
            return token[1:-1]
        if token.endswith("()"):
            return token == "always()" or not self.failed
        if token in ("true", "false"):
            return token == "true"
        values = {**self.context, **self.outputs, "runner.temp": str(self.temp)}
        return values.get(token, "") if token.startswith(_CONTEXTS_WITH_GAPS) else values[token]

    def _filled(self, text: object) -> str:
        def value(match: re.Match[str]) -> str:
            return str(self.evaluate(match[1]))

        return re.sub(r"\$\{\{(.+?)\}\}", value, str(text))

    def _run_script(self, step: Mapping[str, Any]) -> bool:
        output = self.temp / "output"
        output.write_text("")
        own = {name: self._filled(value) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md")}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=self.root,
            env={**self.env, "RUNNER_TEMP": str(self.temp), **files, **own}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        self.log += f"== {step.get('name')}\n{done.stdout}"
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"steps.{step.get('id', '')}.outputs.{name}"] = value
        return done.returncode == 0

    def _use(self, step: Mapping[str, Any]) -> bool:
        uses, given = step["uses"], {name: self._filled(value) for name, value in step.get("with", {}).items()}
        if uses.startswith("./"):
            return self._use_own(step, self.root / uses, given)
        name = uses.partition("@")[0]
        if name == "actions/upload-artifact":
            self._upload(given)
        elif name == "actions/download-artifact":
            for path, content in self.host.files(given["name"]).items():
                target = Path(given["path"], path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        elif name == "actions/cache/restore":
            keys = [path for path in self.caches.glob("*") if path.name.startswith(given["restore-keys"])]
            if keys:
                shutil.copytree(max(keys, key=lambda path: path.stat().st_mtime_ns), given["path"])
        elif name == "actions/cache/save":
            if Path(given["path"]).is_dir():
                shutil.copytree(given["path"], self.caches / given["key"])
                os.utime(self.caches / given["key"])
        else:
            assert name in ("actions/checkout", "actions/setup-python"), name
        return True

    def _use_own(self, step: Mapping[str, Any], folder: Path, given: Mapping[str, str]) -> bool:
        """Run a composite action of the repository in this job's place."""
        action = yaml.safe_load((folder / "action.yml").read_text())
        inputs = {f"inputs.{name}": str(value.get("default", "")) for name, value in action["inputs"].items()}
        assert {f"inputs.{name}" for name in given} <= inputs.keys()
        context = self.context | inputs | {f"inputs.{name}": value for name, value in given.items()}
        env = {**self.env, "GITHUB_ACTION_PATH": str(folder)}
        inner = Job(self.root, self.temp, self.host, context, env, self.caches).run(action["runs"]["steps"])
        for name, output in action["outputs"].items():
            self.outputs[f"steps.{step.get('id', '')}.outputs.{name}"] = inner._filled(output["value"])
        self.log += inner.log
        return not inner.failed

    def _upload(self, given: Mapping[str, str]) -> None:
        path = Path(given["path"])
        files = {path.name: path} if path.is_file() else {str(file.relative_to(path)): file for file in path.rglob("*")}
        held = {name: file.read_bytes() for name, file in files.items() if file.is_file()}
        if held:
            self.host.upload(given["name"], held, self.context["github.event.pull_request.head.sha"])
