"""Azure as the store of a run, against Azurite: objects by hash, links that are signed and end."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

from runner.clock import SystemClock
from runner.engine.ports import TransferFailed
from runner.publish.content import Content, content_of
from runner.publish.object_store import ObjectStore, key_of
from tests.publish.azure import CONTAINER, KEY, Azure, azure_server

OTHER_KEY = base64.b64encode(b"another key of the tests, which opens nothing").decode()
DOOR = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    with azure_server(tmp_path_factory.mktemp("azure")) as server:
        yield server


def store(server: Azure, container: str = CONTAINER, key: str = KEY) -> ObjectStore:
    environment = {**server.environment, "AZURE_STORAGE_ACCOUNT_KEY": key}
    return ObjectStore(f"az://{container}/refs", None, environment, Path("/"), SystemClock(), timedelta(minutes=15))


def put(opened: ObjectStore, what: Content) -> str | TransferFailed:
    return anyio.run(opened.put, what)


def test_an_object_is_read_by_its_signed_link_with_its_content_type(azure: Azure) -> None:
    opened, content = store(azure), content_of("maria.png", DOOR, "image")

    assert put(opened, content) == key_of(content)
    assert put(opened, content) == key_of(content)
    link = opened.link(key_of(content))
    answer = httpx.get(link, headers={"Range": "bytes=0-7"})
    assert (answer.content, answer.headers["content-type"]) == (DOOR[:8], "image/png")
    assert httpx.get(link.partition("?")[0]).status_code in (401, 403, 404)


def test_a_link_ends_within_seven_days(azure: Azure) -> None:
    end = datetime.fromisoformat(parse_qs(urlsplit(store(azure).link("sha256/ab/abcd.png")).query)["se"][0])

    assert timedelta(days=6, hours=23) < end - datetime.now(UTC) <= timedelta(days=7)


def test_a_large_object_is_sent_in_pieces(azure: Azure, tmp_path: Path) -> None:
    data = bytes(range(256)) * (12 << 12)
    (tmp_path / "large").write_bytes(data)
    content = replace(content_of("score.wav", data, "audio"), body=tmp_path / "large")
    opened = store(azure)

    assert put(opened, content) == key_of(content)
    answer = httpx.get(opened.link(key_of(content)))
    assert (answer.content, answer.headers["content-type"]) == (data, "audio/wav")


@pytest.mark.parametrize(
    ("container", "key", "words"),
    [("missing", KEY, "no such bucket or container"), (CONTAINER, OTHER_KEY, "denies access")],
    ids=["no container", "another key"],
)
def test_a_store_that_refuses_is_named_without_its_key(azure: Azure, container: str, key: str, words: str) -> None:
    failure = put(store(azure, container, key), content_of("maria.png", DOOR + b"!", "image"))

    assert isinstance(failure, TransferFailed)
    assert words in failure.message
    assert key not in failure.message
    assert "sig=" not in failure.message
