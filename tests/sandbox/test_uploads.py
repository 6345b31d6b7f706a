"""Uploads: reserved, sent without the key, usable as material for 24 hours."""

import httpx
import pytest

from tests.sandbox.sandbox_client import SandboxClient, picture


def test_an_upload_is_put_without_the_key_and_fetched_by_anybody(shared_sandbox: SandboxClient) -> None:
    content = picture()
    reservation = shared_sandbox.http.post("/api/v1/uploads", json={"fileName": "a door.png"}).json()
    assert httpx.put(reservation["uploadUrl"], content=content).status_code == 200
    fetched = httpx.get(reservation["url"])
    assert fetched.content == content
    assert fetched.headers["content-type"] == "image/png"


def test_an_upload_is_a_first_frame(shared_sandbox: SandboxClient) -> None:
    assert (
        shared_sandbox.wait_for_end(shared_sandbox.create_task({"urls": [shared_sandbox.upload(picture())]}))["status"]
        == "success"
    )


def test_an_upload_keeps_its_meaning_when_the_port_changes(shared_sandbox: SandboxClient) -> None:
    address = httpx.URL(shared_sandbox.upload(picture()))
    assert shared_sandbox.create({"urls": [str(address.copy_with(port=1))]}).status_code == 200


@pytest.mark.parametrize("name", [None, "", 5, "../door.png", "a/b.png", "a\\b.png", ".hidden", "x" * 201, "a\nb.png"])
def test_a_file_has_a_plain_name(shared_sandbox: SandboxClient, name: object) -> None:
    answer = shared_sandbox.http.post("/api/v1/uploads", json={"fileName": name})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "fileName"


def test_bytes_that_are_no_picture_are_no_material(shared_sandbox: SandboxClient) -> None:
    address = shared_sandbox.upload(b"<html>", "door.png")
    message = shared_sandbox.create({"urls": [address]}).json()["errors"][0]
    assert message["path"] == "inputs.urls[0]"
    assert "web page" in message["message"]


def test_an_upload_that_was_never_sent_is_no_material(shared_sandbox: SandboxClient) -> None:
    reservation = shared_sandbox.http.post("/api/v1/uploads", json={"fileName": "door.png"}).json()
    assert "never sent" in shared_sandbox.create({"urls": [reservation["url"]]}).json()["message"]
    assert httpx.get(reservation["url"]).status_code == 404


def test_a_reservation_takes_bytes_only_with_its_own_token(shared_sandbox: SandboxClient) -> None:
    reservation = shared_sandbox.http.post("/api/v1/uploads", json={"fileName": "door.png"}).json()
    wrong = httpx.URL(reservation["uploadUrl"]).copy_with(params={"token": "guessed"})
    assert httpx.put(wrong, content=picture()).status_code == 403


def test_an_upload_of_another_account_is_no_material(shared_sandbox: SandboxClient) -> None:
    address = shared_sandbox.with_key("another-account").upload(picture())
    assert shared_sandbox.create({"urls": [address]}).status_code == 400


def test_an_upload_is_gone_after_a_day(sandbox: SandboxClient) -> None:
    address = sandbox.upload(picture())
    sandbox.set_clock(advance=23 * 3600)
    assert httpx.get(address).status_code == 200
    sandbox.set_clock(advance=2 * 3600)
    assert httpx.get(address).status_code == 404
    assert "24 hours" in sandbox.create({"urls": [address]}).json()["message"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/a.png", "http://localhost/a.png", "http://10.0.0.1/a.png", "http://[::1]/a.png"]
)
def test_an_address_that_only_this_machine_reaches_is_no_material(shared_sandbox: SandboxClient, address: str) -> None:
    assert shared_sandbox.create({"urls": [address]}).status_code == 400


def test_a_remote_picture_is_material_and_is_never_fetched(shared_sandbox: SandboxClient) -> None:
    record = shared_sandbox.wait_for_end(shared_sandbox.create_task({"urls": ["https://pictures.invalid/a.jpg"]}))
    assert record["status"] == "success"
