"""A store of the user's own: content-addressed objects, signed links with an end, failures without links."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

from runner.app.exit_codes import exit_code_of
from runner.clock import SystemClock
from runner.diagnostics.failures import StoreUnusable
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import TransferFailed
from runner.publish.content import Content, content_of
from runner.publish.object_store import ObjectStore, key_of
from tests.publish.servers import BUCKET, S3, s3_server, web_server

DOOR = b"\x89PNG\r\n\x1a\n and so on"
TASK_LIFE = timedelta(minutes=15)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("store") / "objects") as server:
        yield server


def content(data: bytes = DOOR, name: str = "maria in her room.PNG") -> Content:
    return content_of(name, data, "image")


def store(url: str, environment: dict[str, str], root: Path = Path("/"), base_url: str | None = None) -> ObjectStore:
    return ObjectStore(url, base_url, environment, root, SystemClock(), TASK_LIFE)


def put(opened: ObjectStore, what: Content) -> str | TransferFailed:
    return anyio.run(opened.put, what)


def test_a_key_is_the_hash_of_the_content_and_names_nothing_of_the_user() -> None:
    assert re.fullmatch(r"sha256/([0-9a-f]{2})/\1[0-9a-f]{62}\.png", key_of(content()))


def test_an_object_is_stored_once_for_all_runs_and_read_by_its_signed_link(s3: S3) -> None:
    opened = store(f"s3://{BUCKET}/refs", s3.environment)
    key = put(opened, content())
    assert key == key_of(content())
    path = s3.folder / BUCKET / "refs" / key
    written = path.stat().st_mtime_ns

    assert put(store(f"s3://{BUCKET}/refs", s3.environment), content(name="copy.png")) == key
    assert path.stat().st_mtime_ns == written
    answer = httpx.get(opened.link(key), headers={"Range": "bytes=0-7"})
    assert answer.content == DOOR[:8]
    assert answer.headers["content-type"] == "image/png"


def test_a_large_file_is_stored_piece_by_piece_with_its_content_type(s3: S3, tmp_path: Path) -> None:
    data = bytes(range(256)) * (12 << 12)
    file = tmp_path / "large"
    file.write_bytes(data)
    opened = store(f"s3://{BUCKET}/large", s3.environment)
    key = put(opened, replace(content_of("score.wav", data, "audio"), body=file))

    assert isinstance(key, str)
    answer = httpx.get(opened.link(key))
    assert answer.content == data
    assert answer.headers["content-type"] in ("audio/wav", "audio/x-wav")


def test_an_object_of_another_size_under_the_key_is_replaced(s3: S3) -> None:
    opened = store(f"s3://{BUCKET}/lost", s3.environment)
    cut_off = replace(content(), body=DOOR[:12], size=12)
    key = put(opened, cut_off)

    assert put(opened, content()) == key
    assert httpx.get(opened.link(str(key))).content == DOOR


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        pytest.param(None, 7 * 86400, id="credentials without an end: seven days, the most that AWS takes"),
        pytest.param(timedelta(days=30), 7 * 86400, id="credentials that outlive the longest link"),
        pytest.param(timedelta(hours=3), 3 * 3600, id="a link ends with its credentials"),
    ],
)
def test_a_link_has_a_known_end(s3: S3, left: timedelta | None, seconds: int) -> None:
    environment = dict(s3.environment)
    if left is not None:
        environment["AWS_CREDENTIAL_EXPIRATION"] = (datetime.now(UTC) + left).isoformat()
    link = store(f"s3://{BUCKET}", environment).link("sha256/ab/x.png")
    expires = int(parse_qs(urlsplit(link).query)["X-Amz-Expires"][0])
    assert seconds - 60 <= expires <= seconds


def test_credentials_that_end_too_soon_stop_the_run_before_it_spends(s3: S3) -> None:
    end = datetime.now(UTC) + timedelta(minutes=70)
    environment = {**s3.environment, "AWS_CREDENTIAL_EXPIRATION": end.isoformat()}
    with pytest.raises(StoreUnusable) as stop:
        store(f"s3://{BUCKET}", environment).check_ready()
    assert exit_code_of(stop.value) is ExitCode.INVALID
    assert f"{end:%Y-%m-%d %H:%M} UTC" in stop.value.message
    assert "1.2 hours" in stop.value.message


@pytest.mark.parametrize(
    ("url", "environment", "words"),
    [
        ("s3://film", {}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("s3://film", {"AWS_ACCESS_KEY_ID": "MADEUPKEYOFTESTS0000"}, "needs AWS_SECRET_ACCESS_KEY"),
        ("gs://film", {}, "needs GOOGLE_APPLICATION_CREDENTIALS"),
        ("gs://film", {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json"}, "cannot be opened"),
        ("az://film", {"AZURE_STORAGE_ACCOUNT_NAME": "film"}, "needs AZURE_STORAGE_ACCOUNT_KEY"),
    ],
)
def test_missing_credentials_are_named_and_nothing_asks_a_metadata_address(
    url: str, environment: dict[str, str], words: str
) -> None:
    with pytest.raises(StoreUnusable, match=re.escape(words)):
        store(url, environment).check_ready()


def test_an_endpoint_elsewhere_must_be_https() -> None:
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "http://store.example"}
    with pytest.raises(StoreUnusable, match="must be https"):
        store("s3://film", environment).check_ready()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "127.0.0.2", "[::1]:9000"])
def test_an_endpoint_on_this_machine_may_be_http(host: str) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": f"http://{host}"}
    store("s3://film", environment).check_ready()


@pytest.mark.parametrize("secret", ["wrong-secret-of-the-tests-0000", ""])
def test_a_store_that_refuses_is_named_without_its_links_and_keys(s3: S3, secret: str) -> None:
    environment = {**s3.environment, "AWS_SECRET_ACCESS_KEY": secret or "x" * 30}
    failure = put(store(f"s3://{BUCKET}", environment), content(b"never stored"))
    assert isinstance(failure, TransferFailed)
    assert failure.final
    assert failure.message == f"maria in her room.PNG: not stored in s3://{BUCKET}: the store denies access"


def test_a_store_that_nobody_answers_for_is_tried_again_later(s3: S3) -> None:
    failure = put(store("s3://film", {**s3.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}), content())
    assert isinstance(failure, TransferFailed)
    assert not failure.final
    assert failure.message.endswith("no connection")
    assert "http" not in failure.message


@pytest.mark.parametrize("number", range(4))
def test_a_process_that_used_a_store_ends_with_its_own_exit_code(number: int) -> None:
    """The client's own futures, unfinished in another thread, aborted every second process at its end."""
    script = (
        "from tests.publish.test_object_store import *\n"
        "environment = dict(AWS_ACCESS_KEY_ID='MADEUP', AWS_SECRET_ACCESS_KEY='made-up', "
        "AWS_ENDPOINT_URL='http://127.0.0.1:1')\n"
        "assert isinstance(put(store('s3://film', environment), content()), TransferFailed)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_bucket_is_named(s3: S3) -> None:
    failure = put(store("s3://no-such-bucket", s3.environment), content())
    assert isinstance(failure, TransferFailed)
    assert "127.0.0.1" not in failure.message


def test_a_folder_behind_a_web_server_has_plain_addresses(tmp_path: Path) -> None:
    with web_server(folder=tmp_path / "refs") as web:
        opened = store("file:refs", {}, tmp_path, web.base_url)
        opened.check_ready()
        key = put(opened, content())
        assert opened.link(str(key)) == f"{web.base_url}/{key}"
        assert httpx.get(opened.link(str(key))).content == DOOR


def test_a_folder_that_a_link_leads_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    (tmp_path / "film/refs").symlink_to(tmp_path)
    with pytest.raises(StoreUnusable, match="leads out of the repository"):
        store("file:refs", {}, tmp_path / "film", "https://refs.example.com").check_ready()


def test_an_object_that_nobody_can_fetch_is_stored_again_in_any_case(s3: S3) -> None:
    opened = store(f"s3://{BUCKET}/again", s3.environment)
    key = put(opened, content())
    path = s3.folder / BUCKET / "again" / str(key)
    path.write_bytes(b"x" * len(DOOR))

    assert put(opened, content()) == key
    assert path.read_bytes() != DOOR
    assert anyio.run(opened.put, content(), True) == key
    assert path.read_bytes() == DOOR
