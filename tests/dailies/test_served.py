"""The served page over HTTP: who is let in, what is recorded, how it ends."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.builders.made_films import OUTPUT
from tests.dailies.conftest import FILM, served, stop
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a browser, as far as HTTP goes."""

    client: httpx.Client
    origin: str

    def film(self) -> Any:
        return self.client.get("/film/film/data").json()

    def post(self, what: str, **body: Any) -> httpx.Response:
        return self.client.post(
            f"/film/film/{what}", json=body, headers={"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        )


@contextmanager
def window(address: str) -> Iterator[Window]:
    """A window that came by the printed address."""
    parts = urlsplit(address)
    with httpx.Client(base_url=f"http://{parts.netloc}", timeout=30, trust_env=False, verify=False) as client:
        answer = client.get(f"/?{parts.query}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        yield Window(client, f"http://{parts.netloc}")


@pytest.fixture
def server(own_ferry: ContentRepo) -> Iterator[str]:
    """A server of a film that one test changes."""
    with served(own_ferry) as address:
        yield address


@pytest.fixture(scope="module")
def shared(ferry: ContentRepo) -> Iterator[str]:
    """A server of a film that no test changes."""
    with served(ferry) as address:
        yield address


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(shared: str) -> None:
    answer = httpx.get(shared, trust_env=False, verify=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly; SameSite=Strict; Path=/" in cookie
    assert urlsplit(shared).query.removeprefix("token=") not in cookie
    with window(shared) as first, window(shared) as second:  # the address works as often as it is opened
        assert first.client.get("/").status_code == second.client.get("/").status_code == 200


def test_the_answers_keep_the_page_to_itself(shared: str) -> None:
    with window(shared) as browser:
        headers = browser.client.get("/").headers
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/?token=wrong", {}, 403),
        ("/", {}, 403),
        ("/film/film/data", {}, 403),
        ("/", {"Host": "evil.example"}, 421),
        ("/", {"Host": "127.0.0.1"}, 421),
    ],
)
def test_a_stranger_is_not_let_in(shared: str, path: str, headers: dict[str, str], status: int) -> None:
    origin = f"http://{urlsplit(shared).netloc}"
    assert httpx.get(origin + path, headers=headers, trust_env=False, verify=False).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
    ],
)
def test_another_page_records_nothing_even_with_the_cookie(
    ferry: ContentRepo, shared: str, headers: dict[str, str]
) -> None:
    with window(shared) as browser:
        answer = browser.client.post("/film/film/pick", json={"shot": "quay", "take": 2}, headers=headers)
        assert answer.status_code == 403
        assert (
            browser.client.get("/film/film/data", headers=headers | {"Sec-Fetch-Site": "cross-site"}).status_code == 403
        )
    assert picks(ferry) == {}


def picks(film: ContentRepo) -> dict[str, int]:
    shots = film.manifest(variant="kinovi")["shots"]
    return {shot["id"]: shot["picked"]["take"] for shot in shots if shot["picked"]}


def test_a_pick_in_the_page_is_the_line_that_the_pick_command_writes(own_ferry: ContentRepo, server: str) -> None:
    path = own_ferry.root / OUTPUT / "manifest.json"
    assert own_ferry.storyboard("pick", "quay", "2").code == 0
    by_command = own_ferry.manifest(variant="kinovi")["shots"][2]["picked"]
    assert own_ferry.storyboard("pick", "quay", "none").code == 0
    none = path.read_text("utf-8")
    with window(server) as browser:
        assert browser.post("pick", shot="quay", take=2).json() == {}
        by_page = own_ferry.manifest(variant="kinovi")["shots"][2]["picked"]
        assert by_page | {"at": ""} == by_command | {"at": ""}
        assert browser.film()["shots"][0]["picked"] == 2
        assert browser.post("pick", shot="quay", take=None).json() == {}
    assert path.read_text("utf-8") == none


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"shot": "quay", "take": 7}, 409, "take 7 of quay has no clip from kinovi: takes with a clip: 1, 2, 3"),
        ({"shot": "nobody", "take": 1}, 409, "nobody"),
        ({"shot": "quay", "take": True}, 400, "a pick names a shot and a take"),
        ({"shot": "quay", "take": -1}, 400, "a pick names a shot and a take"),
        ({"shot": ["quay"], "take": 1}, 400, "a pick names a shot and a take"),
        ({}, 400, "a pick names a shot and a take"),
    ],
)
def test_a_pick_that_cannot_be_is_said(
    ferry: ContentRepo, shared: str, body: dict[str, Any], status: int, words: str
) -> None:
    with window(shared) as browser:
        answer = browser.post("pick", **body)
        assert answer.status_code == status
        assert words in answer.json()["problem"]
    assert picks(ferry) == {}


def test_notes_go_into_the_manifest_in_the_order_of_their_times(own_ferry: ContentRepo, server: str) -> None:
    with window(server) as browser:
        for text in ("her coat is too bright", 'a "quoted" word\nand a second line'):
            assert browser.post("note", shot="enter", take=2, text=text).json() == {}
        assert browser.post("note", shot="enter", take=2, text="  ").status_code == 409
        assert browser.post("note", shot="enter", take=2, text="a" * 4001).status_code == 409
        assert browser.film()["shots"][2]["notes"][0]["text"] == "her coat is too bright"
    entry = next(shot for shot in own_ferry.manifest(variant="kinovi")["shots"] if shot["id"] == "enter")
    assert [(note["take"], note["text"]) for note in entry["notes"]] == [
        (2, "her coat is too bright"),
        (2, 'a "quoted" word\nand a second line'),
    ]
    assert sorted(note["at"] for note in entry["notes"]) == [note["at"] for note in entry["notes"]]
    lines = (own_ferry.root / OUTPUT / "manifest.json").read_text("utf-8").splitlines()
    assert sum('"text": "' in line for line in lines) == 2
    assert own_ferry.storyboard("pick", "enter", "1").code == 0
    assert len(next(s for s in own_ferry.manifest(variant="kinovi")["shots"] if s["id"] == "enter")["notes"]) == 2


def test_a_clip_is_served_in_parts_and_no_other_file_is(own_ferry: ContentRepo, server: str) -> None:
    with window(server) as browser:
        address = browser.film()["shots"][0]["takes"][0]["file"]["address"]
        clip = (own_ferry.root / OUTPUT / "clips/quay/take-1.mp4").read_bytes()
        part = browser.client.get(address, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, clip[100:200])
        assert part.headers["content-type"] == "video/mp4"
        for path in ("/file/storyboard.toml", "/file/..%2f..%2fstoryboard.toml", "/../storyboard.toml", "/file/x.mp4"):
            assert browser.client.get(path).status_code in (404, 403)
        secret = own_ferry.write("secret.mp4", "secret")
        (own_ferry.root / OUTPUT / "clips/quay/take-1.mp4").unlink()
        (own_ferry.root / OUTPUT / "clips/quay/take-1.mp4").symlink_to(secret)
        assert browser.client.get(address).status_code == 404


def test_what_others_change_is_read_at_the_next_question(own_ferry: ContentRepo, server: str) -> None:
    with window(server) as browser:
        answer = browser.client.get("/film/film/data")
        same = browser.client.get("/film/film/data", params={"version": answer.headers["x-version"]})
        assert same.status_code == 204
        assert own_ferry.storyboard("pick", "quay", "3").code == 0
        assert browser.film()["shots"][0]["picked"] == 3
        board = own_ferry.root / "storyboards/film.yaml"
        whole = board.read_text("utf-8")
        board.write_text(whole + "  - {id: tea, prompt: twice}\n", "utf-8")
        broken = browser.client.get("/film/film/data")
        assert (broken.status_code, "storyboard validate" in broken.json()["problem"]) == (503, True)
        assert browser.client.get("/").status_code == 200
        board.write_text(whole.replace("Sunrise over", "Dusk over"), "utf-8")
        wait_until(lambda: browser.film()["shots"][0]["written"].startswith("Dusk"), "the changed prompt")


def test_a_port_in_use_is_named(own_ferry: ContentRepo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = own_ferry.storyboard("dailies", "storyboards/film.yaml", "--serve", "--port", port)
    assert result.code == 3
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in " ".join(result.err.split())
    assert result.out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_with_0(own_ferry: ContentRepo, number: signal.Signals) -> None:
    process = own_ferry.start("dailies", "storyboards/film.yaml", "--serve")
    assert process.stdout is not None
    address = process.stdout.readline().split()[1]
    with window(address) as browser:
        assert browser.client.get("/").status_code == 200
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_the_named_port_is_the_one_in_the_address(own_ferry: ContentRepo) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = own_ferry.start("dailies", "storyboards/film.yaml", "--serve", "--port", str(port))
    assert process.stdout is not None
    assert urlsplit(process.stdout.readline().split()[1]).port == port
    assert stop(process) == 0


def test_a_pick_and_a_note_are_of_the_film_whose_page_it_is(tmp_path: Path) -> None:
    one_shot = FILM.partition("  - {id: boats")[0].replace("takes: 3", "takes: 2")
    board = one_shot.replace("length: 8\n", "profiles: {dawn: {}, dusk: {resolution: 720p}}\n")
    film, profiles = content(tmp_path, board), ("--profile", "dawn", "--profile", "dusk")
    assert film.storyboard("run", "storyboards/film.yaml", *profiles).code == 0
    with served(film, *profiles) as address, window(address) as browser:
        assert browser.client.get("/film/film:dusk/data").json()["films"] == ["film:dawn", "film:dusk"]
        headers = {"Origin": browser.origin, "Sec-Fetch-Site": "same-origin"}
        for what, body in (("pick", {"shot": "quay", "take": 2}), ("note", {"shot": "quay", "take": 1, "text": "Dim"})):
            answer = browser.client.post(f"/film/film:dusk/{what}", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
    dawn, dusk = (film.manifest(variant=f"sandbox-{profile}")["shots"][0] for profile in ("dawn", "dusk"))
    assert (dawn.get("picked"), dawn.get("notes")) == (None, None)
    assert dusk["picked"]["take"] == 2
    assert [note["text"] for note in dusk["notes"]] == ["Dim"]
