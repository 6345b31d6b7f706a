"""A store that loses, changes or hides what was put there: each take that needs it fails before it is paid."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.builders.media_files import picture
from tests.commands.conftest import Host
from tests.publish.servers import Answer, WebServer, web_server

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  maria: assets/maria.png
shots:
  - id: quay
    prompt: "@maria walks along the quay"
  - id: sea
    prompt: Waves at dawn
"""
LOGIN = Answer(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"})
POINTER = Answer(200, b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n")


@pytest.fixture
def repo(tmp_path: Path) -> ContentRepo:
    made = content(tmp_path, FILM)
    (made.root / "storyboards/assets").mkdir()
    picture(made.root / "storyboards/assets/maria.png", (640, 360))
    return made


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(404), "the object is not there"),
        (Answer(403), "the store does not let everybody read it"),
        (LOGIN, "a web page (a login?)"),
        (Answer(302, b"", {"Location": "/login"}), "a web page (a login?)"),
        (POINTER, "Git LFS pointer"),
        (Answer(200, b"\x89PNG\r\n\x1a\n" + b"\0" * 900), "bytes instead of"),
    ],
    ids=["lost", "denied", "a login page", "a redirect to a login", "a pointer", "other bytes"],
)
def test_its_take_fails_before_it_is_paid_and_the_others_go_on(
    repo: ContentRepo, host: Callable[..., Host], answer: Answer, words: str
) -> None:
    paid = host()
    with web_server(folder=repo.root / "served") as web:
        web.answers["/login"] = LOGIN
        web.any_file = answer
        code, text = run(repo, paid, web)

    assert (code, words in text, "storyboards/assets/maria.png" in text) == (1, True, True), text
    assert len(paid.state["tasks"]) == 1


def test_the_next_run_makes_the_take_once_its_object_is_there(repo: ContentRepo, host: Callable[..., Host]) -> None:
    paid = host("--local-materials")
    with web_server(folder=repo.root / "served") as web:
        web.any_file = Answer(404)
        assert run(repo, paid, web)[0] == 1
        web.any_file = None
        assert run(repo, paid, web)[0] == 0
    assert len(paid.state["tasks"]) == 2


def test_a_program_reads_why_the_take_was_not_ordered(repo: ContentRepo, host: Callable[..., Host]) -> None:
    paid = host()
    with web_server() as web:
        repo.write("storyboard.toml", f'[publish]\nstore = "file:served"\nbase_url = "{web.base_url}"\n')
        done = repo.storyboard("run", "storyboards/film.yaml", "--max-credits", "500", "--json", **paid.env)
    [failed] = json.loads(done.out.splitlines()[-1])["failed"]

    assert (failed["shot"], failed["code"]) == ("quay", "material-unreachable")


def run(repo: ContentRepo, host: Host, web: WebServer) -> tuple[int, str]:
    """A run with a folder as the store, which a web server serves."""
    repo.write("storyboard.toml", f'[publish]\nstore = "file:served"\nbase_url = "{web.base_url}"\n')
    done = repo.storyboard("run", "storyboards/film.yaml", "--no-cut", "--max-credits", "500", **host.env)
    return done.code, " ".join((done.out + done.err).split())
