"""Every answer to recordInfo: running, succeeded, failed, or nothing that can be believed."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.events import Failed, Output, Running, Succeeded
from runner.editions.edition import load
from runner.providers.kinovi.task_record import epoch_ms, failure_class, parse_facts, parse_record

DONE: dict[str, Any] = {
    "taskId": "task_1",
    "model": "seedance-20",
    "status": "success",
    "creditsUsed": 200,
    "output": [{"url": "https://cdn.example.com/video.mp4", "width": 1280, "height": 720}],
    "error": None,
    "createTime": 1735599634000,
    "completeTime": 1735599754000,
}


def read(body: Any, status: int = 200, model: str | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_record(status, [("Server", "nginx")], raw, "task_1", model, load("classic").models)


def but(**changes: Any) -> dict[str, Any]:
    return {**DONE, **changes}


def unheard(answer: Any) -> bool:
    return isinstance(answer, Running) and not answer.answered


def test_the_documented_success_is_read_whole() -> None:
    link = Output("https://cdn.example.com/video.mp4", 1280, 720)

    assert read(DONE) == Succeeded((link,), Decimal(200), 1735599634000, 1735599754000)


def test_the_documented_failure_is_read_whole() -> None:
    words = "Your input text violates platform rules. Please modify and try again."
    record = but(status="fail", creditsUsed=0, output=None, error=words, completeTime=None)

    assert read(record) == Failed("moderation", words, "", Decimal(0), 1735599634000, None)


@pytest.mark.parametrize("wrap", [lambda r: {"code": 200, "message": "ok", "data": r}, lambda r: {"data": [r]}])
def test_a_record_is_found_in_its_envelope(wrap: Any) -> None:
    assert read(wrap(DONE)) == read(DONE)


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("waiting", "waiting"),
        ("WAITING", "waiting"),
        ("queuing", "waiting"),
        ("queued", "waiting"),
        ("Pending", "waiting"),
        ("generating", "generating"),
        ("in progress", "generating"),
        ("IN_PROGRESS", "generating"),
        ("processing", "generating"),
        ("running", "generating"),
    ],
)
def test_synonyms_and_other_cases_of_running_are_known(word: str, known: str) -> None:
    assert read(but(status=word)) == Running(known)


@pytest.mark.parametrize("word", ["success", "SUCCESS", "SUCCEEDED", "completed", "Complete", "finished"])
def test_synonyms_of_success_are_known(word: str) -> None:
    assert isinstance(read(but(status=word)), Succeeded)


@pytest.mark.parametrize("word", ["fail", "FAIL", "failed", "Failure"])
def test_synonyms_of_failure_are_known(word: str) -> None:
    assert isinstance(read(but(status=word, error="x")), Failed)


def test_the_status_may_be_called_state() -> None:
    record = {key: value for key, value in DONE.items() if key != "status"}

    assert isinstance(read({**record, "state": "success"}), Succeeded)


@pytest.mark.parametrize("word", ["archived", "cancelled", "error", "", None, 3, ["success"], {"a": 1}])
def test_an_unknown_status_is_still_running_and_is_told(word: Any) -> None:
    answer = read(but(status=word))

    assert isinstance(answer, Running)
    assert answer.answered
    assert answer.message


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        (None, []),
        ([], []),
        ([{}], []),
        ([{"url": None}], []),
        ([{"url": "file:///etc/passwd"}], []),
        ([{"url": "javascript:alert(1)"}], []),
        ("https://a.example/1.mp4", ["https://a.example/1.mp4"]),
        (["https://a.example/1.mp4"], ["https://a.example/1.mp4"]),
        ({"url": "http://a.example/1.mp4"}, ["http://a.example/1.mp4"]),
        (
            [{"url": "https://a.example/1"}, {"url": "https://a.example/2"}],
            ["https://a.example/1", "https://a.example/2"],
        ),
        ([{"url": "https://a.example/" + "x" * 10_000}], []),
        ([[], 7, None, "no"], []),
    ],
)
def test_only_links_by_http_are_taken_from_the_output(output: Any, urls: list[str]) -> None:
    answer = read(but(output=output))

    assert isinstance(answer, Succeeded)
    assert [link.url for link in answer.outputs] == urls


@pytest.mark.parametrize(
    ("width", "told"), [(1280, 1280), ("1280", None), (-1, None), (0, None), (True, None), (1e9, None)]
)
def test_a_size_is_a_size_or_not_told(width: Any, told: int | None) -> None:
    answer = read(but(output=[{"url": "https://a.example/1.mp4", "width": width}]))

    assert answer.outputs[0].width == told


def test_failure_wins_over_an_output() -> None:
    assert isinstance(read(but(status="fail", error="Video generation failed. Please try again.")), Failed)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Your input text violates platform rules. Please modify and try again.", "moderation"),
        ("Your uploaded image violates platform rules. Use another.", "moderation"),
        ("YOUR UPLOADED VIDEO VIOLATES PLATFORM RULES", "moderation"),
        ("This content violates our policy", "moderation"),
        ("Face detected in uploaded media. Remove faces.", "face"),
        ("The generated video did not pass review", "review"),
        ("Video generation failed. Please try again.", "provider"),
        ("Generation timed out", "provider"),
        ("Server error", "provider"),
        ("Service temporarily unavailable", "provider"),
        ("Reference image 1 failed review", "moderation"),
        ("The prompt may contain sensitive content.", "moderation"),
        ("Reference video 1 may violate platform or copyright rules", "moderation"),
        ("Blocked by moderation", "moderation"),
        ("FaceDetectionSuspect", "face"),
        ("Audio cannot be the only reference", "moderation"),
        ("Failed to download your reference video", "moderation"),
        ("The generated video may contain sensitive content", "review"),
        ("Input file is too wide", "other"),
        ("", "other"),
    ],
)
def test_a_failures_class_comes_from_its_text(text: str, kind: str) -> None:
    assert failure_class(text) == kind
    assert read(but(status="fail", error=text)).kind == kind


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        ("plain", "plain", ""),
        ({"code": "E1", "message": "object"}, "object", "E1"),
        ({"code": 17}, "", "17"),
        (["one", {"message": "two"}], "one; two", ""),
        (None, "", ""),
        (7, "", ""),
        ("x" * 10_000_000, "x" * 2000, ""),
        ("\x1b]52;c;evil\x07", "\x1b]52;c;evil\x07", ""),
    ],
)
def test_an_error_may_be_text_or_an_object_or_a_list_and_is_cut(error: Any, words: str, code: str) -> None:
    answer = read(but(status="fail", error=error))

    assert (answer.message, answer.code) == (words, code)


def test_a_failed_tasks_bill_is_told_as_it_stands() -> None:
    assert read(but(status="fail", error="x", creditsUsed=83.5)).credits_used == Decimal("83.5")


@pytest.mark.parametrize(
    ("record", "model"),
    [
        (but(taskId="task_2"), None),
        (but(taskId=None, status="fail"), None),
        (but(model="seedance2-fast"), "seedance-20"),
        ({"message": "ok"}, None),
        ([], None),
        ("success", None),
        (b"<html>", None),
        (b"", None),
        (b"[" * 200_000, None),
        (b'{"taskId": "task_1", "status": "fail", "status": "success"}', None),
        ({"status": "error", "message": "please wait"}, None),
    ],
)
def test_what_makes_no_sense_is_ask_again_later(record: Any, model: str | None) -> None:
    answer = read(record, model=model)

    assert isinstance(answer, Running)


def test_a_failure_without_a_name_is_not_believed_and_a_success_is() -> None:
    anonymous = {key: value for key, value in DONE.items() if key != "taskId"}

    assert isinstance(read(anonymous), Succeeded)
    assert unheard(read({**anonymous, "status": "fail", "error": "x"}))


def test_a_model_that_no_page_names_loses_no_paid_task() -> None:
    assert isinstance(read(but(model="seedance-2.0-turbo"), model="seedance-20"), Succeeded)
    assert isinstance(read(but(model=None), model="seedance-20"), Succeeded)


def test_a_models_second_name_is_the_same_model() -> None:
    assert isinstance(read(but(model="seedance2.0-pro"), model="seedance-20"), Succeeded)


@pytest.mark.parametrize("status", [400, 403, 408, 429, 500, 502, 503, 504, 302])
def test_a_poll_that_failed_means_ask_again_and_never_failed(status: int) -> None:
    for body in (DONE, but(status="fail", error="x"), b"<html>"):
        assert unheard(read(body, status))


def test_a_missing_record_and_a_refused_key_are_marked() -> None:
    assert read({"message": "no such task"}, 404).not_found
    assert read({"code": 404, "message": "no such task"}).not_found
    assert read({"message": "bad key"}, 401).key_refused
    assert read({"code": 401, "message": "bad key"}).key_refused
    assert not read(b"", 503).not_found


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (1735599634000, 1735599634000),
        (1735599634, 1735599634000),
        (Decimal("1735599634.5"), 1735599634500),
        ("2024-12-30T23:00:34Z", 1735599634000),
        ("2024-12-30T23:00:34.250+00:00", 1735599634250),
        ("yesterday", None),
        (0, None),
        (-5, None),
        (10**20, None),
        (True, None),
        (None, None),
    ],
)
def test_a_time_may_be_milliseconds_seconds_or_text(value: Any, milliseconds: int | None) -> None:
    assert epoch_ms(value) == milliseconds


def test_a_record_says_enough_of_itself_to_be_confirmed() -> None:
    facts = parse_facts(200, json.dumps(DONE).encode())

    assert facts is not None
    assert (facts.task_id, facts.model, facts.created_ms) == ("task_1", "seedance-20", 1735599634000)
    assert parse_facts(404, json.dumps(DONE).encode()) is None
    assert parse_facts(200, b"{}") is None


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.text())


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*DONE, "state", "data", "code"]), VALUES | st.dictionaries(st.text(), VALUES)))
def test_no_record_raises(record: Any) -> None:
    read(record)


def test_a_failures_class_comes_from_its_code_where_the_words_say_nothing() -> None:
    failed = read(but(status="fail", error={"code": "asset_review_failed", "message": "Please use another asset."}))

    assert (failed.kind, failed.code) == ("moderation", "asset_review_failed")


@pytest.mark.parametrize("where", ["beside the clip", "at the top"])
def test_last_frame_and_seed_are_read_beside_the_clip_and_at_the_top(where: str) -> None:
    facts = {"lastFrameImage": "https://cdn.example.com/last.png", "seed": 7}
    clip = {"url": "https://cdn.example.com/clip.mp4", **(facts if where == "beside the clip" else {})}
    (output,) = read(but(output=[clip], **(facts if where == "at the top" else {}))).outputs

    assert (output.last_frame, output.seed) == ("https://cdn.example.com/last.png", 7)


@pytest.mark.parametrize("frame", ["file:///etc/hostname", "", 5, None, ["https://cdn.example.com/last.png"]])
def test_a_last_frame_that_is_no_link_is_none(frame: object) -> None:
    clip = {"url": "https://cdn.example.com/clip.mp4", "lastFrameImage": frame, "seed": "7"}
    (output,) = read(but(output=[clip])).outputs

    assert (output.last_frame, output.seed) == (None, None)
