"""What to do about a refusal: which field, in which line, which material by the name that the user gave it."""

from dataclasses import replace

import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import FailureClass
from runner.diagnostics.problem import Place
from runner.editions.edition import load
from runner.language.model import Shot
from runner.requests.request import LocalFile, Mode, RemoteFile, Request, TakeReference
from runner.show.screens.advice import advice, field_errors, material_name, no_location
from tests.builders.screen_films import NOON, plan, series
from tests.show.driver import bad

MATERIALS = (
    LocalFile("storyboards/assets/maria.png", "a" * 64, "image", 1000),
    RemoteFile("https://cdn.example.com/walk.mp4", "video"),
    RemoteFile("https://cdn.example.com/sea.mp3", "audio"),
    TakeReference("quay", "last_frame"),
)
NAMES = ("maria", "walk", "sea", "quay.last_frame")


def shot(mode: Mode = "reference") -> Shot:
    materials = MATERIALS if mode == "reference" else (MATERIALS[3], MATERIALS[0])
    names = NAMES if mode == "reference" else ("quay.last_frame", "maria")
    request = Request("seedance-20", "720p", 5, "16:9", mode, "She enters", materials)
    return Shot("storyboards/film.yaml", "enter", request, 1, Place("storyboards/film.yaml", 7, 5), names=names)


def attempt(words: str = "", failure: FailureClass | None = None, *errors: tuple[str, str]) -> Attempt:
    made = bad(plan(series(1, 1)).steps[0], NOON, AttemptState.REFUSED, words)
    return replace(made, failure=failure, errors=errors)


@pytest.mark.parametrize(
    ("words", "failure", "told"),
    [
        ("Face detected in uploaded media", "face", "in place of maria or walk or quay"),
        (
            "The uploaded image violates platform rules",
            "moderation",
            "change maria or quay.last_frame;",
        ),
        ("The uploaded video violates platform rules", "moderation", "change walk; it is not sent again"),
        ("Reference image 1 failed review", "moderation", "change maria;"),
        ("Reference image 2 may contain sensitive content", "moderation", "change quay.last_frame;"),
        ("Reference image 9 failed review", "moderation", "change maria or quay.last_frame;"),
        ("FaceDetectionSuspect: reference image 1", "face", "in place of maria, or leave"),
        ("Audio cannot be the only reference", "moderation", "change sea;"),
        ("Failed to download your reference video 1", "moderation", "could not fetch walk;"),
        ("The input text violates platform rules", "moderation", "change the prompt; it is not sent again"),
        (
            "content violates",
            "moderation",
            "change what it says or shows: the prompt or maria or walk or sea or 1 more;",
        ),
        ("Face detected in uploaded media", None, "in place of maria or walk or quay"),
        ("Your input text violates platform rules", None, "change the prompt; it is not sent again"),
        ("The image is too large", None, "it may concern maria or quay.last_frame; it is not sent again"),
        ("duration must be at most 4", None, "it may concern duration; it is not sent again"),
        ("unsupported audio in this model", None, "it may concern model or sea; it is not sent again"),
        ("audioUrls cannot be read", None, "it may concern sea; it is not sent again"),
        ("HTTP 403, answered by cloudflare", None, "it is not sent again until it changes, or --again"),
    ],
)
def test_words_about_a_request_name_the_materials_or_fields_that_they_can_mean(
    words: str, failure: FailureClass | None, told: str
) -> None:
    assert told in advice(attempt(words, failure), "kinovi", shot())


def test_each_is_named_with_the_line_where_it_is_said() -> None:
    def places(shot: Shot, field: str) -> Place | None:
        return Place("storyboards/film.yaml", {"prompt": 12, "materials.0": 20}[field], 1)

    refused = attempt("uploaded image violates platform rules", None)
    two = shot()._replace(request=shot().request._replace(materials=MATERIALS[:1]), names=("maria",))
    assert advice(refused, "kinovi", two, places).startswith("change maria (storyboards/film.yaml:20);")
    meant = "it may concern the prompt (storyboards/film.yaml:12);"
    assert advice(attempt("bad prompt"), "kinovi", two, places).startswith(meant)


def test_without_a_picture_none_is_named() -> None:
    text = shot()._replace(request=shot().request._replace(materials=(), mode="text"), names=())
    assert advice(attempt("uploaded image violates", "moderation"), "kinovi", text).startswith("change what it shows;")
    assert advice(attempt("Face detected", "face"), "kinovi", text).startswith("give a drawn picture, or leave")


def test_many_materials_are_counted() -> None:
    pictures = tuple(RemoteFile(f"https://cdn.example.com/{number}.png", "image") for number in range(7))
    many = shot()._replace(request=shot().request._replace(materials=pictures), names=tuple("abcdefg"))
    assert "change a or b or c or d or 3 more;" in advice(
        attempt("uploaded image violates", "moderation"), "kinovi", many
    )


@pytest.mark.parametrize(
    ("path", "mode", "line"),
    [
        ("inputs.outputResolution", "reference", 'resolution (storyboards/film.yaml:3): "no"'),
        ("/inputs/duration", "reference", 'duration (storyboards/film.yaml:7): "no"'),
        ("inputs.urls[0]", "reference", 'maria (storyboards/film.yaml:20): "no"'),
        ("inputs.urls.2", "reference", 'quay.last_frame (storyboards/film.yaml:23): "no"'),
        ("inputs.audioUrls[0]", "reference", 'sea (storyboards/film.yaml:22): "no"'),
        ("inputs.urls[1]", "keyframe", 'maria (storyboards/film.yaml:21): "no"'),
        ("inputs.urls", "keyframe", 'materials (storyboards/film.yaml:8): "no"'),
        ("inputs.urls[9]", "reference", 'materials (storyboards/film.yaml:12): "no"'),
        ("inputs.magic", "reference", '`inputs.magic` (storyboards/film.yaml:7): "no"'),
    ],
)
def test_a_path_is_told_as_our_field_with_the_line_where_it_is_said(path: str, mode: Mode, line: str) -> None:
    said = {"resolution": 3, "prompt": 12, **{f"materials.{number}": 20 + number for number in range(4)}}
    if mode == "keyframe":
        said |= {"first_frame": 8}

    def places(shot: Shot, field: str) -> Place | None:
        return Place("storyboards/film.yaml", said[field], 1) if field in said else None

    assert field_errors(attempt("bad", None, (path, "no")), "kinovi", shot(mode), load("classic"), places) == [line]


def test_what_has_no_path_pointsnowhere_and_long_lists_are_cut() -> None:
    errors = [("", "no"), *((f"inputs.x{number}", "no") for number in range(50))]
    lines = field_errors(attempt("bad", None, *errors), "kinovi", shot(), load("classic"), no_location)
    assert (len(lines), lines[-1]) == (7, "and 44 more")


def test_what_the_provider_says_is_cleaned() -> None:
    (line,) = field_errors(
        attempt("bad", None, ("inputs.\x1b[31m", "\x1b]0;x\x07no")), "kinovi", shot(), load("classic"), no_location
    )
    assert "\x1b" not in line
    assert "\x07" not in line


def test_a_material_is_told_by_its_name_else_by_its_file_or_address() -> None:
    renamed = shot()._replace(names=("heroine", *NAMES[1:]))
    assert material_name(renamed, 0) == "heroine (storyboards/assets/maria.png)"
    bare = shot()._replace(names=())
    assert [material_name(bare, number) for number in (0, 1, 3)] == [
        "storyboards/assets/maria.png",
        "https://cdn.example.com/walk.mp4",
        "@quay.last_frame",
    ]
