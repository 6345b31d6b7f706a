"""What can go wrong on the wire, played by the double against the whole program: exit code, requests, tasks, words.

Every case runs twice: the second run must send nothing that the first has left in doubt.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.cli import main
from tests.double.media import clip
from tests.double.server import Double
from tests.double.steps import CREATE, MEDIA, POLL, Step, created, dropped, page, record, reply

KEY = "canary-key-0123456789"
FILM = """\
storyboard: 1
title: A boat
shots:
  - id: boat
    prompt: A paper boat on still water
"""
CLIP = clip(80, 5.0, 1280, 720)
OTHER = clip(160, 5.0, 1280, 720)
UNSURE = reply(404, {"message": "Task not found"}, on=POLL)
"""The answer to the preflight, where the steps after it are for polls."""


@dataclass(frozen=True)
class Case:
    """The steps of the double, and what two runs come to."""

    steps: list[Step]
    codes: tuple[int, int]
    creates: int
    """Requests to createTask over both runs."""
    tasks: int
    """Tasks that exist after both runs, and would be paid for."""
    message: str = ""
    """What the first run says."""
    settings: str = ""
    """Lines of storyboard.toml."""


def polled(**record_: Any) -> Step:
    return reply(200, record("task_1", **record_), on=POLL)


def links(url: str) -> Step:
    return polled(status="success", creditsUsed=200, output=[{"url": url, "width": 1280, "height": 720}])


def billed(number: str) -> Step:
    """A finished task whose bill is this number, as it stands in the answer."""
    link = {"url": "{host}/media/a.mp4", "width": 1280, "height": 720}
    body = json.dumps(record("task_1", "success", creditsUsed="BILL", output=[link]))
    return Step(on=POLL, body=body.replace('"BILL"', number).encode())


def encoded(content: bytes, encoding: str = "gzip", **more: Any) -> Step:
    """An answer with this content encoding."""
    return Step(body=content, headers=(("Content-Encoding", encoding),), **more)


BUSY = Step(
    status=429,
    body=b'{"message": "busy", "limit": 3, "current": 3}',
    headers=(("Retry-After", "1"),),
    creates=False,
)
SETTLE = '[providers.kinovi]\nserver_error = "settle"\n'
UNSETTLED: dict[str, Step] = {
    "1 made, then a reset": dropped(creates=True),
    "1 made, then closed": dropped(creates=True, end="close"),
    "3 made, then a gateway's 502": page(502, creates=True),
    "3 made, then 503 in JSON": reply(503, {"message": "Service unavailable"}, creates=True),
    "3 made, then 504": page(504, creates=True),
    "4 the answer breaks off": created(cut=70, end="close"),
    "5 200 without an id": reply(200, {"message": "ok"}),
    "5 200 with null for an id": reply(200, {"taskId": None}),
    "5 200 with an id that is a path": reply(200, {"taskId": "../../etc/passwd"}),
    "7 200 with two ids": Step(body=b'{"taskId": "a", "taskId": "b"}'),
    "13 500 from a firewall": page(500, creates=True),
    "22 headers without an end": Step(
        raw=b"HTTP/1.1 200 OK\r\n", repeat=b"X-More: more\r\n", creates=True, end="close"
    ),
    "23 a bomb": Step(body=b"\x1f\x8b\x08" + b"\0" * 900, headers=(("Content-Encoding", "gzip"),)),
    "24 in UTF-16": Step(body='{"taskId": "task_1"}'.encode("utf-16")),
    "24 deep": Step(body=b"[" * 200_000),
    "409": reply(409, {"message": "Conflict"}, creates=True),
}
TASK = b'{"taskId": "task_1"}'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
GOOD_ANSWERS: dict[str, Step] = {
    "a byte order mark": Step(body=BYTE_ORDER_MARK + TASK),
    "gzip": encoded(gzip.compress(TASK)),
    "gzip in two members": encoded(gzip.compress(TASK[:9]) + gzip.compress(TASK[9:])),
    "gzip and zeros behind it": encoded(gzip.compress(TASK) + b"\0" * 8),
    "gzip and a byte order mark": encoded(gzip.compress(BYTE_ORDER_MARK + TASK)),
    "x-gzip": encoded(gzip.compress(TASK), "x-gzip"),
    "deflate": encoded(zlib.compress(TASK), "deflate"),
    "bare deflate": encoded(DEFLATE.compress(TASK) + DEFLATE.flush(), "Deflate"),
    "gzip that no header names": Step(body=gzip.compress(TASK)),
    "gzip twice": encoded(gzip.compress(gzip.compress(TASK)), "gzip, gzip"),
    "no encoding, although a header names one": encoded(TASK),
    "NaN beside the id": Step(body=b'{"taskId": "task_1", "credits": NaN}'),
    "a number of 5000 digits beside the id": Step(body=b'{"taskId": "task_1", "n": ' + b"9" * 5000 + b"}"),
}
UNREADABLE_BILLS: tuple[str, ...] = (
    "1e-99999999",
    "1e-999999999999999999999",
    "1e99999999",
    "-1e99999",
    "9" * 400,
    "0." + "0" * 400 + "1",
)
UNREADABLE_BILLS += ("1e13", "1e-13", "0e-99", "NaN", "Infinity", "-5", "true", "[]", "null")
READABLE_BILLS = (
    "200",
    "200.0",
    "2e2",
    "2.00E+002",
    '"200"',
    "200.00000000000001",
    "199.99999999999997",
)
CASES: dict[str, Case] = {
    **{f"an answer in {name}": Case([step], (0, 0), 1, 1, "as quoted") for name, step in GOOD_ANSWERS.items()},
    **{f"a bill of {bill}": Case([UNSURE, billed(bill)], (0, 0), 1, 1, "as quoted") for bill in READABLE_BILLS},
    **{
        f"a bill of {bill[:24]}": Case([UNSURE, billed(bill)], (0, 0), 1, 1, "no bill that can be read")
        for bill in UNREADABLE_BILLS
    },
    **{
        f"a bill of {bill}, rounded by the provider": Case([UNSURE, billed(bill)], (0, 0), 1, 1, "made  ")
        for bill in ("199.9", "200.05", "200.1")
    },
    **{
        f"a bill of {bill}, below the quote": Case([UNSURE, billed(bill)], (0, 0), 1, 1, "the run goes on")
        for bill in ("0", "100", "199.8")
    },
    **{
        f"a bill of {bill}, above the quote": Case([UNSURE, billed(bill)], (4, 0), 1, 1, "the price book is wrong")
        for bill in ("200.2", "2000000000", "1e12")
    },
    **{
        f"402 with a number of {number[:24]}": Case(
            [Step(status=402, body=f'{{"message": "no", "required": {number}, "available": {number}}}'.encode())],
            (4, 0),
            2,
            1,
            "too few credits",
        )
        for number in UNREADABLE_BILLS
    },
    **{name: Case([step], (6, 6), 1, 1, "boat") for name, step in UNSETTLED.items()},
    "0 nothing goes wrong": Case([], (0, 0), 1, 1, "as quoted"),
    "6 an envelope": Case([reply(200, {"code": 200, "data": {"taskId": "{task}"}})], (0, 0), 1, 1),
    "6 an envelope that refuses": Case(
        [reply(200, {"code": 402, "message": "Insufficient credits"}, creates=False)],
        (4, 0),
        2,
        1,
        "Insufficient",
    ),
    "10 a redirect to itself": Case(
        [Step(status=307, headers=(("Location", CREATE.split()[1]),))], (3, 6), 1, 0, "redirect"
    ),
    "11 a redirect to a login page": Case(
        [Step(status=302, headers=(("Location", "https://login.example/"),))], (3, 6), 1, 0, "redirect"
    ),
    "12 500 in JSON, settled by the user": Case(
        [reply(500, {"message": "Internal error"}, creates=True)], (6, 6), 1, 1, "Internal error", SETTLE
    ),
    "13 403 from a firewall": Case([page(403)], (3, 1), 1, 0, "answered by cloudflare"),
    "14 402 before anything": Case(
        [reply(402, {"message": "Insufficient credits", "required": 200, "available": 7})], (4, 0), 2, 1, "7"
    ),
    "15 401 at createTask": Case([reply(401, {"message": "Invalid API key"})], (5, 0), 2, 1, "SEEDANCE_API_KEY"),
    "16 403 that says the key back": Case(
        [reply(403, {"message": f"access not enabled for {KEY}"})], (1, 1), 1, 0, "access not enabled for [key]"
    ),
    "16 403 in JSON": Case([reply(403, {"message": "access not enabled"})], (1, 1), 1, 0, "access not enabled"),
    "17 429 with Retry-After": Case([BUSY], (0, 0), 2, 1, "3"),
    "19 400 with the field": Case(
        [reply(400, {"message": "Invalid", "errors": [{"path": "inputs.prompt", "message": "too rude"}]})],
        (1, 1),
        1,
        0,
        "inputs.prompt: too rude",
    ),
    "the preflight meets a page": Case([page(200, on=POLL)], (3, 0), 1, 1, "cloudflare"),
    "the preflight is sent on": Case(
        [Step(on=POLL, status=301, headers=(("Location", "https://www.example.com/"),))], (3, 0), 1, 1, "example.com"
    ),
    "the preflight's key is refused": Case(
        [reply(401, {"message": "Invalid API key"}, on=POLL)], (5, 0), 1, 1, "SEEDANCE_API_KEY"
    ),
    "26 404 right after creation": Case([UNSURE, UNSURE], (0, 0), 1, 1),
    "28 a status in another case": Case([UNSURE, polled(status="QUEUING"), polled(status="Running")], (0, 0), 1, 1),
    "28 a status that nobody knows": Case([UNSURE, polled(status="archived")], (0, 0), 1, 1),
    "33 another task's record": Case([UNSURE, reply(200, record("task_9", "fail", error="x"), on=POLL)], (0, 0), 1, 1),
    "35 a poll that fails": Case([UNSURE, dropped(creates=False, on=POLL)], (0, 0), 1, 1),
    "a prompt that was flagged": Case(
        [UNSURE, polled(status="fail", error="Your input text violates platform rules. Please modify and try again.")],
        (1, 1),
        1,
        1,
        "platform rules",
    ),
    "a face": Case([UNSURE, polled(status="fail", error="Face detected in uploaded media.")], (1, 1), 1, 1, "Face"),
    "37 an error with a screen's codes in it": Case(
        [UNSURE, polled(status="fail", error="\x1b]52;c;ZXZpbA==\x07Face detected\x1b[2J")],
        (1, 1),
        1,
        1,
        "Face detected",
    ),
    "the provider's own failure": Case(
        [UNSURE, polled(status="fail", error="Video generation failed. Please try again.")], (0, 0), 2, 2
    ),
    "30 two links, of which one leads nowhere": Case(
        [
            UNSURE,
            polled(
                status="success",
                creditsUsed=200,
                output=[{"url": "file:///etc/passwd"}, {"url": "{host}/media/a.mp4", "width": 1280, "height": 720}],
            ),
        ],
        (0, 0),
        1,
        1,
    ),
    "31 a failure that names credits": Case(
        [UNSURE, polled(status="fail", error="Face detected", creditsUsed=200)], (1, 1), 1, 1, "0 credits"
    ),
    "32 a bill above the quote": Case(
        [UNSURE, polled(status="success", creditsUsed=250, output=[])], (4, 0), 1, 1, "the price book is wrong"
    ),
    "39 a clip that breaks off": Case([Step(on=MEDIA, body=CLIP, cut=3000, end="close")], (0, 0), 1, 1),
    "40 cut without a length": Case([Step(on=MEDIA, body=CLIP, cut=3000, end="close", length=False)], (0, 0), 1, 1),
    "42 zero bytes": Case([Step(on=MEDIA)], (0, 0), 1, 1),
    "43 a page as a clip": Case([page(200, on=MEDIA)], (0, 0), 1, 1),
    "44 a clip under another type": Case(
        [Step(on=MEDIA, body=CLIP, headers=(("Content-Type", "application/octet-stream"),))], (0, 0), 1, 1
    ),
    **{
        f"45 a link that answers {status}": Case(
            [page(status, on=MEDIA)], (0, 0), 1, 1, f"at the first of 8 tries: the link answered HTTP {status}"
        )
        for status in (401, 403, 404, 410, 500)
    },
    "46 a range that is ignored": Case(
        [
            Step(on=MEDIA, body=CLIP, headers=(("ETag", '"1"'),), cut=3000, end="close"),
            Step(on=MEDIA, body=CLIP, headers=(("ETag", '"1"'),)),
        ],
        (0, 0),
        1,
        1,
    ),
    "47 another file at the second try": Case(
        [
            Step(on=MEDIA, body=CLIP, headers=(("ETag", '"1"'),), cut=3000, end="close"),
            Step(on=MEDIA, body=OTHER, headers=(("ETag", '"2"'),)),
        ],
        (0, 0),
        1,
        1,
    ),
    "48 links to where nobody should ask": Case(
        [UNSURE, links("http://169.254.169.254/latest/meta-data")], (0, 0), 1, 1
    ),
}


@dataclass
class Repository:
    """A content repository, and the program run in it."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def run(self) -> tuple[int, str]:
        """Exit code, and all that was shown."""
        code = main(["run", "storyboards/film.yaml", "--provider", "kinovi", "--yes", "--no-cut"])
        captured = self.capture.readouterr()
        return code, captured.err + captured.out

    @property
    def clip(self) -> bytes | None:
        path = self.root / "renders" / "film" / "kinovi" / "clips" / "boat" / "take-1.mp4"
        return path.read_bytes() if path.exists() else None


Make = Callable[[Double, str], Repository]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Make:
    """Makes the repository, with this host behind the address of the paid provider."""

    def create(double: Double, settings: str) -> Repository:
        root = tmp_path / "film"
        (root / "storyboards").mkdir(parents=True)
        (root / "storyboards" / "film.yaml").write_text(FILM)
        (root / "storyboard.toml").write_text(settings)
        monkeypatch.chdir(root)
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setenv("STORYBOARD_STATE", str(tmp_path / "state"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("SEEDANCE_BASE_URL", double.url)
        monkeypatch.setenv("SEEDANCE_API_KEY", KEY)
        return Repository(root, capsys)

    return create


SLOW = (
    "26 404 right after creation",
    "28 a status that nobody knows",
    "32 a bill above the quote",
    "33 another task's record",
    "35 a poll that fails",
    "40 cut without a length",
    "42 zero bytes",
    "43 a page as a clip",
)
"""Those that wait for a second try; each has a quicker case of its kind beside it."""
NAMES = [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in CASES]


@pytest.mark.parametrize("name", NAMES)
def test_two_runs_come_to_what_the_table_says(name: str, repository: Make) -> None:
    case = CASES[name]
    with Double(list(case.steps), CLIP) as double:
        repo = repository(double, case.settings)
        first, output = repo.run()
        second, second_output = repo.run()

    assert (first, second) == case.codes, output + second_output
    assert (len(double.requests(CREATE)), len(double.created_tasks)) == (case.creates, case.tasks), output
    assert case.message in output
    assert KEY not in output + second_output
    assert [path for path in repo.root.parent.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []
    assert "\x1b" not in output + second_output
    assert "Traceback" not in output + second_output
    assert (repo.clip in (CLIP, OTHER)) == (second == 0)


def test_each_created_task_stands_in_the_manifest_with_what_was_asked(repository: Make) -> None:
    with Double(media=CLIP) as double:
        repo = repository(double, "")
        repo.run()
        manifest = json.loads((repo.root / "renders" / "film" / "kinovi" / "manifest.json").read_text())

    [take] = manifest["shots"][0]["takes"]
    assert (take["task_id"], take["status"], take["credits"]) == ("task_1", "succeeded", {"quoted": 200, "used": 200})
