"""A repository at a code host: a bare one, people's clone of it, and the working trees of its jobs."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders.content_repo import ContentRepo
from tests.builders.workflow_jobs import Job, tool_path
from tests.commands.conftest import KEY, PAID_FILM, Host, hosts
from tests.double.code_hosts import Github, Gitlab

BOARD = "storyboards/film.yaml"
ANIMATICS = {
    f"renders/film/sandbox/{name}" for name in ("clips/quay/take-1.mp4", "sheet.quay.jpg", "dailies.quay.html")
}
"""What a job draws of a branch that changes the shot `quay`."""
OFFLINE = Host("http://127.0.0.1:9")
"""A paid provider that does not answer: whatever is sent to it fails."""


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    with hosts() as start:
        yield start


@pytest.fixture
def github() -> Iterator[Github]:
    with Github() as double:
        yield double


@pytest.fixture
def gitlab() -> Iterator[Gitlab]:
    with Gitlab() as double:
        yield double


@dataclass
class Project:
    """A film of two shots that `init` has prepared for CI, and its bare repository."""

    top: Path
    service: str
    paid: Host = OFFLINE
    people: ContentRepo = field(init=False)
    jobs: int = 0

    def __post_init__(self) -> None:
        self.people = ContentRepo(self.top / "people" / "film")
        self.people.root.mkdir(parents=True)
        assert self.people.storyboard("init", f"--{self.service}", "--install", "true").code == 0
        for example in (self.people.root / "storyboards").glob("*.yaml"):
            example.unlink()
        self.people.write(BOARD, PAID_FILM)
        self.people.git("init", "-q", "-b", "main")
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.origin)], check=True)
        self.people.git("remote", "add", "origin", str(self.origin))
        self.push("A film")

    @property
    def origin(self) -> Path:
        return self.top / "acme" / "film.git"

    def push(self, message: str) -> str:
        """Commit what people changed, and push their branch; the commit."""
        self.people.git("add", "-A")
        self.people.git("commit", "-qm", message)
        self.people.git("push", "-qf", "origin", "HEAD")
        return self.commit("HEAD")

    def commit(self, name: str) -> str:
        return self.people.git("rev-parse", name).strip()

    def change(self, old: str, new: str) -> None:
        text = (self.people.root / BOARD).read_text()
        assert old in text
        self.people.write(BOARD, text.replace(old, new))

    def pull_request(self, old: str, new: str, branch: str = "change") -> str:
        """A branch with one changed word; its last commit."""
        self.people.git("checkout", "-q", "-B", branch, "main")
        self.change(old, new)
        return self.push("A change")

    def merge(self, branch: str = "change") -> str:
        """Merge a branch as people do, and push; the merge commit."""
        self.people.git("checkout", "-q", "main")
        self.people.git("pull", "-q", "--rebase", "origin", "main")
        self.people.git("merge", "-q", "--no-ff", "-m", "Merge", branch)
        self.people.git("push", "-q", "origin", "main")
        return self.commit("main")

    def checkout(self, revision: str, *, into: str = "") -> ContentRepo:
        """The working tree of a new job; `into`: merged into this branch first, as a pull request's job has it."""
        self.jobs += 1
        root = self.top / f"job-{self.jobs}" / "film"
        repo = ContentRepo(root)
        subprocess.run(["git", "clone", "-q", str(self.origin), str(root)], check=True, capture_output=True)
        if into:
            repo.git("checkout", "-q", "--detach", f"origin/{into}")
            repo.git("merge", "-q", "--no-ff", "-m", "Merge", revision)
        else:
            repo.git("checkout", "-q", "-B", "main", revision)
        return repo

    def env(self, repo: ContentRepo, **more: str) -> dict[str, str]:
        """The environment of a job: its own home, this program on the PATH, the address of the paid provider."""
        home = repo.root.parent / "home"
        home.mkdir(exist_ok=True)
        plain = {name: os.environ[name] for name in ("LANG", "VIRTUAL_ENV") if name in os.environ}
        paths = {"PATH": tool_path(repo.root.parent / "bin"), "HOME": str(home)}
        return {**plain, **paths, "CI": "true", "SEEDANCE_BASE_URL": self.paid.base_url, **more}

    def main_manifest(self) -> dict[str, Any]:
        """The manifest as it stands on the default branch."""
        self.people.git("fetch", "-q", "origin")
        manifest: dict[str, Any] = yaml.safe_load(
            self.people.git("show", "origin/main:renders/film/kinovi/manifest.json")
        )
        return manifest


class GithubProject(Project):
    """The film at GitHub: each job is one that its workflows describe."""

    github: Github
    variables: dict[str, str]

    def job(self, repo: ContentRepo, commit: str, event: str, values: dict[str, str], **env: str) -> Job:
        context = {
            "github.token": self.github.token, "github.repository": "acme/film", "github.run_id": str(self.jobs),
            "github.run_attempt": "1", "github.ref_name": "main", "github.event.repository.default_branch": "main",
            "github.event.pull_request.head.sha": commit, "github.actor": "ines", "secrets.SEEDANCE_API_KEY": KEY,
            "vars.STORYBOARD_MAX_CREDITS": "1000", **self.variables, **values,
        }  # fmt: skip
        own = {
            "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_REPOSITORY": "acme/film",
            "GITHUB_API_URL": self.github.url, "GITHUB_SERVER_URL": "https://github.invalid", "GITHUB_SHA": commit,
        }  # fmt: skip
        return Job(
            repo.root, repo.root.parent / "temp", self.github, context, self.env(repo, **own, **env), self.top / "cache"
        )

    def steps(self, workflow: str, job: str) -> list[dict[str, Any]]:
        path = self.people.root / ".github" / "workflows" / workflow
        steps: list[dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"][job]["steps"]
        return steps

    def price(self, head: str) -> Job:
        """The job `price` of a pull request whose last commit is `head`."""
        repo = self.checkout(head, into="main")
        env = {"GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "change", "GITHUB_REF": "refs/pull/1/merge"}
        return self.job(repo, head, "pull_request", {}, **env).run(self.steps("storyboard.yml", "price"))

    def comment(self, priced: Job) -> Job:
        """The job `comment` after a job `price`: in an empty folder."""
        self.jobs += 1
        empty = ContentRepo(self.top / f"job-{self.jobs}" / "film")
        empty.root.mkdir(parents=True)
        values = {
            "github.event.pull_request.number": "1",
            "needs.price.outputs.orders": priced.outputs["steps.price.outputs.orders"],
        }
        return self.job(empty, "", "pull_request", values).run(self.steps("storyboard.yml", "comment"))

    def pay(self, commit: str, digest: str = "", *, lost_after: str = "", **values: str) -> Job:
        """The job `pay` after a push of a commit, or by hand with a digest."""
        repo = self.checkout(commit)
        event = "workflow_dispatch" if digest else "push"
        given = {"inputs.digest": digest} | {f"vars.{name}": value for name, value in values.items()}
        job = self.job(repo, commit, event, given, GITHUB_REF_NAME="main", GITHUB_REF="refs/heads/main")
        job.lost_after = lost_after
        return job.run(self.steps("storyboard-paid.yml", "pay"))


@pytest.fixture
def at_github(tmp_path: Path, github: Github) -> Callable[..., GithubProject]:
    """Makes the film at GitHub, with a paid provider."""

    def make(paid: Host = OFFLINE) -> GithubProject:
        project = GithubProject(tmp_path, "github", paid)
        project.github, project.variables = github, {}
        (tmp_path / "cache").mkdir()
        return project

    return make
