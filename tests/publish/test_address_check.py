"""The check before money is spent: what a fetch of an address proves about it."""

import re

import anyio
import pytest

from runner.engine.ports import TransferFailed
from runner.providers.transport.address_fetcher import AddressFetcher
from runner.publish.address_check import Expected, judge_published, judge_remote
from runner.requests.fetched import Fetched, NotFetched
from tests.publish.servers import Answer, web_server

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 2000
JPEG = b"\xff\xd8\xff\xe0" + b"j" * 2000
LOGIN = b"<!DOCTYPE html><title>Sign in</title>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
PLANNED = Expected("image", len(PNG), PNG[:1024])


def fetched(address: str, *, local: bool = True) -> Fetched | NotFetched:
    return anyio.run(AddressFetcher(local=local, deadline=5.0).fetch, address)


@pytest.mark.parametrize(
    ("answer", "words", "final"),
    [
        (Answer(200, PNG), "", False),
        (Answer(200, PNG, {"ignore-range": "1"}), "", False),
        (Answer(401), "401 (it asks for a login)", True),
        (Answer(403), "403 (access denied): a private repository cannot be fetched", True),
        (Answer(404), "404 (there is no such file): is the repository private, or `git_url` wrong?", True),
        (Answer(429, headers={"Retry-After": "7"}), "429 (too many requests); an upload or a store of your own", False),
        (Answer(503), "503", False),
        (Answer(200, LOGIN), "serves a web page (a login?), not an image", True),
        (Answer(200, POINTER), "serves a Git LFS pointer (run: git lfs pull), not an image", True),
        (Answer(200, b"\0\0\0\x18ftypmp42"), "serves a video, not an image", True),
        (Answer(200, PNG + b"more"), "serves 2,012 bytes instead of 2,008", True),
        (Answer(200, PNG[:20] + b"x" * 1988), "serves other bytes than the planned file", True),
        (Answer(200, JPEG + b"jjjj"), "serves other bytes than the planned file", True),
        (Answer(302, headers={"Location": "/login"}), "serves a web page (a login?)", True),
        (Answer(302, headers={"Location": "http://10.0.0.1/a.png"}), "could not be fetched", True),
        (Answer(302, headers={"Location": "/a.png"}), "more than 5 redirects", True),
    ],
)
def test_what_was_published_must_serve_the_planned_bytes(answer: Answer, words: str, final: bool) -> None:
    with web_server({"a.png": answer, "login": Answer(200, LOGIN)}) as web:
        finding = judge_published(fetched(f"{web.base_url}/a.png"), PLANNED, "git")
    if not words:
        assert finding == ""
    else:
        assert isinstance(finding, TransferFailed)
        assert words in finding.message
        assert finding.final is final


def test_of_several_ips_the_first_that_takes_a_connection_answers() -> None:
    tried: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        tried.append(host)
        return ["127.0.0.2", "127.0.0.1"]

    with web_server({"a.png": Answer(200, PNG)}) as web:
        address = web.base_url.replace("127.0.0.1", "localhost")
        answer = anyio.run(AddressFetcher(local=True, deadline=5.0, resolve=resolve).fetch, f"{address}/a.png")
    assert isinstance(answer, Fetched)
    assert (answer.status, tried) == (206, ["localhost"])


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("1.5", 1.5), ("999999", 300.0), ("soon", 0.0)])
def test_a_host_of_materials_is_waited_for_as_the_api_is(text: str, seconds: float) -> None:
    with web_server({"a.png": Answer(429, headers={"Retry-After": text})}) as web:
        answer = fetched(f"{web.base_url}/a.png")
    assert isinstance(answer, Fetched)
    assert answer.wait == seconds


@pytest.mark.parametrize(
    ("answer", "definite", "words"),
    [
        (Answer(200, JPEG), False, ""),
        (Answer(404), True, "404 (there is no such file)"),
        (Answer(410), True, "410 (the file is gone)"),
        (Answer(200, LOGIN), True, "serves a web page (a login?), not an image"),
        (Answer(401), False, "could not be checked (401 (it asks for a login))"),
        (Answer(403), False, "could not be checked (403 (access denied))"),
        (Answer(429), False, "could not be checked (429 (too many requests))"),
        (Answer(500), False, "could not be checked (500)"),
    ],
)
def test_of_an_address_of_the_storyboard_only_a_missing_or_wrong_file_is_definite(
    answer: Answer, definite: bool, words: str
) -> None:
    with web_server({"a.png": answer}) as web:
        finding = judge_remote(fetched(f"{web.base_url}/a.png"), Expected("image"))
    assert isinstance(finding, TransferFailed) is definite
    assert words in (finding.message if isinstance(finding, TransferFailed) else finding)


def test_no_connection_is_a_doubt_about_an_address_of_the_storyboard_and_a_failure_of_our_own() -> None:
    answer = fetched("http://127.0.0.1:1/a.png")
    assert isinstance(answer, NotFetched)
    assert isinstance(judge_remote(answer, Expected("image")), str)
    assert isinstance(judge_published(answer, PLANNED, "store"), TransferFailed)


def test_a_fetch_asks_for_the_first_bytes_with_no_key_and_no_cookie() -> None:
    with web_server({"a.png": Answer(200, PNG)}) as web:
        answer = fetched(f"{web.base_url}/a.png")
        [(_, headers)] = web.requests
    assert answer == Fetched(206, PNG[:1024], len(PNG))
    names = {name.lower() for name in headers}
    assert headers["Range"] == "bytes=0-1023"
    assert names.isdisjoint({"authorization", "cookie"})


def test_a_server_that_ignores_the_range_is_not_read_beyond_it() -> None:
    with web_server({"a.png": Answer(200, PNG * 5000, {"ignore-range": "1"})}) as web:
        answer = fetched(f"{web.base_url}/a.png")
    assert isinstance(answer, Fetched)
    assert (len(answer.head), answer.length) == (1024, len(PNG) * 5000)


def test_this_machine_is_fetched_from_only_where_the_api_is_on_it_too() -> None:
    with web_server({"a.png": Answer(200, PNG)}) as web:
        answer = fetched(f"{web.base_url}/a.png", local=False)
        assert web.requests == []
    assert isinstance(answer, NotFetched)
    assert answer.forbidden
    assert re.search("https", answer.message)
