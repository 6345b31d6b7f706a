"""The parts of GitHub's and GitLab's API that the workflows use, played on loopback."""

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

OWN_REPOSITORY = 7
"""The number of the repository or project."""


@dataclass(slots=True)
class CodeHost:
    """A host that answers by the routes of its kind: a method with a pattern of the path, and what it does."""

    token: str = "made-up-token"
    calls: list[str] = field(default_factory=list)
    """`METHOD path` of each request that had the token."""
    url: str = ""
    _server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Self:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.answer(self)

            do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - names of the standard library

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def routes(self) -> dict[str, Callable[..., object]]:
        """By `METHOD pattern`: a function of the pattern's groups, the query and the body."""
        raise NotImplementedError

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request; 401 without the token, 404 for what is not there."""
        length = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(length)) if length else {}
        address = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        code: int = 404
        result: object = {"message": "Not Found"}
        if self.token not in (request.headers.get("Authorization", "")[7:], request.headers.get("PRIVATE-TOKEN")):
            code, result = 401, {"message": "Unauthorized"}
        else:
            self.calls.append(f"{request.command} {address.path}")
            for route, act in self.routes().items():
                method, pattern = route.split(" ")
                matched = re.fullmatch(pattern, address.path)
                if method == request.command and matched and (found := act(*matched.groups(), query, body)) is not None:
                    code, result = 200, found
        content = result if isinstance(result, bytes) else json.dumps(result).encode()
        request.send_response(code)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def page(entries: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    """One page of a list."""
    size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
    return entries[(number - 1) * size : number * size]


@dataclass(slots=True)
class Github(CodeHost):
    """GitHub's comments, merged pull requests and artifacts."""

    account: str = "github-actions[bot]"
    """The account whose token comments are written with."""
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The pull requests of each commit."""
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[int, bytes] = field(default_factory=dict)
    """The archive of each artifact, by its id."""

    def routes(self) -> dict[str, Callable[..., object]]:
        repo = "/repos/acme/film"
        return {
            f"GET {repo}/issues/1/comments": lambda query, _: page(self.comments, query),
            f"POST {repo}/issues/1/comments": lambda _, body: self.comment(body["body"]),
            f"PATCH {repo}/issues/comments/(\\d+)": self._edit,
            f"GET {repo}/commits/(\\w+)/pulls": lambda commit, *_: self.pulls.get(commit, []),
            f"GET {repo}/actions/artifacts": lambda query, _: {
                "artifacts": [artifact for artifact in self.artifacts if artifact["name"] == query["name"]]
            },
            f"GET {repo}/actions/artifacts/(\\d+)/zip": lambda number, *_: self.contents.get(int(number)),
        }

    def comment(self, body: str, account: str | None = None) -> dict[str, Any]:
        """Write a comment on the pull request 1."""
        entry = {"id": 40 + len(self.comments), "user": {"login": account or self.account}, "body": body}
        self.comments.append(entry)
        return entry

    def _edit(self, number: str, query: dict[str, str], body: dict[str, Any]) -> object:
        (entry,) = (entry for entry in self.comments if entry["id"] == int(number))
        return entry.update(body=body["body"]) or entry

    def merge(self, commit: str, head: str, base: str = "main", merge_commit: str | None = None) -> None:
        """Let a commit be the merge of the pull request 1, whose last commit is `head`."""
        pull = {"number": 1, "merged_at": "2026-12-01T00:00:00Z", "merge_commit_sha": merge_commit or commit}
        self.pulls.setdefault(commit, []).append({**pull, "head": {"sha": head}, "base": {"ref": base}})

    def upload(self, name: str, files: dict[str, bytes], head: str, repository: int = OWN_REPOSITORY) -> None:
        """Keep an artifact of a job at the commit `head`; the newest is listed first."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as target:
            for path, content in files.items():
                target.writestr(path, content)
        number = len(self.artifacts) + 1
        run = {"head_sha": head, "repository_id": OWN_REPOSITORY, "head_repository_id": repository}
        self.artifacts.insert(0, {"id": number, "name": name, "expired": False, "workflow_run": run})
        self.contents[number] = archive.getvalue()

    def files(self, name: str) -> dict[str, bytes]:
        """The files of the newest artifact of a name."""
        number = next(artifact["id"] for artifact in self.artifacts if artifact["name"] == name)
        with zipfile.ZipFile(io.BytesIO(self.contents[number])) as archive:
            return {path: archive.read(path) for path in archive.namelist()}


@dataclass(slots=True)
class Gitlab(CodeHost):
    """GitLab's notes, merged requests, and the files of its jobs."""

    account: int = 11
    """The account of the token."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    requests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The merge requests of each commit."""
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """The jobs of each pipeline."""
    contents: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """Files of artifacts, by job and path."""

    def routes(self) -> dict[str, Callable[..., object]]:
        project = f"/projects/{OWN_REPOSITORY}"
        request = f"{project}/merge_requests/1"
        return {
            "GET /user": lambda *_: {"id": self.account},
            f"GET {request}/notes": lambda query, _: page(self.notes, query),
            f"POST {request}/notes": lambda _, body: self.note(body["body"]),
            f"PUT {request}/notes/(\\d+)": self._edit,
            f"GET {project}/repository/commits/(\\w+)/merge_requests": lambda commit, *_: self.requests.get(commit, []),
            f"GET {request}/pipelines": lambda *_: self.pipelines,
            f"GET {project}/pipelines/(\\d+)/jobs": lambda number, *_: self.jobs.get(int(number)),
            f"GET {project}/jobs/(\\d+)/artifacts/(.+)": lambda job, path, *_: self.contents.get((int(job), path)),
        }

    def note(self, body: str, account: int | None = None) -> dict[str, Any]:
        """Write a note on the merge request 1."""
        entry = {"id": 60 + len(self.notes), "author": {"id": account or self.account}, "body": body}
        self.notes.append(entry)
        return entry

    def _edit(self, number: str, query: dict[str, str], body: dict[str, Any]) -> object:
        (entry,) = (entry for entry in self.notes if entry["id"] == int(number))
        return entry.update(body=body["body"]) or entry

    def merge(self, commit: str, head: str, source: int = OWN_REPOSITORY) -> None:
        """Let a commit be the merge of the request 1, whose last commit is `head`."""
        request = {"iid": 1, "state": "merged", "target_branch": "main", "sha": head, "merge_commit_sha": commit}
        projects = {"source_project_id": source, "target_project_id": OWN_REPOSITORY}
        self.requests.setdefault(commit, []).append({**request, **projects, "squash_commit_sha": None})

    def upload(self, head: str, plan: bytes) -> None:
        """Keep the plan of a job of the merge request at the commit `head`."""
        number = len(self.pipelines) + 1
        self.pipelines.insert(0, {"id": number, "sha": head, "source": "merge_request_event"})
        self.jobs[number] = [{"id": 100 + number, "name": "storyboard", "status": "success"}]
        self.contents[100 + number, "storyboard-ci/plan.json"] = plan
