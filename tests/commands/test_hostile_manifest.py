"""A stranger's manifest: refused with exit 3 and the field, or read as what it is; never a hang, never a defect."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.content_repo import ContentRepo, content

FILM = "storyboards/film.yaml"
LOOKING = (("plan", FILM), ("status", FILM), ("verify", FILM), ("run", FILM))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """A repository whose clips are made."""
    film = content(tmp_path_factory.mktemp("made"))
    assert film.storyboard("run", FILM, "--no-cut").code == 0
    return film


def manifest_path(film: ContentRepo) -> Path:
    return film.root / "renders/film/sandbox/manifest.json"


@pytest.fixture
def whole(made: ContentRepo) -> Iterator[str]:
    """The manifest as it was written; written again after the test."""
    text = manifest_path(made).read_text()
    yield text
    path = manifest_path(made)
    path.unlink()
    path.write_text(text)


def set_field(*keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        holder = manifest["shots"][0]["takes"][0]
        for key in keys[:-1]:
            holder = holder[key]
        holder[keys[-1]] = value

    return change


def set_in_shot(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        manifest["shots"][0][name] = value

    return change


def without_request(**more: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        take = manifest["shots"][0]["takes"][0]
        del take["request"]
        take.update(more)

    return change


def picked(**more: Any) -> Callable[[dict[str, Any]], None]:
    return set_in_shot("picked", {"take": 1, "fingerprint": None, "task_id": None, "at": None} | more)


DEEP: dict[str, Any] = {}
for _ in range(200):
    DEEP = {"a": DEEP}
PATHS = (
    "a\0b",
    "\ud800",
    "/dev/zero",
    "../../../../etc/passwd",
    "renders/../clips/a/take-1.mp4",
    "",
    ".",
    "storyboard.toml",
    "/renders/clips/a/take-1.mp4",
    "renders//clips/a/take-1.mp4",
    ".git/clips/a/take-1.mp4",
    "x" * 100_000,
    5,
    None,
)
DATES = (
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "yesterday",
    9e99,
    "\ud800",
    "2026-01-01T00:00:00+99:99",
    "1970-01-01T00:00:00Z",
)
UNFIT: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    **{
        f"clip.path {number}": ("clip.path", set_field("clip", "path", value=path)) for number, path in enumerate(PATHS)
    },
    **{
        f"created_at {number}": ("created_at", set_field("created_at", value=date)) for number, date in enumerate(DATES)
    },
    **{
        f"completed_at {number}": ("completed_at", set_field("completed_at", value=date))
        for number, date in enumerate(DATES)
    },
    **{
        f"clip.{field} {value}": (f"clip.{field}", set_field("clip", field, value=value))
        for field in ("bytes", "width", "seconds")
        for value in (-1, 10**30, float("inf"), float("nan"), "1", True, None)
    },
    **{
        f"credits.{field} {value}": (f"credits.{field}", set_field("credits", field, value=value))
        for field in ("quoted", "used")
        for value in (-1, 10**30, float("inf"), float("nan"), "1e-99999999", True)
    },
    **{f"take {value}": ("take", set_field("take", value=value)) for value in (0, -1, 10**30, "1", 1.5, True, None)},
    **{
        f"task {ascii(value)[:9]}": ("task_id", set_field("task_id", value=value))
        for value in ("a\0b", "\udfff", "x" * 10**6, 5)
    },
    "status": ("status", set_field("status", value="maybe")),
    "sha256": ("clip.sha256", set_field("clip", "sha256", value="../x")),
    "request of 200 levels": ("deep", set_field("request", value=DEEP)),
    "request that is empty": ("request", set_field("request", value={})),
    "kept_for": ("kept_for", set_field("kept_for", value="../x")),
    "kept_for that is a list": ("kept_for", set_field("kept_for", value=["ab" * 32])),
    "unknown field of 200 levels": ("a further field of the take is more than 16 deep", set_field("x", value=DEEP)),
    "unknown field of a clip": ("a further field of the clip", set_field("clip", "x", value=float("nan"))),
    "unknown field of a shot": ("a further field of the shot", set_in_shot("x", DEEP)),
    "unknown field of the manifest": ("a further field of the manifest", lambda manifest: manifest.update(x=DEEP)),
    "half a character": ("surrogates not allowed", set_field("x", value="\ud800")),
    "picked number": ("picked", set_in_shot("picked", 1)),
    "picked list": ("picked", set_in_shot("picked", [1])),
    "picked take": ("picked: take", picked(take=-1)),
    "picked fingerprint": ("picked.fingerprint", picked(fingerprint="abc")),
    "picked task": ("picked: task_id", picked(task_id="a b")),
    "picked at": ("picked.at", picked(at="yesterday")),
    "notes that are none": ("notes", set_in_shot("notes", "hello")),
    "a note that is none": ("notes", set_in_shot("notes", [1])),
    "notes of 200 levels": ("notes is more than 16 deep", set_in_shot("notes", [DEEP])),
    "no request and a fingerprint that is none": ("fingerprint", without_request(fingerprint="abc")),
    "no request and no fingerprint": ("fingerprint", without_request(fingerprint=None)),
    "no request and no task": ("'request' is missing", without_request(task_id=None)),
    "no request and running": ("'request' is missing", without_request(status="running")),
    "no request and unsettled": ("'request' is missing", without_request(status="unsettled")),
    "request that is none": ("request", set_field("request", value=None)),
    "request with NaN": ("entry 1", set_field("request", "seconds", value=float("nan"))),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_field_is_exit_3_and_named(made: ContentRepo, whole: str, case: str) -> None:
    field, change = UNFIT[case]
    manifest = json.loads(whole)
    change(manifest)
    manifest_path(made).write_text(json.dumps(manifest))
    result = made.in_process("plan", FILM)
    assert result.code == 3, result.err
    assert "renders/film/sandbox/manifest.json" in result.err
    assert field in result.err
    assert len(result.err) < 1000


TEXTS: dict[str, Callable[[str], str]] = {
    "a number of 5000 digits": lambda whole: whole.replace('"take": 1', '"take": ' + "9" * 5000, 1),
    "100,000 brackets": lambda whole: "[" * 100_000,
    "five million values": lambda whole: "[" + "0," * 5_000_000 + "0]",
    "another version": lambda whole: whole.replace('"manifest": 2', '"manifest": 99'),
    "half a version": lambda whole: whole.replace('"manifest": 2', '"manifest": 1.5'),
    "a version below the first": lambda whole: whole.replace('"manifest": 2', '"manifest": 0'),
    "a version that is true": lambda whole: whole.replace('"manifest": 2', '"manifest": true'),
    "a list": lambda whole: "[]",
    "nothing": lambda whole: "",
    "a shot with a path as its id": lambda whole: whole.replace('"id": "quay"', '"id": "../../quay"'),
    "a million characters of nonsense": lambda whole: "x" * 1_000_000,
    "a conflict": lambda whole: f"<<<<<<< HEAD\n{whole}=======\n{whole}>>>>>>> other\n",
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_manifest_that_is_none_is_exit_3_for_every_command(made: ContentRepo, whole: str, case: str) -> None:
    manifest_path(made).write_text(TEXTS[case](whole))
    for words in LOOKING:
        result = made.in_process(*words)
        assert result.code == 3, (words, result.err)
        assert "renders/film/sandbox/manifest.json" in result.err + result.out
        assert len(result.err) < 2000


def larger_than_the_limit(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate((256 << 20) + 1)


NO_FILE: dict[str, Callable[[Path], None]] = {
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a link out of the repository": lambda path: path.symlink_to("/etc/hostname"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "larger than 256 MiB": larger_than_the_limit,
}


@pytest.mark.parametrize("kind", NO_FILE)
def test_a_manifest_that_is_no_ordinary_file_of_the_repository_is_exit_3(
    made: ContentRepo, whole: str, kind: str
) -> None:
    manifest_path(made).unlink()
    NO_FILE[kind](manifest_path(made))
    for words in LOOKING:
        result = made.storyboard(*words)
        assert result.code == 3, (words, result.err)
        assert "renders/film/sandbox/manifest.json" in result.err + result.out


@pytest.mark.parametrize("kind", ["endless", "a pipe", "a link out of the repository", "a link to itself"])
def test_a_clip_that_is_no_ordinary_file_of_the_repository_is_told_and_made_again(film: ContentRepo, kind: str) -> None:
    assert film.storyboard("run", FILM, "--no-cut").code == 0
    clip = film.root / "renders/film/sandbox/clips/quay/take-1.mp4"
    clip.unlink()
    NO_FILE[kind](clip)
    result = film.storyboard("verify", FILM)
    assert result.code == 1, result.err
    assert "quay" in result.out
    assert film.storyboard("run", FILM, "--no-cut").code == 0
    assert not clip.is_symlink()
    assert film.storyboard("verify", FILM).code == 0
