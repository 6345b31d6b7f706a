"""Uploads: the name is sent with the key, the bytes without."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.editions.edition import load
from runner.engine.ports import TransferFailed
from runner.providers.kinovi.uploads import UploadClient
from runner.sandbox.embedded import embedded
from runner.settings.api_key import ApiKey
from tests.double.server import Double
from tests.double.steps import Step, page, reply
from tests.providers.client_calls import KEY

RESERVE, PUT = "POST /api/v1/uploads", "PUT /put"


def send(url: str, content: bytes | Path = b"bytes", key: ApiKey = KEY, **changes: Any) -> str | TransferFailed:
    async def sent() -> str | TransferFailed:
        async with UploadClient(url, key, **{"deadline": 2.0, **changes}) as uploads:
            return await uploads.send("door.png", content)

    return anyio.run(sent)


def place(double: Double, target: str = "{url}/put/1") -> None:
    reservation = {"uploadUrl": target.format(url=double.url), "url": "https://cdn.example.com/door.png"}
    double.play(reply(200, reservation, on=RESERVE))


def test_the_bytes_go_where_the_api_says_and_without_the_key() -> None:
    with Double() as double:
        place(double)
        double.play(Step(on=PUT))
        address = send(double.url, b"\x89PNG")
        reserve, put = double.requests("")

    assert address == "https://cdn.example.com/door.png"
    assert json.loads(reserve.body) == {"fileName": "door.png"}
    assert reserve.header("authorization") == f"Bearer {KEY.secret}"
    assert put.body == b"\x89PNG"
    assert not [value for _, value in put.headers if KEY.secret in value]


def test_a_file_is_sent_with_its_length_and_in_no_chunked_form(tmp_path: Path) -> None:
    file = tmp_path / "score.wav"
    file.write_bytes(bytes(range(256)) * 3000)
    with Double() as double:
        place(double)
        double.play(Step(on=PUT))
        send(double.url, file)
        [put] = double.requests(PUT)

    assert put.body == file.read_bytes()
    assert put.header("content-length") == "768000"
    assert not put.header("transfer-encoding")


@pytest.mark.parametrize(
    ("demanded", "sent"),
    [
        ("image/png", "image/png"),
        (None, "application/octet-stream"),
        ("image/png\r\nX-Other: 1", "application/octet-stream"),
        (5, "application/octet-stream"),
    ],
)
def test_the_bytes_are_sent_as_the_content_type_that_the_answer_names(demanded: object, sent: str) -> None:
    with Double() as double:
        where = {"uploadUrl": f"{double.url}/put/1", "url": "https://cdn.example.com/door.png"}
        double.play(reply(200, where | {"contentType": demanded}, on=RESERVE), Step(on=PUT))
        assert send(double.url) == "https://cdn.example.com/door.png"
        [put] = double.requests(PUT)

    assert put.header("content-type") == sent


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/put", "file:///etc/passwd", "http://10.0.0.1/put", "https://u:p@127.0.0.1/put", ""],
)
def test_bytes_go_to_no_forbidden_place(target: str) -> None:
    with Double() as double:
        place(double, target)
        got = send(double.url)
        assert len(double.requests("")) == 1

    assert isinstance(got, TransferFailed)


def test_the_bytes_go_to_the_number_that_was_checked_and_to_no_other() -> None:
    lookups: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.99"]

    with Double() as double:
        port = double.url.rpartition(":")[2]
        place(double, f"http://rebinding.example:{port}/put/1")
        double.play(Step(on=PUT))
        assert send(double.url, resolve=resolve) == "https://cdn.example.com/door.png"
        [put] = double.requests(PUT)

    assert lookups == ["rebinding.example"]
    assert put.header("host") == f"rebinding.example:{port}"


def test_the_next_number_is_tried_when_the_first_does_not_answer() -> None:
    with Double() as double:
        port = double.url.rpartition(":")[2]
        place(double, f"http://put.example:{port}/put/1")
        double.play(Step(on=PUT))
        got = send(double.url, resolve=lambda host, port: ["127.0.0.99", "127.0.0.1"])

    assert got == "https://cdn.example.com/door.png"


def test_behind_a_proxy_the_bytes_go_through_it() -> None:
    with Double() as proxy, Double() as double:
        place(double, "http://put.example/put/1")
        proxy.play(Step(on="PUT http://put.example/put/1"))
        assert send(double.url, proxy=proxy.url) == "https://cdn.example.com/door.png"
        [put] = proxy.requests("PUT")

    assert put.header("host") == "put.example"


def test_an_address_that_is_none_is_not_used() -> None:
    with Double([reply(200, {"uploadUrl": "x", "url": "file:///etc/passwd"}, on=RESERVE)]) as double:
        assert isinstance(send(double.url), TransferFailed)
        assert double.requests(PUT) == []


def test_a_key_that_the_host_says_back_is_not_told() -> None:
    with Double([reply(403, {"message": f"not with {KEY.secret}"}, on=RESERVE)]) as double:
        got = send(double.url)

    assert isinstance(got, TransferFailed)
    assert got.message == "door.png: not with [key]"


def test_the_answer_to_the_bytes_is_not_read_however_long_it_is() -> None:
    with Double() as double:
        place(double)
        double.play(Step(on=PUT, raw=b"HTTP/1.1 200 OK\r\n\r\n", repeat=b"x" * 65536, end="close"))

        assert send(double.url) == "https://cdn.example.com/door.png"


@pytest.mark.parametrize(
    ("step", "final"),
    [
        (reply(401, {"message": "Invalid API key"}, on=RESERVE), True),
        (reply(404, {"message": "no uploads here"}, on=RESERVE), True),
        (reply(429, {"message": "slow down"}, on=RESERVE), False),
        (reply(500, {"message": "Internal error"}, on=RESERVE), False),
        (page(502, on=RESERVE), False),
        (page(200, on=RESERVE), False),
        (reply(200, {"url": 1}, on=RESERVE), False),
        (Step(status=307, headers=(("Location", "https://elsewhere.example/"),), on=RESERVE), False),
        (Step(body=b" " * 200_000, on=RESERVE), False),
        (Step(raw=b"", end="reset", on=RESERVE), False),
        (Step(raw=b"", end="stall", on=RESERVE), False),
    ],
)
def test_a_place_that_is_not_given_is_asked_for_later_or_not_at_all(step: Step, final: bool) -> None:
    with Double([step]) as double:
        got = send(double.url, deadline=0.5)
        assert len(double.requests("")) == 1

    assert isinstance(got, TransferFailed)
    assert got.final == final
    assert got.message.startswith("door.png: ")


@pytest.mark.parametrize("step", [page(403, on=PUT), page(500, on=PUT), Step(raw=b"", end="reset", on=PUT)])
def test_bytes_that_are_not_taken_have_no_address(step: Step) -> None:
    with Double() as double:
        place(double)
        double.play(step)

        assert isinstance(send(double.url), TransferFailed)


@pytest.mark.parametrize("busy", [RESERVE, PUT])
def test_the_pause_that_a_busy_server_asks_for_is_kept(busy: str) -> None:
    with Double() as double:
        if busy == PUT:
            place(double)
        double.play(Step(busy, 429, headers=(("Retry-After", "7"),)))
        got = send(double.url)
    assert isinstance(got, TransferFailed)
    assert (got.final, got.wait) == (False, 7)


def test_the_key_goes_nowhere_in_the_open() -> None:
    got = send("http://example.com")

    assert isinstance(got, TransferFailed)
    assert got.final


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with embedded(tmp_path_factory.mktemp("sandbox"), load("classic"), seconds=0.1, plain_clips=True) as address:
        yield address


def test_the_sandbox_takes_uploads_in_every_edition(sandbox: Any) -> None:
    content = Path(__file__).with_name("door.png").read_bytes()
    address = send(sandbox.base_url, content, ApiKey(sandbox.key), deadline=20.0)

    assert isinstance(address, str)
    assert address.startswith(sandbox.base_url)
