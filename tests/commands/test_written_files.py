"""Every file that a command writes below the repository: made new, by its folder's descriptor, through no link."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

Start = Callable[..., Host]
FILM = "storyboards/film.yaml"
PRECIOUS = "precious\n"
WATCH = """\
import os, sys
root, log = os.environ["WATCHED"], os.environ["WATCH_LOG"]
changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & changing:
        path, flags = os.fspath(arguments[0]) if not isinstance(arguments[0], int) else "", arguments[2]
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate"):
        path, flags = os.fspath(arguments[1 if event in ("os.rename", "os.link", "os.symlink") else 0]), 0
    else:
        return
    path = os.fsdecode(path)
    by_path = os.sep in path and os.path.abspath(path).startswith(root + os.sep)
    unnamed = bool(flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", -1))
    by_name = event == "open" and path and os.sep not in path
    safe = flags & os.O_EXCL and flags & os.O_NOFOLLOW
    with_descriptor = path and os.sep not in path
    line = None
    if by_path and not unnamed:
        line = f"by path: {event} {path}"
    elif by_name and not safe:
        line = f"not exclusive: {path}"
    elif with_descriptor:
        line = f"well: {event} {path}"
    if line:
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
        os.write(file, line.encode() + b"\\n")
        os.close(file)
sys.addaudithook(watch)
"""
"""Notes how files are changed: by a path below the repository, or by a plain name in an open folder."""


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., list[str]]:
    """Runs a command of a repository and returns how the command changed files."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)

    def run(repo: ContentRepo, *words: str, codes: tuple[int, ...] = (0,), **env: str) -> list[str]:
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        watch = {"PYTHONPATH": str(tmp_path / "watch"), "WATCHED": str(repo.root.resolve()), "WATCH_LOG": str(log)}
        result = repo.storyboard(*words, **env, **watch)
        assert result.code in codes, (result.out, result.err)
        return log.read_text().splitlines() if log.exists() else []

    return run


def test_every_file_is_made_new_by_its_folders_descriptor(
    paid_film: ContentRepo, host: Start, watched: Callable[..., list[str]]
) -> None:
    there = host()
    paid = ("--provider", "kinovi", "--yes")
    lines: list[str] = []
    for words, env in (
        (("run", FILM), {}),
        (("run", FILM, *paid), there.env),
        (("run", FILM, *paid, "--retake", "quay"), there.env),
        (("pick", "quay", "2", "--provider", "kinovi"), there.env),
        (("verify", FILM, "--provider", "kinovi"), there.env),
        (("init", "."), {}),
    ):
        lines += watched(paid_film, *words, **env)
    shutil.rmtree(paid_film.root / "renders/film/kinovi/clips/quay")
    lines += watched(paid_film, "fetch", FILM, "--provider", "kinovi", **there.env)
    paid_film.write(FILM, (paid_film.root / FILM).read_text().replace("id: boats", "id: ships"))
    lines += watched(paid_film, "run", FILM, *paid, **there.env)
    assert [line for line in lines if not line.startswith("well: ")] == []
    written = {line.removeprefix("well: open ") for line in lines if line.startswith("well: open ")}
    assert {".manifest.json.part", "storyboard.toml"} <= written
    assert any(name.startswith(".take-1.") for name in written)


@pytest.fixture
def precious(tmp_path: Path) -> Iterator[Path]:
    """A file of the user's, beside the repository, that stays as it is."""
    path = tmp_path / "precious"
    path.write_text(PRECIOUS)
    yield path
    assert path.read_text() == PRECIOUS
    assert not path.with_name("none").exists()


PLANTED = {
    "link": lambda path, precious: path.symlink_to(precious),
    "dangling link": lambda path, precious: path.symlink_to(precious.with_name("none")),
    "hard link": lambda path, precious: path.hardlink_to(precious),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_run_writes_through_none_of_the_links_that_have_its_files_names(
    film: ContentRepo, precious: Path, planted: str
) -> None:
    assert film.storyboard("run", FILM).code == 0
    output = film.root / "renders/film/sandbox"
    names = [path for path in output.rglob("*") if path.is_file()]
    assert sorted({path.name for path in names}) == ["cut.mp4", "manifest.json", "sheet.jpg", "take-1.mp4"]
    names += [path.with_name(f".{path.name}.part") for path in names]
    names += [next((output / "clips").rglob("take-1.mp4")).with_name(".take-1.00000000.part")]
    for path in names:
        path.unlink(missing_ok=True)
        PLANTED[planted](path, precious)
    film.storyboard("run", FILM)
    film.write(FILM, (film.root / FILM).read_text().replace("Sunrise", "Sunset"))
    (output / "manifest.json").unlink()
    assert film.storyboard("run", FILM).code == 0
    assert not any(path.is_symlink() for path in (output / "manifest.json", *output.rglob("take-1.mp4")))


@pytest.mark.parametrize("folder", ["renders", "renders/film", "renders/film/sandbox", "renders/film/sandbox/clips"])
def test_a_run_makes_nothing_in_a_folder_that_leads_out(film: ContentRepo, tmp_path: Path, folder: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (film.root / folder).parent.mkdir(parents=True, exist_ok=True)
    (film.root / folder).symlink_to(outside)
    result = film.storyboard("run", FILM)
    assert result.code == 3
    assert "outside the repository" in result.err
    assert os.listdir(outside) == []


def test_init_writes_nothing_through_a_link(film: ContentRepo, precious: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (film.root / "storyboard.toml").symlink_to(precious.with_name("none"))
    shutil.rmtree(film.root / "storyboards")
    (film.root / "storyboards").symlink_to(outside)
    result = film.storyboard("init", ".")
    assert result.code == 3
    assert "outside the repository" in result.err
    assert os.listdir(outside) == []
