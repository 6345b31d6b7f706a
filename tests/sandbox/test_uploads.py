"""Files that are put here: reserved, sent without the key, material for 24 hours."""

import httpx
import pytest

from tests.sandbox.sandbox_client import Guest, picture


def test_an_upload_is_put_without_the_key_and_fetched_by_anybody(shared: Guest) -> None:
    content = picture()
    place = shared.http.post("/api/v1/uploads", json={"fileName": "a door.png"}).json()
    assert httpx.put(place["uploadUrl"], content=content).status_code == 200
    fetched = httpx.get(place["url"])
    assert fetched.content == content
    assert fetched.headers["content-type"] == "image/png"


def test_an_upload_is_a_first_frame(shared: Guest) -> None:
    assert shared.over(shared.task({"urls": [shared.put(picture())]}))["status"] == "success"


def test_an_upload_keeps_its_meaning_when_the_port_changes(shared: Guest) -> None:
    address = httpx.URL(shared.put(picture()))
    assert shared.create({"urls": [str(address.copy_with(port=1))]}).status_code == 200


@pytest.mark.parametrize("name", [None, "", 5, "../door.png", "a/b.png", "a\\b.png", ".hidden", "x" * 201, "a\nb.png"])
def test_a_file_has_a_plain_name(shared: Guest, name: object) -> None:
    answer = shared.http.post("/api/v1/uploads", json={"fileName": name})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "fileName"


def test_bytes_that_are_no_picture_are_no_material(shared: Guest) -> None:
    address = shared.put(b"<html>", "door.png")
    message = shared.create({"urls": [address]}).json()["errors"][0]
    assert message["path"] == "inputs.urls[0]"
    assert "web page" in message["message"]


def test_an_upload_that_was_never_sent_is_no_material(shared: Guest) -> None:
    place = shared.http.post("/api/v1/uploads", json={"fileName": "door.png"}).json()
    assert "never sent" in shared.create({"urls": [place["url"]]}).json()["message"]
    assert httpx.get(place["url"]).status_code == 404


def test_a_place_takes_bytes_only_with_its_own_token(shared: Guest) -> None:
    place = shared.http.post("/api/v1/uploads", json={"fileName": "door.png"}).json()
    wrong = httpx.URL(place["uploadUrl"]).copy_with(params={"token": "guessed"})
    assert httpx.put(wrong, content=picture()).status_code == 403


def test_an_upload_of_another_account_is_no_material(shared: Guest) -> None:
    address = shared.another("another-account").put(picture())
    assert shared.create({"urls": [address]}).status_code == 400


def test_an_upload_is_gone_after_a_day(own: Guest) -> None:
    address = own.put(picture())
    own.set_clock(advance=23 * 3600)
    assert httpx.get(address).status_code == 200
    own.set_clock(advance=2 * 3600)
    assert httpx.get(address).status_code == 404
    assert "24 hours" in own.create({"urls": [address]}).json()["message"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/a.png", "http://localhost/a.png", "http://10.0.0.1/a.png", "http://[::1]/a.png"]
)
def test_an_address_that_only_this_machine_reaches_is_no_material(shared: Guest, address: str) -> None:
    assert shared.create({"urls": [address]}).status_code == 400


def test_a_remote_picture_is_material_and_is_never_fetched(shared: Guest) -> None:
    told = shared.over(shared.task({"urls": ["https://pictures.invalid/a.jpg"]}))
    assert told["status"] == "success"
