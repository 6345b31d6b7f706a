"""Each way a task can go wrong, scripted when it is made."""

from typing import Any

import pytest

from tests.sandbox.sandbox_client import Guest


def told(guest: Guest, **do: Any) -> Any:
    """The record of a task with this fault, once it is over."""
    guest.set_faults({"on": "task", "do": do})
    return guest.over(guest.task())


@pytest.mark.parametrize(("form", "kind"), [("text", str), ("object", dict), ("list", list)])
def test_an_error_comes_in_three_forms(own: Guest, form: str, kind: type) -> None:
    assert isinstance(told(own, error="Out of dragons.", error_form=form, seconds=0)["error"], kind)


def test_a_failed_task_may_show_what_was_reserved_although_it_is_refunded(own: Guest) -> None:
    assert told(own, error="server", reserved=True, seconds=0)["creditsUsed"] == 60
    assert own.state()["charged"] == 0


@pytest.mark.parametrize("credits", [61.5, "60", None, 10**12, -1])
def test_a_bill_is_wrong(own: Guest, credits: Any) -> None:
    assert told(own, credits=credits)["creditsUsed"] == credits


def test_a_task_never_ends(own: Guest) -> None:
    own.set_faults({"on": "task", "do": {"never_ends": True, "seconds": 0}})
    task = own.task()
    own.set_clock(advance=10 * 86400)
    assert own.record(task)["status"] == "generating"
    assert own.state()["accounts"][0]["inProgress"] == 1


@pytest.mark.parametrize("word", ["queuing", "RUNNING", "", None, 3])
def test_a_status_is_odd_while_it_runs(own: Guest, word: Any) -> None:
    own.set_faults({"on": "task", "do": {"status": word, "seconds": 1000}})
    assert own.record(own.task())["status"] == word


@pytest.mark.parametrize("word", ["SUCCEEDED", "completed", "archived"])
def test_a_status_is_odd_at_the_end(own: Guest, word: str) -> None:
    own.set_faults({"on": "task", "do": {"final_status": word}})
    task = own.task()
    while own.record(task)["status"] != word:
        pass
    assert own.record(task)["output"]


def test_a_status_goes_backwards(own: Guest) -> None:
    own.set_faults({"on": "task", "do": {"backwards": 2}})
    task = own.task()
    own.over(task)
    assert [own.record(task)["status"] for _ in range(3)] == ["generating", "generating", "success"]


def test_a_record_is_missing_at_first_and_gone_later(own: Guest) -> None:
    own.set_faults({"on": "task", "do": {"missing": 2, "vanish": 600}})
    task = own.task()
    assert [own.look(task).status_code for _ in range(3)] == [404, 404, 200]
    own.set_clock(advance=601)
    assert own.look(task).status_code == 404


@pytest.mark.parametrize(
    ("output", "shown"),
    [("none", None), ("empty", []), ("no-url", [{"width": 854, "height": 480}])],
)
def test_a_success_shows_no_clip(own: Guest, output: str, shown: Any) -> None:
    assert told(own, output=output)["output"] == shown


def test_a_success_shows_two_clips_or_one_at_a_place_that_nobody_should_ask(own: Guest) -> None:
    assert len(told(own, output="two")["output"]) == 2
    urls = [told(own, output=name)["output"][0]["url"] for name in ("file", "private", "elsewhere")]
    assert [url.partition(":")[0] for url in urls] == ["file", "http", "https"]


def test_a_record_is_of_another_task_or_another_model(own: Guest) -> None:
    own.set_faults({"on": "task", "times": 1, "do": {"record": "other-task"}})
    first = own.task()
    assert own.record(first)["taskId"] != first
    own.set_faults({"on": "task", "do": {"record": "other-model"}})
    assert own.record(own.task())["model"] == "veo-3"


def test_times_come_in_other_forms(own: Guest) -> None:
    assert len(str(told(own, times="seconds")["createTime"])) == 10
    assert told(own, times="iso")["completeTime"].endswith("+00:00")
    assert told(own, times="none")["createTime"] is None
    assert told(own, times="future")["createTime"] > 2_000_000_000_000


def test_a_clip_has_another_size_and_length_than_was_asked(own: Guest) -> None:
    one = told(own, size=[320, 240], length=2)["output"][0]
    assert (one["width"], one["height"]) == (320, 240)


# -- when -------------------------------------------------------------------------------------------------


def failed(guest: Guest, prompts: list[str]) -> list[bool]:
    tasks = [guest.task({"prompt": prompt}) for prompt in prompts]
    return [guest.over(task)["status"] == "fail" for task in tasks]


FAIL = {"on": "task", "do": {"error": "server", "seconds": 0}}


def test_by_occurrence(own: Guest) -> None:
    own.set_faults({**FAIL, "occurrence": [2, 4]})
    assert failed(own, list("abcde")) == [False, True, False, True, False]


def test_by_every_and_at_most_so_often(own: Guest) -> None:
    own.set_faults({**FAIL, "every": 2, "times": 1})
    assert failed(own, list("abcde")) == [False, True, False, False, False]


def test_by_prompt_in_any_case(own: Guest) -> None:
    own.set_faults({**FAIL, "prompt": "RAIN"})
    assert failed(own, ["sun", "soft rain", "Rainbow"]) == [False, True, True]


def test_by_the_number_of_the_task_with_the_same_body(own: Guest) -> None:
    own.set_faults({**FAIL, "number": 1})
    assert failed(own, ["a", "b", "a", "b"]) == [True, True, False, False]


def test_by_chance_the_same_for_the_same_request_in_any_order(own: Guest) -> None:
    prompts = [f"shot {number}" for number in range(24)]
    own.set_faults({**FAIL, "chance": 0.5})
    once = dict(zip(prompts, failed(own, prompts), strict=True))
    assert 3 < sum(once.values()) < 21


def test_the_first_rule_that_happens_is_the_one(own: Guest) -> None:
    own.set_faults({**FAIL, "occurrence": 1}, {"on": "task", "do": {"error": "face", "seconds": 0}})
    ends = [own.over(own.task())["error"] for _ in range(2)]
    assert ends[0].startswith("Video generation failed")
    assert ends[1].startswith("Face detected")
    assert [rule["happened"] for rule in own.state()["faults"]] == [1, 1]
