"""Downloads over a broken connection: what is stored, what is retried, what is refused."""

import hashlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.engine.ports import TransferFailed
from runner.providers.transport.download import Downloaded, Downloader, DownloadLimits, LinkExpired
from tests.double.server import Double
from tests.double.steps import MEDIA, Step, page
from tests.providers.client_calls import KEY
from tests.providers.test_create import serving

CLIP = bytes(range(256)) * 2000
WHOLE = hashlib.sha256(CLIP).hexdigest()
HEAD = len(
    b'HTTP/1.1 200 -\r\nContent-Type: video/mp4\r\nETag: "1"\r\nAccept-Ranges: bytes\r\nContent-Length: 512000\r\n\r\n'
)
TYPE = (("Content-Type", "video/mp4"), ("ETag", '"1"'), ("Accept-Ranges", "bytes"))
QUICK = DownloadLimits(grace_seconds=1.0)


def fetch(url: str, part: Path, **changes: Any) -> Downloaded | LinkExpired | TransferFailed:
    return Downloader(**{"local": True, "limits": QUICK, **changes}).fetch(url, part)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "clip.part"


def media(**more: Any) -> Step:
    return Step(on=MEDIA, body=CLIP, headers=TYPE, **more)


def test_a_clip_is_written_whole_and_hashed_on_the_way(part: Path) -> None:
    with Double(media=CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)

    assert got == Downloaded(part, WHOLE, len(CLIP))
    assert part.read_bytes() == CLIP


def test_no_key_and_no_cookie_is_sent_and_no_encoding_asked_for(part: Path) -> None:
    with Double(media=CLIP) as double:
        fetch(f"{double.url}/media/a.mp4", part)
        [entry] = double.requests("")

    assert not [value for _, value in entry.headers if KEY.secret in value]
    assert (entry.header("authorization"), entry.header("cookie")) == (None, None)
    assert entry.header("accept-encoding") == "identity"
    assert entry.header("host") == double.url.removeprefix("http://")


@pytest.mark.parametrize("end", ["close", "reset"])
def test_what_broke_off_is_gone_on_from_where_it_broke(part: Path, end: Any) -> None:
    with Double([media(cut=HEAD + 300_000, end=end)], CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)
        ranges = [entry.header("range") for entry in double.requests(MEDIA)]

    assert got == Downloaded(part, WHOLE, len(CLIP))
    assert ranges[0] is None
    assert ranges[1:] == [f"bytes={300_000}-"] if end == "close" else len(ranges) == 2
    assert double.requests(MEDIA)[1].header("if-range") == '"1"'


def test_a_file_that_changed_meanwhile_is_fetched_anew(part: Path) -> None:
    other = bytes(reversed(CLIP))
    steps = [media(cut=HEAD + 1000, end="close"), replace(media(), body=other, headers=(("ETag", '"2"'),))]
    with Double(steps) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)

    assert got == Downloaded(part, hashlib.sha256(other).hexdigest(), len(other))


def rest(content_range: str, etag: str = '"1"', status: int = 206, start: int = 1000) -> Step:
    return Step(on=MEDIA, status=status, body=CLIP[start:], headers=(("Content-Range", content_range), ("ETag", etag)))


@pytest.mark.parametrize(
    "step",
    [
        rest(f"bytes 999-{len(CLIP) - 1}/{len(CLIP)}"),
        rest(f"bytes 1000-{len(CLIP) - 1}/{len(CLIP) + 1}"),
        rest(f"bytes 1000-{len(CLIP) - 2}/{len(CLIP)}"),
        rest(f"bytes 1000-{len(CLIP) - 1}/*"),
        rest("nonsense"),
        rest(f"bytes 1000-{len(CLIP) - 1}/{len(CLIP)}", etag='"2"'),
        rest("", status=416),
    ],
)
def test_a_rest_that_is_not_the_rest_means_from_the_beginning(part: Path, step: Step) -> None:
    with Double([media(cut=HEAD + 1000, end="close"), step], CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)
        ranges = [entry.header("range") for entry in double.requests(MEDIA)]

    assert got == Downloaded(part, WHOLE, len(CLIP))
    assert ranges == [None, "bytes=1000-", None]


@pytest.mark.parametrize("tag", [(), (("ETag", 'W/"1"'),)])
def test_without_a_strong_mark_nothing_is_gone_on_from(part: Path, tag: tuple[tuple[str, str], ...]) -> None:
    with Double([Step(on=MEDIA, body=CLIP, headers=tag, cut=300_000, end="close")], CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)

    assert got == Downloaded(part, WHOLE, len(CLIP))
    assert [entry.header("range") for entry in double.requests(MEDIA)] == [None, None]


def test_what_never_comes_whole_is_given_up_after_a_few_connections(part: Path) -> None:
    with Double([media(cut=HEAD + 1000, end="close", times=0)], CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)
        assert len(double.requests(MEDIA)) == QUICK.connections

    assert isinstance(got, TransferFailed)
    assert not got.final


def test_without_a_length_the_end_of_the_connection_is_the_end(part: Path) -> None:
    with Double([media(length=False, end="close")]) as double:
        assert fetch(f"{double.url}/media/a.mp4", part) == Downloaded(part, WHOLE, len(CLIP), has_known_end=False)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_link_that_expired_is_dead(part: Path, status: int) -> None:
    with Double([page(status, on=MEDIA)]) as double:
        assert isinstance(fetch(f"{double.url}/media/a.mp4", part), LinkExpired)


@pytest.mark.parametrize("status", [204, 400, 429, 500, 503])
def test_another_answer_is_asked_again_later(part: Path, status: int) -> None:
    with Double([page(status, on=MEDIA)]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)

    assert isinstance(got, TransferFailed)
    assert not got.final


def test_nobody_there_is_asked_again_later(part: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        got = fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/media/a.mp4", part)

    assert isinstance(got, TransferFailed)


def test_a_compressed_answer_is_not_taken(part: Path) -> None:
    with Double([Step(on=MEDIA, body=b"\x1f\x8b" * 100, headers=(("Content-Encoding", "gzip"),))]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)

    assert isinstance(got, TransferFailed)
    assert "compressed" in got.message


@pytest.mark.parametrize("length", [True, False])
def test_a_clip_beyond_the_cap_is_refused_before_or_while_it_comes(part: Path, length: bool) -> None:
    with Double([media(length=length, end="close")]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, limits=DownloadLimits(max_bytes=100_000, grace_seconds=1.0))

    assert isinstance(got, TransferFailed)
    assert "100000" in got.message


def test_an_endless_body_ends_at_the_cap(part: Path) -> None:
    step = Step(on=MEDIA, raw=b"HTTP/1.1 200 OK\r\n\r\n", repeat=b"x" * 65536, end="close")
    with Double([step]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, limits=DownloadLimits(max_bytes=1_000_000, grace_seconds=5.0))

    assert isinstance(got, TransferFailed)
    assert part.stat().st_size < 1_200_000


@pytest.mark.parametrize("pace", [20, 2000])
def test_a_drip_of_bytes_ends_at_the_deadline_in_the_headers_and_in_the_body(part: Path, pace: float) -> None:
    with Double([media(pace=pace, times=0)]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, limits=DownloadLimits(grace_seconds=0.5))

    assert isinstance(got, TransferFailed)
    assert "slow" in got.message


def test_silence_ends_at_the_deadline(part: Path) -> None:
    with Double([media(cut=HEAD + 1000, end="stall")]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, limits=DownloadLimits(grace_seconds=0.3))

    assert isinstance(got, TransferFailed)


def test_a_disk_without_room_is_known_before_the_first_byte(part: Path) -> None:
    with Double([media()]) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, limits=DownloadLimits(min_free_bytes=1 << 60, grace_seconds=1.0))

    assert isinstance(got, TransferFailed)
    assert got.final
    assert part.stat().st_size == 0


def test_a_folder_that_cannot_be_written_is_final(tmp_path: Path) -> None:
    with Double([media()]) as double:
        got = fetch(f"{double.url}/media/a.mp4", tmp_path / "no" / "such.part")

    assert isinstance(got, TransferFailed)


# -- where it may come from -------------------------------------------------------------------------------


def to(url: str) -> Step:
    return Step(on=MEDIA, status=302, headers=(("Location", url),))


def test_up_to_three_redirects_are_followed(part: Path) -> None:
    with Double([to("/media/b"), to("/media/c"), to("/media/d")], CLIP) as double:
        assert fetch(f"{double.url}/media/a.mp4", part) == Downloaded(part, WHOLE, len(CLIP))
        assert [entry.target for entry in double.requests(MEDIA)] == [
            "/media/a.mp4",
            "/media/b",
            "/media/c",
            "/media/d",
        ]


@pytest.mark.parametrize(
    "target",
    [
        "/media/a.mp4",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://[::1",
        "",
        "https://u:p@127.0.0.1/",
    ],
)
def test_a_redirect_in_a_circle_or_to_a_forbidden_place_is_refused(part: Path, target: str) -> None:
    with Double([replace(to(target), times=0)], CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part)
        assert len(double.requests(MEDIA)) <= 4

    assert isinstance(got, TransferFailed)


def test_from_https_nothing_is_followed_to_http(part: Path, certificate: Path) -> None:
    with Double(media=CLIP) as plain, Double([to(f"{plain.url}/media/a.mp4")], tls=serving(certificate)) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, tls_context=trusting(certificate))
        assert plain.requests("") == []

    assert isinstance(got, TransferFailed)
    assert "https" in got.message


def trusting(certificate: Path) -> Callable[[], ssl.SSLContext]:
    return lambda: ssl.create_default_context(cafile=str(certificate))


def test_a_link_to_this_machine_is_fetched_only_where_the_api_is_on_it(part: Path) -> None:
    with Double(media=CLIP) as double:
        got = fetch(f"{double.url}/media/a.mp4", part, local=False)
        assert double.accepted == 0

    assert isinstance(got, TransferFailed)
    assert "public" in got.message


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(part: Path) -> None:
    lookups: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.99"]

    with Double(media=CLIP) as double:
        port = double.url.rpartition(":")[2]
        got = fetch(f"http://rebinding.example:{port}/media/a.mp4", part, resolve=resolve)
        [entry] = double.requests("")

    assert isinstance(got, Downloaded)
    assert lookups == ["rebinding.example"]
    assert entry.header("host") == f"rebinding.example:{port}"


def test_over_tls_the_certificate_must_be_the_names_although_the_number_is_connected_to(
    part: Path, certificate: Path
) -> None:
    with Double(media=CLIP, tls=serving(certificate)) as double:
        port = double.url.rpartition(":")[2]
        arguments: dict[str, Any] = {"tls_context": trusting(certificate), "resolve": lambda host, port: ["127.0.0.1"]}
        right = fetch(f"https://localhost:{port}/media/a.mp4", part, **arguments)
        wrong = fetch(f"https://media.example.com:{port}/media/a.mp4", part, **arguments)

    assert isinstance(right, Downloaded)
    assert isinstance(wrong, TransferFailed)


def test_the_next_address_of_a_name_is_tried_when_the_first_does_not_answer(part: Path) -> None:
    with Double(media=CLIP) as double:
        port = double.url.rpartition(":")[2]
        got = fetch(
            f"http://two.example:{port}/media/a.mp4", part, resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"]
        )

    assert isinstance(got, Downloaded)


def test_an_unknown_name_is_asked_again_later(part: Path) -> None:
    got = fetch("https://no-such-host.invalid/a.mp4", part)

    assert isinstance(got, TransferFailed)
    assert not got.final


def test_through_a_proxy_the_name_goes_to_the_proxy(part: Path) -> None:
    with Double([Step(on="GET http://media.example.com/a.mp4", body=CLIP)]) as proxy:
        assert isinstance(fetch("http://media.example.com/a.mp4", part, proxy=proxy.url, local=False), Downloaded)


@pytest.mark.parametrize("host", ["10.0.0.7", "127.1", "0x7f.1", "2130706433", "127.0.0.1.", "[::1]", "[fd00::1]"])
def test_a_private_number_is_not_asked_of_a_proxy_however_it_is_written(part: Path, host: str) -> None:
    with Double([Step(on="GET", body=CLIP)]) as proxy:
        got = fetch(f"http://{host}/a.mp4", part, proxy=proxy.url, local=False)
        assert proxy.requests("") == []

    assert isinstance(got, TransferFailed)
