"""What the pages promise of creating: each test takes its price out of the purse before it asks.

A request that must be refused takes its price, too: a host that is more lenient than its pages would sell it.
"""

from typing import Any

import pytest

from tests.conformance.host import CREATE, Host

CHEAP = 40
FRAME = "https://cdn.example.com/first.png"


def test_the_demo_key_cannot_create(host: Host, demo_key: str) -> None:
    if host.credits < CHEAP:
        pytest.skip("a host that let it create would bill it")
    body = {"model": "seedance2-fast", "inputs": {"prompt": "A boat", "duration": "4", "outputResolution": "480p"}}

    assert host.ask("POST", CREATE, key=demo_key, json=body).status_code in (401, 402, 403)


def test_a_clip_is_made_from_text_and_billed_by_the_table(host: Host) -> None:
    created = host.create(CHEAP)
    task = created.json()["taskId"]
    assert created.status_code == 200
    assert isinstance(task, str)

    record = host.finished(task)
    assert record["status"] == "success", record
    assert (record["taskId"], record["model"], record["creditsUsed"]) == (task, "seedance2-fast", CHEAP)
    clip = record["output"][0]
    assert 1.7 < clip["width"] / clip["height"] < 1.85
    media = host.ask("GET", clip["url"], key="")
    assert media.content[4:8] == b"ftyp"


def test_a_models_second_name_makes_the_same(host: Host) -> None:
    record = host.finished(host.create(CHEAP, "seedance2.0-fast").json()["taskId"])

    assert record["status"] == "success", record
    assert record["creditsUsed"] == CHEAP


@pytest.mark.parametrize(
    ("price", "model", "changes"),
    [
        (60, "seedance-20", {}),
        (160, "seedance-20", {"outputResolution": "720p"}),
        (332, "seedance-20", {"outputResolution": "1080p"}),
        (112, "seedance2-fast", {"outputResolution": "720p"}),
        (152, "seedance2-fast", {"upscaleResolution": "4k"}),
        (50, "seedance2-fast", {"duration": "5"}),
        (50, "seedance2-fast", {"duration": None}),
        (150, "seedance2-fast", {"duration": "15"}),
        (40, "seedance2-fast", {"aspectRatio": "9:16"}),
        (40, "seedance2-fast", {"aspectRatio": "21:9"}),
        (40, "seedance2-fast", {"aspectRatio": None}),
    ],
)
def test_every_row_of_the_price_table_is_billed_as_it_stands(
    host: Host, price: int, model: str, changes: dict[str, Any]
) -> None:
    record = host.finished(host.create(price, model, **changes).json()["taskId"])

    assert record["status"] == "success", record
    assert record["creditsUsed"] == price


@pytest.mark.parametrize(
    ("price", "model", "changes"),
    [
        (40, "seedance2-fast", {"prompt": None}),
        (150, "seedance2-fast", {"duration": "16"}),
        (40, "seedance2-fast", {"duration": "3"}),
        (40, "seedance2-fast", {"duration": "five"}),
        (40, "seedance2-fast", {"aspectRatio": "2:1"}),
        (40, "seedance2-fast", {"outputResolution": "360p"}),
        (112, "seedance2-fast", {"outputResolution": "1080p"}),
        (40, "seedance2-fast", {"mode": "dream"}),
        (40, "seedance2-fast", {"mode": "reference"}),
        (40, "seedance2-fast", {"mode": "keyframe", "urls": ["no address"]}),
        (40, "seedance2-fast", {"mode": "keyframe", "urls": [FRAME] * 3}),
        (40, "seedance2-fast", {"prompt": "x" * 4001}),
        (160, "seedance-30", {}),
    ],
)
def test_what_the_pages_do_not_offer_is_a_400_that_says_so(
    host: Host, price: int, model: str, changes: dict[str, Any]
) -> None:
    answer = host.create(price, model, **changes)

    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_body_that_is_no_json_is_a_400(host: Host) -> None:
    answer = host.ask("POST", CREATE, content=b"{", headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
