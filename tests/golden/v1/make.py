"""Makes the golden state of version 1 anew: `python -m tests.golden.v1.make CHECKOUT`, with a checkout of ddd2066.

Every command is that checkout's own, against its own sandbox on loopback. What no command leaves behind (an attempt
that is on its way, a receipt without a row) is written by the checkout's own ledger, in the text `_LAST_WORDS`: its
names are those of ddd2066, and never change.
"""

import base64
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.golden.v1.restore import (
    FILM,
    FOLDERS,
    GOLDEN,
    KEY,
    READINGS,
    REPOSITORIES,
    STATES,
    begin_repository,
    environment,
)

PORT = 18787
HOST = f"http://127.0.0.1:{PORT}"
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_HEAD = """\
storyboard: 1
title: {title}
defaults: {{resolution: 480p, duration: 4, aspect_ratio: 16:9}}
budget: {{credits: 5000}}
shots:
"""
_SHOTS = {
    "harbour": (
        "quay jetty gulls storm dawn bell tide fog lamp rope smoke crowd wreck net mist buoy crane wave foam sail salt"
        " shell oar rudder anchor chain"
    ),
    "lighthouse": "gulls storm dawn",
}
_RULES = """\
faults: 1
rules:
  - {on: create, prompt: the storm, do: {made: true, answer: none}}
  - {on: create, prompt: the dawn, occurrence: 2, do: {made: true, answer: none}}
  - {on: create, prompt: the bell, do: {made: true, answer: none}}
  - {on: create, prompt: the tide, do: {made: true, answer: none}}
  - {on: create, prompt: the fog, do: {made: true, answer: none}}
  - {on: create, prompt: the lamp, do: {made: true, answer: none}}
  - {on: create, prompt: the rope, do: {made: false, answer: none}}
  - {on: task, prompt: the smoke, do: {error: text}}
  - {on: task, prompt: the crowd, do: {error: face}}
  - {on: task, prompt: the wreck, do: {error: server, credits: 0}}
  - on: create
    prompt: the net
    do:
      status: 400
      body: '{"message": "Invalid request", "errors": [{"path": "inputs.prompt", "message": "too long"}]}'
  - on: create
    prompt: the mist
    do: {status: 402, body: '{"message": "Insufficient credits", "required": 60, "available": 12}'}
  - {on: create, prompt: the buoy, do: {status: 401, message: Invalid API key}}
  - {on: create, prompt: the crane, times: 1, do: {status: 429, body: '{"message": "busy", "limit": 1, "current": 1}'}}
  - {on: create, prompt: the wave, do: {made: false, status: 500, message: internal error}}
  - {on: create, prompt: the foam, do: {made: true, status: 502, html: true}}
  - {on: task, prompt: the sail, do: {never_ends: true}}
"""

_LAST_WORDS = """
import json, os, sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from runner import cli
from runner.clock import SystemClock
from runner.commands.opening import opened
from runner.engine.limits import Limits
from runner.events import (
    Busy, Clip, Created, Event, Failed, Intended, KeyRefused, NoCredits, NotSent, Output, Refused, Running, Sending,
    Settled, Stored, Succeeded, TryLater, Unknown, Vanished,
)
from runner.history import History
from runner.records.ledger import Ledger
from runner.edition.wire import body, placeholder
from runner.request import canonical_json

desk = opened(cli._alone("plan", cli._formatter([])).parse_args(["storyboards/film.yaml"]))
state = desk.settings.state
ledger = Ledger(state, SystemClock())
account, home = desk.settings.account, desk.names(ledger)[0]
known = desk.recall(ledger.history(account, *desk.names(ledger)))
steps = {step.shot.id: step for step in desk.plan(known).steps}
moment = datetime(2026, 2, 1, 12, 0, 0, 125000, tzinfo=UTC)
ledger.begin(account, home, Limits("run-that-died", concurrency=100))


def attempt(shot, *whats, receive=None, order="1"):
    global moment
    step, name = steps[shot], f"golden-{shot}-{order}"
    intended = Intended(
        storyboard=step.shot.storyboard, shot=shot, take=step.take, fingerprint=step.fingerprint,
        request=step.form(), body=canonical_json(dict(body(step.shot.request, desk.edition, placeholder))),
        quoted=step.price.credits, edition=desk.edition.name, key_id="01234567", receipt=f"token-of-{shot}",
        run="run-that-died", profile=None, scene=step.shot.scene, tags=step.shot.tags,
    )
    refused = ledger.intend(Event(moment, name, intended), int(order) - 1)
    assert refused is None, refused
    for what in whats:
        moment += timedelta(seconds=1)
        taken = ledger.append(Event(moment, name, what))
        assert taken is None, taken
    if receive is not None:
        ledger.receive(Event(moment + timedelta(seconds=1), name, Created(receive)))


link = Output("https://media.example/clip.mp4?signature=abc", 864, 496)
attempt("chain", NotSent("nothing listens", True), order="1")
attempt("chain", Sending(), Busy("all slots are taken", 3, 3, 2.5), order="2")
attempt("chain", Sending(), Unknown("no JSON", 200, (("server", "cdn"),), b"\\xff\\x00<html>", True),
        Settled("charged"), Settled("undone"), Settled("not-charged", words="it is not listed"), order="3")
attempt("chain", Sending(), Created("task_chain4"), Failed("moderation", "no", "E1", Decimal("1.5"), 1000, 61000),
        order="4")
attempt("chain", Sending(), Created("task_chain5"), Running("generating", "", True, False, False, 1.5),
        Succeeded((link,), Decimal("60.25"), 1000, 61500), Vanished("the media are deleted"), order="5")
attempt("chain", Sending(), Created("task_chain6"), Succeeded((link,), Decimal(60), 1000, 61500),
        Stored(Clip("renders/film/kinovi/clips/chain/take-1.mp4", "ab" * 32, 1000, 864, 496, 4.04), ("length 4.04 s",)),
        order="6")
attempt("salt", Sending(), Created("task_salt"), Succeeded((link, Output("https://media.example/2.mp4")), Decimal(60)))
attempt("shell", Sending(), Created("task_shell"), Succeeded((link,), Decimal(60)), Vanished("the media are deleted"))
attempt("oar")
attempt("rudder", Sending())
attempt("anchor", Sending(), receive="task_anchor")
sys.stdout.flush()
os._exit(0)  # as a killed process ends: the receipts file stays
"""

_HISTORY = """
import json, sys
from datetime import UTC, datetime
from runner import cli
from runner.clock import stamp
from runner.commands.opening import opened
from runner.records.ledger import Ledger

class Fixed:
    def now(self): return datetime(2027, 1, 1, tzinfo=UTC)
    def monotonic(self): return 0.0
    def jitter(self): return 0.5
    def token(self): return "token"

desk = opened(cli._alone("plan", cli._formatter([])).parse_args(["storyboards/film.yaml"]))
ledger = Ledger(desk.settings.state, Fixed())

def at(moment):
    return None if moment is None else stamp(moment)

def clip(value):
    return [value.path, value.sha256, value.bytes, value.width, value.height, value.seconds]

def told(each):
    made = each.intended
    return {
        "attempt": each.id, "storyboard": made.storyboard, "shot": made.shot, "take": made.take,
        "fingerprint": made.fingerprint, "request": dict(made.request),
        "quoted": str(made.quoted), "edition": made.edition, "key": made.key_id, "webhook token": made.receipt,
        "run": made.run, "profile": made.profile, "scene": made.scene, "tags": list(made.tags),
        "state": each.state.value, "intended at": at(each.intended_at), "sent at": at(each.sent_at),
        "accepted at": at(each.accepted_at), "ended at": at(each.ended_at), "task": each.task_id,
        "status": each.status, "failure": each.failure, "message": each.words,
        "errors": [list(pair) for pair in each.errors],
        "outputs": [[output.url, output.width, output.height] for output in each.outputs],
        "used": None if each.credits_used is None else str(each.credits_used), "seconds": each.took,
        "clip": None if each.clip is None else clip(each.clip), "copies": [clip(copy) for copy in each.copies],
        "notes": list(each.notes), "charged": each.charged,
        "state before settlement": None if each.before_settled is None else each.before_settled.value,
        "from a manifest": each.elsewhere, "may have cost": str(each.credits), "billed": str(each.billed),
    }

ledger_alone = ledger.history(desk.settings.account, *desk.names(ledger))
lines = [told(each) for each in ledger_alone.attempts.values()]
print("\\n".join(map(json.dumps, lines)))
"""


class Maker:
    """A checkout's command in a folder of its own."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder, HOST) | {"PYTHONPATH": str(checkout)}

    def python(self, repository: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder / repository,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def storyboard(self, repository: str, *words: str, codes: tuple[int, ...] = (0,)) -> str:
        done = self.python(repository, "-m", "runner", *words)
        print(done.returncode, repository, *words, flush=True)
        if done.returncode not in codes:
            raise SystemExit(f"{words} in {repository} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def script(self, repository: str, text: str) -> str:
        done = self.python(repository, "-c", text)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    def sandbox(self, state: Path, *flags: str, port: int = PORT) -> "subprocess.Popen[str]":
        words = [
            "sandbox",
            "--port",
            str(port),
            "--key",
            KEY,
            "--seconds",
            "0.2",
            "--plain-clips",
            "--state",
            str(state),
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", *words, *flags],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process


def ask(path: str, body: Any = None) -> Any:
    """The sandbox's answer, with the key."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(HOST + path, data, {"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def _film(folder: Path, name: str, rename: tuple[str, str] | None = None, takes: int = 1) -> None:
    text = _HEAD.format(title=f"The {name}")
    for number, shot in enumerate(_SHOTS[name].split()):
        shown = rename[1] if rename and shot == rename[0] else shot
        text += f"  - id: {shown}\n    scene: scene-{number % 3}\n    tags: [tag-{number % 2}]\n"
        text += f"    takes: {takes}\n" if shot == "quay" else ""
        text += f"    prompt: Look at the {shot}\n"
    path = folder / name / FILM
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _run(maker: Maker, repository: str, shot: str, *more: str, codes: tuple[int, ...] = (0,)) -> None:
    maker.storyboard(repository, "run", FILM, "--yes", "--concurrency", "20", "--select", shot, *more, codes=codes)


def _harbour(maker: Maker) -> None:
    """The first repository: each shot another way in which an attempt can end."""
    folder = maker.folder
    _run(maker, "harbour", "quay")
    maker.storyboard("harbour", "run", FILM, "--yes", "--retake", "quay")
    maker.storyboard("harbour", "pick", "quay", "2")
    _run(maker, "harbour", "jetty")
    _film(folder, "harbour", ("jetty", "pier"))
    _run(maker, "harbour", "pier")
    for shot in ("gulls", "dawn", "crane"):
        _run(maker, "harbour", shot)
    for shot in ("storm", "tide", "fog", "lamp", "rope", "foam"):
        _run(maker, "harbour", shot, codes=(6,))
    for shot in ("smoke", "crowd", "wreck", "net"):
        _run(maker, "harbour", shot, codes=(1, 9))
    _run(maker, "harbour", "mist", codes=(4,))
    _run(maker, "harbour", "buoy", codes=(5,))
    _run(maker, "harbour", "wave", codes=(0, 1, 4, 6, 9))
    _run(maker, "harbour", "sail", "--no-wait", codes=(9,))
    tide = next(task for task in ask("/__sandbox/state")["tasks"] if "the tide" in task["prompt"])
    maker.storyboard("harbour", "settle", "tide", "--task", tide["taskId"])
    _run(maker, "harbour", "tide")
    maker.storyboard("harbour", "settle", "fog", "--not-charged")
    maker.storyboard("harbour", "settle", "fog", "--undo")
    maker.storyboard("harbour", "settle", "lamp", "--charged")
    maker.storyboard("harbour", "settle", "rope", "--not-charged")
    hooks = f'[webhook]\nurl = "http://127.0.0.1:{PORT + 1}/hooks"\nlisten = "127.0.0.1:{PORT + 1}"\n'
    (folder / "harbour" / "storyboard.toml").write_text(hooks)
    _run(maker, "harbour", "bell")
    (folder / "harbour" / "storyboard.toml").unlink()


def _sandbox_lines() -> None:
    """The other lines that a sandbox's journal may have: an account, a clock, an upload."""
    ask("/__sandbox/account", {"credits": 100000, "cap": 40})
    ask("/__sandbox/clock", {"offset": 0})
    told = ask("/api/v1/uploads", {"fileName": "door.png"})
    request = urllib.request.Request(told["uploadUrl"], _PICTURE, {"Content-Type": "image/png"}, method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass
    request = urllib.request.Request(told["url"], headers={"Authorization": f"Bearer {KEY}"})  # where no key belongs
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=10):
        pass


def make(checkout: Path, folder: Path) -> None:
    """Everything, in `folder`."""
    maker = Maker(checkout, folder)
    for name in REPOSITORIES:
        begin_repository(folder / name)
        _film(folder, name)
    (folder / "faults.yaml").write_text(_RULES)
    sandbox = maker.sandbox(folder / "sandbox", "--faults", str(folder / "faults.yaml"))
    try:
        _harbour(maker)
        _run(maker, "lighthouse", "gulls")
        for shot in ("storm", "dawn"):
            _run(maker, "lighthouse", shot, codes=(6,))
        _sandbox_lines()
    finally:
        sandbox.terminate()
        sandbox.wait(10)
    maker.script("harbour", _LAST_WORDS)
    _expect(maker, folder / "expected")
    _lessen(folder)


def _expect(maker: Maker, target: Path) -> None:
    """What the checkout itself says of the state that it left."""
    target.mkdir()
    (target / "host.txt").write_text(HOST + "\n")
    for repository in REPOSITORIES:
        (target / f"{repository}-history.jsonl").write_text(maker.script(repository, _HISTORY))
        for state in STATES:
            maker.env["STORYBOARD_STATE"] = str(maker.folder / state)
            for name, words in READINGS.items():
                told = maker.storyboard(repository, *words, codes=(0, 1, 6))
                (target / f"{repository}-{state}-{name}.json").write_text(told)
        maker.env["STORYBOARD_STATE"] = str(maker.folder / "state")
    copy = maker.folder / "copy"
    shutil.copytree(maker.folder / "sandbox", copy, ignore=shutil.ignore_patterns("servers", "clips"))
    sandbox = maker.sandbox(copy)
    try:
        told = ask("/__sandbox/state")
    finally:
        sandbox.terminate()
        sandbox.wait(10)
    lasting = {key: told[key] for key in ("sandbox", "edition", "creates", "charged", "tasks", "accounts", "uploads")}
    (target / "sandbox-state.json").write_text(json.dumps(lasting, indent=1) + "\n")


def _lessen(folder: Path) -> None:
    """Leaves out what says nothing: reserved room, git folders, clips of the sandbox, zeros after the last receipt."""
    (folder / "state" / "reserve").unlink(missing_ok=True)
    for receipts in (folder / "state" / "runs").iterdir():
        receipts.write_bytes(receipts.read_bytes().rstrip(b"\0"))
    for name in REPOSITORIES:
        shutil.rmtree(folder / name / ".git")
    for path in (folder / "sandbox").iterdir():
        if path.name != "journal-1.jsonl":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    """Makes the state in a temporary folder, then puts it in place of the one that lies here."""
    checkout = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.monotonic()
        make(checkout, folder)
        for name in (*FOLDERS, "expected"):
            shutil.rmtree(GOLDEN / name, ignore_errors=True)
            shutil.copytree(folder / name, GOLDEN / name)
        print(f"made in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
