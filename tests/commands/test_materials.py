"""Local files and frames at a paid host: by its own links and uploads, by git, by a store; and what none can take."""

import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import Host
from tests.publish.servers import BUCKET, Answer, s3_server, web_server

CHAIN = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  maria: assets/maria.png
shots:
  - id: quay
    prompt: "@maria walks along the quay"
  - id: enter
    first_frame: "@quay.last_frame"
    prompt: She pushes the door open
  - id: stays
    references: ["@quay"]
    prompt: "The same walk as @quay, from behind, with @maria"
"""
UPLOADS = '[providers.kinovi]\nedition = "2026-09"\n'
CANARY = re.compile(r"X-Amz-|Signature=|token=|MADEUPKEYOFTESTS|made-up-secret")


def picture(shade: int = 90) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 360), (shade, 40, 40)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def chain(tmp_path: Path) -> ContentRepo:
    """Three shots: one with a portrait, one from a frame, one from a clip and the portrait."""
    made = content(tmp_path, CHAIN)
    (made.root / "storyboards/assets").mkdir()
    (made.root / "storyboards/assets/maria.png").write_bytes(picture())
    return made


def run(repo: ContentRepo, host: Host, **env: str) -> tuple[int, str]:
    done = repo.storyboard("run", "storyboards/film.yaml", "--no-cut", "--max-credits", "500", **host.env, **env)
    return done.code, done.out + done.err


def stored_secrets(repo: ContentRepo) -> list[str]:
    """Files with a signed link, a key or a token, other than the ledger, which may hold links."""
    files = [path for folder in (repo.root, repo.state) for path in folder.rglob("*") if path.is_file()]
    texts = [path for path in files if ".git" not in path.parts and "ledger" not in path.name]
    return [path.name for path in texts if CANARY.search(path.read_bytes().decode("utf-8", "replace"))]


def test_a_chain_runs_whole_with_an_edition_that_has_uploads_and_nothing_else(
    chain: ContentRepo, host: Callable[..., Host]
) -> None:
    chain.write("storyboard.toml", UPLOADS)
    paid = host("--edition", "2026-09")
    code, text = run(chain, paid)

    assert (code, "3 clips made" in text) == (0, True), text
    assert len(paid.state["tasks"]) == 3
    assert not CANARY.search(text)
    assert stored_secrets(chain) == []


def test_the_plan_names_way_host_and_bytes_of_each_material(chain: ContentRepo) -> None:
    chain.write("storyboard.toml", UPLOADS)
    shown = chain.in_process("plan", "storyboards/film.yaml", "--provider", "kinovi", "--all")
    maria = (chain.root / "storyboards/assets/maria.png").read_bytes()
    rows = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert any(row.startswith("storyboards/assets/maria.png upload kinovi.ai") for row in rows)
    assert "@quay.last_frame vendor kinovi.ai" in rows
    assert "uploads, deleted there after 24 hours" in shown.out

    told = chain.in_process("plan", "storyboards/film.yaml", "--provider", "kinovi", "--json").json["materials"]
    assert told[0] == {
        "name": "storyboards/assets/maria.png",
        "way": "upload",
        "host": "kinovi.ai",
        "bytes": len(maria),
        "sha256": hashlib.sha256(maria).hexdigest(),
        "sent": False,
    }
    assert [(item["name"], item["way"]) for item in told[1:]] == [("@quay.last_frame", "vendor"), ("@quay", "vendor")]


def test_what_no_way_can_take_is_blocked_and_nothing_is_sent(chain: ContentRepo, host: Callable[..., Host]) -> None:
    chain.write("storyboard.toml", UPLOADS + "[publish]\nways = []\n")
    paid = host("--edition", "2026-09")
    code, text = run(chain, paid)

    assert code == 3
    assert "add `upload` to `[publish] ways`, set `[publish] store` or `git_url`" in " ".join(text.split())
    assert paid.state["tasks"] == []


def push_film(chain: ContentRepo, tmp_path: Path) -> None:
    """Commits the film, and pushes it to a repository of its own."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "film.git")], check=True)
    chain.git("remote", "add", "origin", str(tmp_path / "film.git"))
    chain.git("add", "--all")
    chain.git("commit", "-qm", "film")
    chain.git("push", "-q", "origin", "HEAD:main")


def test_a_committed_file_is_read_from_the_git_host_and_a_changed_one_is_uploaded(
    chain: ContentRepo, host: Callable[..., Host], tmp_path: Path
) -> None:
    push_film(chain, tmp_path)
    commit = chain.git("rev-parse", "HEAD").strip()
    paid = host("--edition", "2026-09", "--local-materials")
    with web_server({f"{commit}/storyboards/assets/maria.png": Answer(200, picture())}) as raw:
        chain.write("storyboard.toml", f'{UPLOADS}[publish]\ngit_url = "{raw.base_url}/{{commit}}/{{path}}"\n')
        plan = chain.in_process("plan", "storyboards/film.yaml", "--provider", "kinovi", "--all")
        assert f"git {raw.base_url.removeprefix('http://')}" in plan.out
        code, text = run(chain, paid)
    assert code == 0, text
    assert len(raw.requests) == 1

    (chain.root / "storyboards/assets/maria.png").write_bytes(picture(200))
    changed = chain.in_process("plan", "storyboards/film.yaml", "--all", **paid.env).out
    assert "not git: it differs from its last commit; commit and push it" in changed


def test_a_private_repository_fails_its_takes_before_they_are_paid(
    chain: ContentRepo, host: Callable[..., Host], tmp_path: Path
) -> None:
    push_film(chain, tmp_path)
    paid = host("--edition", "2026-09")
    with web_server() as raw:
        chain.write("storyboard.toml", f'{UPLOADS}[publish]\ngit_url = "{raw.base_url}/{{commit}}/{{path}}"\n')
        code, text = run(chain, paid)
    assert code == 1
    assert "is the repository private, or `git_url` wrong?" in " ".join(text.split())
    assert paid.state["tasks"] == []


def test_a_store_gets_one_object_over_two_runs_and_its_links_stand_nowhere(
    chain: ContentRepo, host: Callable[..., Host], tmp_path: Path
) -> None:
    paid = host("--local-materials")
    with s3_server(tmp_path / "objects") as s3:
        chain.write("storyboard.toml", f'[publish]\nways = ["store"]\nstore = "s3://{BUCKET}/refs"\n')
        code, text = run(chain, paid, **s3.environment)
        assert code == 0, text
        objects = s3.objects()
        portrait = s3.folder / BUCKET / next(name for name in objects if hashlib.sha256(picture()).hexdigest() in name)
        written = portrait.stat().st_mtime_ns
        shutil.rmtree(chain.state)
        shutil.rmtree(chain.root / "renders")
        again, _ = run(chain, paid, **s3.environment)
        assert (again, set(objects) <= set(s3.objects()), portrait.stat().st_mtime_ns) == (0, True, written)
    assert len(objects) == 3
    assert all(re.fullmatch(r"refs/sha256/../[0-9a-f]{64}\.(png|mp4)", name) for name in objects)
    assert not CANARY.search(text)
    assert stored_secrets(chain) == []


def test_a_plan_opens_no_connection_and_signs_nothing(chain: ContentRepo) -> None:
    chain.write("storyboard.toml", f'{UPLOADS}[publish]\nstore = "s3://{BUCKET}"\n')
    chain.write("sitecustomize.py", "import socket\ndef refuse(*a):\n    raise SystemExit('a connection')\n"
                "socket.socket.connect = refuse\nsocket.getaddrinfo = refuse\n")  # fmt: skip
    for command in ("plan", "validate"):
        done = chain.storyboard(command, "storyboards/film.yaml", "--provider", "kinovi", PYTHONPATH=str(chain.root))
        assert done.code == 0, done.err


def test_a_new_destination_is_marked_in_the_plan(chain: ContentRepo, host: Callable[..., Host]) -> None:
    chain.write("storyboard.toml", UPLOADS)
    paid = host("--edition", "2026-09", "--local-materials")
    assert run(chain, paid)[0] == 0
    chain.write("storyboard.toml", f'{UPLOADS}[publish]\nstore = "s3://stranger/refs"\n')
    chain.write("storyboards/film.yaml", CHAIN.replace("walks", "runs"))
    told = chain.in_process("plan", "storyboards/film.yaml", **paid.env)
    assert "s3://stranger/refs" in told.out
    assert "NEW since your last approval" in " ".join(told.out.split())


SERIES = """\
storyboard: 1
title: The walk
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  maria: assets/maria.png
shots:
  - id: walk-{{ hour }}
    matrix: {hour: [one, two, three, four, five, six, seven, eight]}
    prompt: "@maria walks along the quay at {{ hour }} o'clock"
"""


def test_shots_that_share_a_portrait_send_it_once_and_the_next_plan_says_so(
    chain: ContentRepo, host: Callable[..., Host]
) -> None:
    chain.write("storyboards/film.yaml", SERIES)
    chain.write("storyboard.toml", UPLOADS)
    paid = host("--edition", "2026-09")
    code, text = run(chain, paid)
    assert (code, "8 clips made" in text) == (0, True), text
    assert paid.state["uploads"] == 1

    chain.write("storyboards/film.yaml", SERIES.replace("walks", "runs"))
    assert "1 was sent before" in chain.in_process("plan", "storyboards/film.yaml", **paid.env).out


def test_credentials_that_are_missing_or_end_too_soon_stop_a_run_before_it_spends(
    chain: ContentRepo, host: Callable[..., Host]
) -> None:
    chain.write("storyboard.toml", f'[publish]\nstore = "s3://{BUCKET}"\n')
    paid = host()
    code, text = run(chain, paid)
    assert (code, "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in text) == (3, True), text

    keys = {"AWS_ACCESS_KEY_ID": "MADEUPKEYOFTESTS0000", "AWS_SECRET_ACCESS_KEY": "made-up-secret-of-the-tests-0000"}
    code, text = run(chain, paid, **keys, AWS_CREDENTIAL_EXPIRATION="2026-01-01T00:00:00Z")
    assert (code, "the credentials end at 2026-01-01 00:00 UTC" in text) == (3, True), text
    assert not CANARY.search(text)
    assert paid.state["tasks"] == []


def test_an_address_of_the_storyboard_that_nobody_answers_for_is_a_warning(
    chain: ContentRepo, host: Callable[..., Host]
) -> None:
    chain.write("storyboard.toml", UPLOADS + "[publish]\ncheck = true\n")
    paid = host("--edition", "2026-09")
    chain.write("storyboards/film.yaml", CHAIN.replace("assets/maria.png", "https://nowhere.invalid/maria.png"))
    _, text = run(chain, paid)
    assert "its address could not be checked" in " ".join(text.split())


def test_an_upload_that_serves_a_login_page_costs_nothing_and_names_asset_line_and_way(
    chain: ContentRepo, host: Callable[..., Host]
) -> None:
    chain.write("storyboard.toml", UPLOADS)
    faults = chain.write("faults.yaml", "faults: 1\nrules: [{on: file, do: {html: true, status: 200}}]\n")
    paid = host("--edition", "2026-09", "--faults", str(faults))
    code, text = run(chain, paid)
    closing = " ".join(text.split())
    assert code == 1
    assert "storyboards/assets/maria.png: its address (upload) serves a web page (a login?), not an image" in closing
    assert "it is @maria (storyboards/film.yaml:5); no credit was spent, and the next run tries again" in closing
    assert paid.state["creates"] == 0


def test_a_file_that_changes_while_the_question_stands_is_not_sent_and_costs_nothing(
    chain: ContentRepo, host: Callable[..., Host]
) -> None:
    chain.write("storyboard.toml", UPLOADS)
    paid = host("--edition", "2026-09")
    portrait = chain.root / "storyboards/assets/maria.png"
    run = ("run", "storyboards/film.yaml")
    ended = chain.at_question(run, "y\n", lambda: portrait.write_bytes(picture(200)), paid.env)
    assert ended.code == 1
    closing = " ".join(ended.out.split())
    assert "storyboards/assets/maria.png has changed since the plan was made: run again; it is @maria" in closing
    assert (paid.state["creates"], paid.state["uploads"]) == (0, 0)
