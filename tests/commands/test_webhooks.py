"""`[webhook]` in the real run: hints wake looks, receipts bring back what was lost, nothing is believed."""

import json
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import Host
from tests.waiting import wait_until

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


LOST = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"


def looks(host: Host) -> int:
    """Status requests that the host has answered."""
    answers: dict[str, int] = host.state["answers"]
    return sum(count for what, count in answers.items() if "recordInfo" in what)


def many(folder: Path, shots: int) -> ContentRepo:
    """A film of shots from text alone."""
    entries = "".join(f"  - {{id: s{number}, prompt: Wave number {number}}}\n" for number in range(shots))
    return content(
        folder, f"storyboard: 1\ntitle: Waves\ndefaults: {{resolution: 480p, duration: 4}}\nshots:\n{entries}"
    )


def hear(film: ContentRepo, path: str = "/hooks") -> int:
    """Names a webhook on loopback in storyboard.toml; says its port."""
    port = free_port()
    film.write("storyboard.toml", f'[webhook]\nurl = "http://127.0.0.1:{port}{path}"\nlisten = "127.0.0.1:{port}"\n')
    return port


def test_with_webhooks_fewer_status_requests_are_sent(tmp_path: Path, host: Start) -> None:
    runs = []
    for name in ("polled", "called"):
        there = host("--webhooks", "each", "--spread", "0.5", seconds="4")
        film = many(tmp_path / name, 12)
        if name == "called":
            hear(film)
        with (film.root / "storyboard.toml").open("a") as settings:
            settings.write("[providers.kinovi]\nrequests_per_second = 50\n")
        runs.append((there, film.start("run", FILM, "--yes", "--concurrency", "4", **there.env)))
    for there, process in runs:
        told = process.communicate(timeout=60)
        assert (process.returncode, there.state["creates"]) == (0, 12), told
    polled, called = (looks(there) - 12 for there, _ in runs)
    assert called <= polled - 4


@pytest.mark.parametrize("shape", ["flat", "flat-state", "envelope", "envelope-state", "each"])
def test_a_lost_answer_comes_back_by_its_webhook_in_every_shape(
    paid_film: ContentRepo, host: Start, shape: str
) -> None:
    faults = paid_film.write("faults.yaml", LOST)
    there = host("--webhooks", shape, "--faults", str(faults))
    hear(paid_film)
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (0, 2), said.err
    assert sorted(paid_film.clips()) == [f"renders/film/kinovi/clips/{shot}/take-1.mp4" for shot in ("boats", "quay")]
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_without_webhook_no_address_is_sent_and_nothing_listens(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert [task["callback"] for task in there.state["tasks"]] == [None, None]


def test_a_port_that_is_taken_is_said_and_polling_finishes_the_run(paid_film: ContentRepo, host: Start) -> None:
    there, port = host(), hear(paid_film)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (0, 2), said.err
    assert re.search(rf"webhooks are off: cannot listen on 127.0.0.1:{port}: .*; tasks are polled", said.err)
    assert [task["callback"] for task in there.state["tasks"]] == [None, None]


def test_a_tunnel_that_is_dead_changes_nothing_but_the_number_of_looks(paid_film: ContentRepo, host: Start) -> None:
    there, dead, port = host(), free_port(), free_port()
    toml = f'[webhook]\nurl = "http://127.0.0.1:{dead}/hooks"\nlisten = "127.0.0.1:{port}"\n'
    paid_film.write("storyboard.toml", toml)
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (0, 2), said.err


@pytest.mark.parametrize("says", ["success", "fail", "other-task", "garbage", "long"])
def test_a_forged_call_changes_nothing(paid_film: ContentRepo, host: Start, says: str) -> None:
    rule = f"{{on: callback, do: {{says: {says}, early: true, copies: 5}}}}"
    faults = paid_film.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")
    there = host("--faults", str(faults), seconds="1.5")
    hear(paid_film)
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (0, 2), said.err
    assert looks(there) < 25
    for shot in paid_film.manifest(variant="kinovi")["shots"]:
        assert shot["takes"][0]["status"] == "succeeded"


@pytest.mark.long
def test_a_receipt_with_another_attempts_task_adopts_nothing(paid_film: ContentRepo, host: Start) -> None:
    rules = LOST + "  - {on: callback, do: {says: other-task}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rules)))
    hear(paid_film)
    with paid_film.start("run", FILM, "--yes", **there.env) as process:
        assert process.stderr is not None
        seen = ""
        while "does not match" not in seen and (line := process.stderr.readline()):
            seen += line
        process.terminate()
        process.communicate(timeout=20)
    assert "the provider has no record of task_clsomebodyelse" in seen
    assert there.state["creates"] == 2


def callback_address(host_state: Path) -> str:
    """The address that the first order named for its callback, once the host has the order."""

    def addresses() -> list[str]:
        journals = [path.read_text("utf-8") for path in host_state.glob("journal-*.jsonl")]
        return re.findall(r'"callback":("[^"]+")', "".join(journals))

    wait_until(addresses, "an order reaches the host")
    return str(json.loads(addresses()[0]))


def test_the_right_webhook_is_taken_after_a_wrong_webhook_on_its_path(
    paid_film: ContentRepo, host: Start, tmp_path: Path
) -> None:
    """The create's answer is lost, and the host's own callback comes once the wrong call was looked at."""
    faults, host_state = paid_film.write("faults.yaml", LOST), tmp_path / "host"
    there = host("--faults", str(faults), "--state", str(host_state), seconds="300")
    hear(paid_film)
    with paid_film.start("run", FILM, "--yes", "--select", "quay", **there.env) as process:
        wrong = {"taskId": "task_clsomebodyelse0000000000", "status": "success"}
        assert httpx.post(callback_address(host_state), json=wrong, timeout=10, verify=False).status_code == 204
        wait_until(lambda: looks(there), "the wrong call is looked up")
        there.advance(300)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, there.state["creates"]) == (0, 1), out + err
    assert [task["callback"] for task in there.state["tasks"]] == ["204"]
    assert paid_film.clips() == ["renders/film/kinovi/clips/quay/take-1.mp4"]


def flood(port: int, over: threading.Event, sent: list[int]) -> None:
    """Bad requests of every kind, as fast as one thread can, until it is over."""
    bodies = [
        b"POST /hooks/guess HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        b"garbage\r\n\r\n",
        b"GET / HT",
        b"",
    ]
    while not over.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5) as line:
                line.sendall(bodies[len(sent) % len(bodies)])
            sent.append(1)
        except OSError:
            over.wait(0.005)


def test_a_flood_does_not_hold_up_the_run(paid_film: ContentRepo, host: Start) -> None:
    there, port = host("--webhooks", "each", seconds="1"), hear(paid_film)
    over, sent = threading.Event(), list[int]()
    senders = [threading.Thread(target=flood, args=(port, over, sent)) for _ in range(3)]
    for sender in senders:
        sender.start()
    try:
        said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    finally:
        over.set()
        for sender in senders:
            sender.join()
    assert (said.code, there.state["creates"]) == (0, 2), said.err
    assert len(sent) > 100


def test_where_callbacks_go_stands_in_the_plan_and_before_the_yes(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write("storyboard.toml", '[webhook]\nurl = "https://hooks.example.com/a"\n')
    line = "callbacks go to https://hooks.example.com/a, received at 127.0.0.1:8788"
    assert line in paid_film.storyboard("plan", FILM, **there.env).out
    assert line in paid_film.storyboard("run", FILM, "--no-cut", **there.env).err
    (told,) = paid_film.storyboard("plan", FILM, "--json", **there.env).json["destinations"]
    assert told == {"what": "callbacks", "where": "https://hooks.example.com/a", "changed": False}
    assert "callbacks" not in paid_film.storyboard("plan", FILM, "--provider", "sandbox").out


def test_where_callbacks_go_is_marked_when_it_changed_since_the_last_yes(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    port = hear(paid_film)
    assert "(NEW since your last approval)" in paid_film.storyboard("run", FILM, "--no-cut", **there.env).err
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    paid_film.write(FILM, (paid_film.root / FILM).read_text().replace("Boats", "Ships"))
    assert "since your last approval" not in paid_film.storyboard("run", FILM, "--no-cut", **there.env).err
    paid_film.write("storyboard.toml", '[webhook]\nurl = "https://evil.example.com"\n')
    said = paid_film.storyboard("run", FILM, "--no-cut", **there.env)
    assert f"(CHANGED since your last approval: http://127.0.0.1:{port}/hooks)" in said.err
    assert paid_film.storyboard("plan", FILM, "--json", **there.env).json["destinations"][0]["changed"] is True
