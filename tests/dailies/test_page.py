"""The page as a file: what it holds, where it lies, and that no text of it is anything but text."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from runner.show.dailies.page import page, script_json
from tests import requirements
from tests.builders.content_repo import ContentRepo
from tests.builders.made_films import OUTPUT, filmed, refused
from tests.dailies.conftest import FILM

PAYLOADS = (
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--<script>", "]]>",
    "</title><svg onload=x>", "\" onmouseover=alert(1) \"", "' autofocus onfocus=x '", "javascript:alert(1)",
    "<iframe src=//evil.example>", "&lt;b&gt;",
    "</style><style>*{}", "\u2028alert(1)\u2029", "<video src=http://evil.example/a.mp4>", "${alert(1)}", "{{ 7*7 }}",
    "<base href=//evil.example>", "\x00<b>", "\u202e<b>", "<meta http-equiv=refresh content=0>", "\ud800<b>",
)  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page in order, with their attributes, and the text of its JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.film = ""
        self._is_film = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self._is_film = ("id", "film") in attrs

    def handle_data(self, data: str) -> None:
        if self._is_film:
            self.film += data

    def handle_endtag(self, tag: str) -> None:
        self._is_film = False


def read(text: str) -> Elements:
    elements = Elements()
    elements.feed(text)
    return elements


def film_data(film: ContentRepo, name: str = "dailies.html") -> Any:
    return json.loads(read((film.root / OUTPUT / name).read_text("utf-8")).film)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_adds_no_element(payload: str) -> None:
    plain = read(page({"title": "A film", "served": False, "text": "a"}))
    hostile = read(page({"title": payload, "served": False, "text": payload, payload: [payload]}))
    assert hostile.elements == plain.elements
    assert json.loads(hostile.film)["text"] == payload


def test_json_for_a_script_element_ends_neither_the_element_nor_a_line() -> None:
    text = script_json({"a": "</script><!-- & \u2028\u2029"})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"a": "</script><!-- & \u2028\u2029"}


def test_a_page_names_its_own_script_and_style_and_no_other_source() -> None:
    text = page({"title": "A film", "served": False})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["script-src"].startswith("'sha256-")
    assert rules["style-src"].startswith("'sha256-")
    assert rules["img-src"] == "'self' file: data:"
    assert "http" not in policy[1].replace("http-equiv", "")


def test_the_page_lies_beside_the_manifest_and_names_clips_by_relative_paths(own_ferry: ContentRepo) -> None:
    result = own_ferry.storyboard("dailies", "storyboards/film.yaml")
    assert result.code == 0, result.err
    assert f"dailies    {OUTPUT}/dailies.html" in result.out
    film = film_data(own_ferry)
    addresses = [take["file"]["address"] for shot in film["shots"] for take in shot["takes"]]
    assert addresses[0] == "clips/quay/take-1.mp4"
    assert all((own_ferry.root / OUTPUT / address).is_file() for address in addresses)
    assert [(piece.get("shot"), piece["seconds"]) for piece in film["cut"]] == [(0, 1), (1, 1), (2, 1), (3, 1)]


def test_a_prompt_stands_as_written_and_as_sent_where_they_differ(own_ferry: ContentRepo) -> None:
    own_ferry.storyboard("dailies", "storyboards/film.yaml")
    quay, _, enter, _ = film_data(own_ferry)["shots"]
    assert "sent" not in quay
    assert enter["written"] == "She pushes the door open, in @wool, cold light on the floor"
    assert enter["sent"] == "She pushes the door open, in wool (a coat of grey wool), cold light on the floor"


def test_what_was_refused_shows_the_vendors_words_and_what_to_do(tmp_path: Path) -> None:
    film = filmed(
        tmp_path, FILM, lambda step: refused("Face detected in uploaded media") if step.shot.id == "boats" else {}
    )
    assert film.storyboard("dailies", "storyboards/film.yaml").code == 1
    (take,) = film_data(film)["shots"][1]["takes"]
    assert (take["state"], take["words"]) == ("refused", "Face detected in uploaded media")
    assert "it is not sent again until it changes" in take["way"]


def test_an_order_anew_names_the_provider_of_the_page(tmp_path: Path) -> None:
    gone = {"status": "gone", "clip": None}
    film = filmed(tmp_path, FILM, lambda step: gone if step.shot.id == "boats" else {})
    assert film.storyboard("dailies", "storyboards/film.yaml").code == 1
    (take,) = film_data(film)["shots"][1]["takes"]
    assert take["way"].endswith("storyboard run storyboards/film.yaml --provider kinovi --again boats")


def test_a_part_of_the_film_has_a_name_and_a_page_of_its_own(own_ferry: ContentRepo) -> None:
    result = own_ferry.storyboard("dailies", "storyboards/film.yaml", "--scene", "kitchen")
    assert result.code == 0, result.err
    (path,) = (own_ferry.root / OUTPUT).glob("dailies.*.html")
    assert [shot["id"] for shot in film_data(own_ferry, path.name)["shots"]] == ["enter", "tea"]


def test_a_page_elsewhere_leads_to_the_same_clips(own_ferry: ContentRepo) -> None:
    assert own_ferry.storyboard("dailies", "storyboards/film.yaml", "--to", "pages/new/look.html").code == 0
    film = json.loads(read((own_ferry.root / "pages/new/look.html").read_text("utf-8")).film)
    address = film["shots"][0]["takes"][0]["file"]["address"]
    assert (own_ferry.root / "pages/new" / address).resolve() == own_ferry.root / OUTPUT / "clips/quay/take-1.mp4"


def test_a_read_only_folder_is_named(own_ferry: ContentRepo) -> None:
    folder = own_ferry.root / OUTPUT
    folder.chmod(0o500)
    try:
        words = [*requirements.rights_of_a_user(), sys.executable, "-m", "runner", "dailies", "storyboards/film.yaml"]
        result = subprocess.run(
            words, cwd=own_ferry.root, env=own_ferry.env(), capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        folder.chmod(0o700)
    assert result.returncode == 3
    assert f"cannot write {OUTPUT}/dailies.html" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "1"], "--port: only a served page has a port; add --serve"),
        (["--serve", "--to", "a.html"], "--to: a served page is no file"),
        (["--serve", "--json"], "--json: a served page prints its address only"),
        (["--serve", "--port", "99999"], "'99999' is not a port"),
    ],
)
def test_flags_that_contradict_each_other_are_a_wrong_command_line(
    own_ferry: ContentRepo, words: list[str], message: str
) -> None:
    result = own_ferry.storyboard("dailies", "storyboards/film.yaml", *words)
    assert result.code == 2
    assert message in " ".join(result.err.split())
