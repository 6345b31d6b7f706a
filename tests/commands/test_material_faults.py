"""Materials in trouble on their way: git cannot serve them, the host is busy, a clock is off, the file is large."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.builders.media_files import colours, film
from tests.commands.conftest import Host
from tests.commands.test_materials import CANARY, UPLOADS, picture
from tests.publish.servers import BUCKET, s3_server, web_server
from tests.requirements import c_compiler, linux

FILM = "storyboards/film.yaml"
ASSET = "storyboards/assets/maria.png"
PORTRAIT = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  maria: assets/maria.png
shots:
  - id: quay
    prompt: "@maria walks along the quay"
"""
Start = Callable[..., Host]


@pytest.fixture
def repo(tmp_path: Path) -> ContentRepo:
    """One shot with a portrait; not committed."""
    made = content(tmp_path, PORTRAIT)
    made.write("storyboard.toml", UPLOADS)
    (made.root / "storyboards/assets").mkdir()
    (made.root / ASSET).write_bytes(picture())
    return made


# -- git -----------------------------------------------------------------------------------------------------


def unpushed(repo: ContentRepo) -> None:
    repo.git("add", "--all")
    repo.git("commit", "-qm", "A portrait that stays here")


def large_file_pointer(repo: ContentRepo) -> None:
    repo.write(".gitattributes", "*.png filter=lfs -text\n")
    repo.git("add", "--all")
    repo.git("commit", "-qm", "A portrait in LFS")
    repo.git("push", "-q", "origin", "HEAD:main")


def submodule(repo: ContentRepo) -> None:
    assets = ContentRepo(repo.root.parent / "assets")
    assets.root.mkdir()
    (repo.root / ASSET).rename(assets.root / "maria.png")
    (repo.root / ASSET).parent.rmdir()
    assets.git("init", "-q")
    assets.git("add", "--all")
    assets.git("commit", "-qm", "A portrait")
    where = ("submodule", "--quiet", "add", str(assets.root), "storyboards/assets")
    repo.git("-c", "protocol.file.allow=always", *where)
    repo.git("commit", "-qam", "Assets of their own")
    repo.git("push", "-q", "origin", "HEAD:main")


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (unpushed, "its commit is on no remote branch of this clone; push it"),
        (large_file_pointer, "git holds a Git LFS pointer in its place"),
        (submodule, "it lies in a submodule, which has commits of its own"),
    ],
)
def test_what_git_cannot_serve_takes_a_later_way_and_without_one_is_blocked(
    repo: ContentRepo, host: Start, prepare: Callable[[ContentRepo], None], why: str
) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(repo.root.parent / "film.git")], check=True)
    repo.git("remote", "add", "origin", str(repo.root.parent / "film.git"))
    repo.git("push", "-q", "origin", "HEAD:main")
    prepare(repo)
    paid = host("--edition", "2026-09", "--local-materials")
    with web_server() as raw:
        git_url = f'[publish]\ngit_url = "{raw.base_url}/{{commit}}/{{path}}"\n'
        repo.write("storyboard.toml", f'{UPLOADS}{git_url}ways = ["git"]\n')
        refused = repo.storyboard("run", FILM, "--yes", **paid.env)
        words = " ".join((refused.out + refused.err).split())
        assert (refused.code, why in words, paid.state["creates"]) == (3, True, 0), words
        repo.write("storyboard.toml", UPLOADS + git_url)
        assert f"not git: {why}" in " ".join(repo.storyboard("plan", FILM, "--all", **paid.env).out.split())
        done = repo.storyboard("run", FILM, "--no-cut", "--yes", **paid.env)
        assert raw.requests == []
    assert (done.code, paid.state["uploads"], paid.state["creates"]) == (0, 1, 1), done.out + done.err


# -- servers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", ["upload", "put"])
def test_an_upload_that_is_answered_with_429_is_sent_again_until_it_is_taken(
    repo: ContentRepo, host: Start, busy: str
) -> None:
    rule = f"{{on: {busy}, times: 2, do: {{status: 429, message: slow down, headers: {{Retry-After: '1'}}}}}}"
    faults = repo.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")
    paid = host("--edition", "2026-09", "--faults", str(faults))
    done = repo.storyboard("run", FILM, "--no-cut", "--yes", **paid.env)
    assert (done.code, paid.state["uploads"], paid.state["creates"]) == (0, 1, 1), done.out + done.err
    assert [fault["happened"] for fault in paid.state["faults"]] == [2]


@pytest.mark.parametrize("offset", ["3600", "-3600"])
def test_a_clock_that_is_off_by_an_hour_is_named_when_the_store_refuses(
    repo: ContentRepo, host: Start, tmp_path: Path, offset: str
) -> None:
    library = tmp_path / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([c_compiler(), "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    paid = host("--edition", "2026-09", "--local-materials")
    repo.write("storyboard.toml", f'{UPLOADS}[publish]\nways = ["store"]\nstore = "s3://{BUCKET}/refs"\n')
    with s3_server(tmp_path / "objects") as s3:
        env = paid.env | s3.environment | {"LD_PRELOAD": str(library), "CLOCK_OFFSET": offset}
        with repo.start_interpreter("run", FILM, "--yes", **env) as process:
            out, err = process.communicate(timeout=120)
        assert s3.objects() == []
    words = " ".join((out + err).split())
    assert (process.returncode, paid.state["creates"]) == (1, 0), words
    assert "the clock of this machine is too far from the store's: set it, and run again (it says 20" in words
    assert "it is @maria (storyboards/film.yaml:5); no credit was spent" in words
    assert not CANARY.search(out + err)


# -- large files ---------------------------------------------------------------------------------------------


def peak_of_run(repo: ContentRepo, paid: Host) -> int:
    """The most bytes that a run held in memory, all its processes apart from each other."""
    env = repo.env(**paid.env)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "run", FILM, "--yes"],
        cwd=repo.root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss << 10


def test_a_file_of_48_mb_is_uploaded_within_64_mb_of_memory(repo: ContentRepo, host: Start) -> None:
    linux()  # which counts ru_maxrss in KiB
    paid = host("--edition", "2026-09")
    repo.write(FILM, PORTRAIT.replace("maria: assets/maria.png", "maria: {video: assets/maria.mp4}"))
    video = film(repo.root / "storyboards/assets/maria.mp4", colours(96, (640, 360)))
    small = peak_of_run(repo, paid)
    with video.open("ab") as file:
        file.write(struct.pack(">I4s", 48 << 20, b"free") + bytes((48 << 20) - 8))
    large = peak_of_run(repo, paid)
    assert (paid.state["uploads"], paid.state["creates"]) == (2, 2)
    assert large - small <= 64_000_000
