"""What outlives a server: tasks, uploads and accounts, after a kill at any time, and for two at once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from runner.diagnostics.problem import CommandError, ExitCode
from runner.editions.edition import load
from runner.sandbox.embedded import embedded
from runner.sandbox.state.cleanup import clean_up
from runner.sandbox.state.journal import NAME, Journal
from tests import requirements
from tests.sandbox.sandbox_client import Guest, body, ended, house, picture, served
from tests.waiting import wait_until


def test_a_finished_task_is_found_again_with_its_clip(tmp_path: Path) -> None:
    with house(tmp_path) as guest:
        task = guest.task()
        guest.over(task)
        clip = guest.clip(task).content
    with house(tmp_path) as guest:
        assert guest.record(task)["status"] == "success"
        assert guest.clip(task).content == clip


def test_what_a_killed_server_was_drawing_is_drawn_by_the_next(tmp_path: Path) -> None:
    process, address = served(tmp_path, "--seconds", "60")
    guest = Guest(address)
    tasks = [guest.task({"urls": [guest.put(picture())]}) for _ in range(3)]
    assert ended(process, signal.SIGKILL) == -signal.SIGKILL
    guest.leave()
    (tmp_path / "clips" / f"{tasks[0]}.mp4").unlink(missing_ok=True)
    with house(tmp_path) as guest:
        guest.set_clock(advance=61)
        assert [guest.over(task)["status"] for task in tasks] == ["success"] * 3
        assert guest.state()["creates"] == 3


def test_a_killed_server_takes_its_drawing_processes_with_it_at_once(tmp_path: Path) -> None:
    process, address = served(tmp_path, plain=False)
    guest = Guest(address)
    task = guest.task({"duration": "15", "outputResolution": "1080p"})
    while guest.record(task)["status"] == "waiting":
        time.sleep(0.02)
    guest.leave()
    children = requirements.kernel_file(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: children.read_text().split(), "a drawing process starts")
    drawing = [int(number) for number in children.read_text().split()]
    ended(process, signal.SIGKILL)
    wait_until(lambda: not any(_runs(number) for number in drawing), "the drawing processes end")
    (tmp_path / "clips" / "left.123.part").touch()
    with house(tmp_path) as guest:
        assert guest.over(task)["status"] == "success"
        assert not list(tmp_path.glob("*/*.part"))


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except (OSError, ValueError):
        return False


def test_a_line_that_was_half_written_costs_only_itself(tmp_path: Path) -> None:
    with house(tmp_path) as guest:
        task = guest.task()
        guest.over(task)
    journal = tmp_path / NAME
    whole = journal.read_bytes()
    for cut in (1, 7, len(whole.splitlines()[-1])):
        journal.write_bytes(whole + whole.splitlines()[-1][:cut])
        with house(tmp_path) as guest:
            assert guest.record(task)["status"] == "success"
            assert guest.over(guest.task())["status"] == "success"


def test_a_journal_is_readable_after_a_cut_at_any_byte(tmp_path: Path) -> None:
    first = Journal(tmp_path / "one")
    with first.held():
        first.append([{"event": "task", "n": number} for number in range(5)])
    first.close()
    whole = (tmp_path / "one" / NAME).read_bytes()
    for cut in range(len(whole) + 1):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        (folder / NAME).write_bytes(whole[:cut])
        journal = Journal(folder)
        with journal.held():
            journal.append([{"event": "after"}])
        lines = journal.news()
        journal.close()
        assert lines[-1] == {"event": "after"}
        assert [line["n"] for line in lines[:-1]] == list(range(whole[:cut].count(b"}")))[: len(lines) - 1]


def test_two_servers_on_one_folder_are_one_account(tmp_path: Path) -> None:
    with house(tmp_path, cap=2, seconds=300) as one, house(tmp_path, cap=2, seconds=300) as other:
        task = one.task()
        assert other.record(task)["status"] == "waiting"
        other.task()
        assert one.create().status_code == 429
        assert one.state()["creates"] == other.state()["creates"] == 2
        one.set_clock(advance=301)
        assert other.over(task)["status"] == "success"
        assert other.clip(task).status_code == 200


def test_a_cap_holds_over_two_servers_that_are_asked_at_once(tmp_path: Path) -> None:
    with house(tmp_path, cap=5, seconds=300) as one, house(tmp_path, cap=5, seconds=300) as other:
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(guest.create, {"prompt": f"{n}"}) for n in range(12) for guest in (one, other)]
            answers = sorted(answer.result().status_code for answer in asked)
        assert answers == [200] * 5 + [429] * 19
        assert [account["peak"] for account in one.state()["accounts"]] == [5]


def test_a_task_is_only_made_while_nobody_else_writes(own: Guest, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        with journal.held():
            asked = pool.submit(own.create)
            time.sleep(0.3)
            assert not asked.done()
        assert asked.result().status_code == 200
    journal.close()


def test_what_a_living_server_has_to_do_is_left_to_it(tmp_path: Path) -> None:
    with house(tmp_path, seconds=300) as one:
        one.task(callBackUrl="http://127.0.0.1:9/hook")
        with house(tmp_path, seconds=300) as other:
            assert other.state()["creates"] == 1
            assert '"adopted"' not in (tmp_path / NAME).read_text()
    with house(tmp_path, seconds=300):
        assert (tmp_path / NAME).read_text().count('"adopted"') == 1


def test_an_upload_to_one_server_is_material_at_the_other(tmp_path: Path) -> None:
    with house(tmp_path) as one, house(tmp_path) as other:
        address = one.put(picture())
        assert other.create({"urls": [address]}).status_code == 200


def test_when_one_of_two_servers_ends_the_other_draws_what_is_left(tmp_path: Path) -> None:
    with house(tmp_path, seconds=1) as other:
        with house(tmp_path, seconds=1) as one:
            tasks = [one.task({"prompt": f"shot {number}"}) for number in range(4)]
        assert [other.over(task)["status"] for task in tasks] == ["success"] * 4


def test_the_embedded_one_keeps_its_key_and_its_tasks(tmp_path: Path) -> None:
    with embedded(tmp_path, load("classic"), plain_clips=True) as one:
        headers = {"Authorization": f"Bearer {one.key}"}
        answer = httpx.post(f"{one.base_url}/api/v1/jobs/createTask", json=body(), headers=headers)
        task = answer.json()["taskId"]
    with embedded(tmp_path, load("classic"), plain_clips=True) as two:
        assert two.key == one.key
        assert one.key not in repr(one)
        guest = Guest(two.base_url, two.key)
        assert guest.over(task)["status"] == "success"
        guest.leave()
        assert httpx.get(f"{two.base_url}/__sandbox/state", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("taken", ["", "servers", NAME, "key"])
def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path, taken: str) -> None:
    state = tmp_path / "sandbox"
    (state / taken).parent.mkdir(exist_ok=True)
    if taken == NAME:
        (state / taken).mkdir()
    else:
        (state / taken).touch()
        (state / taken).chmod(0)
    if taken == "key":
        (state / taken).unlink()
        (state / taken).mkdir()
    with pytest.raises(CommandError) as stop, embedded(state, load("classic"), plain_clips=True):
        pass
    assert stop.value.code == ExitCode.INVALID
    assert "the sandbox cannot keep its tasks there" in stop.value.message


def test_nothing_but_the_owner_reads_the_folder(tmp_path: Path) -> None:
    with embedded(tmp_path / "sandbox", load("classic"), plain_clips=True):
        assert (tmp_path / "sandbox").stat().st_mode & 0o077 == 0
        for name in ("key", "link-secret", NAME):
            assert (tmp_path / "sandbox" / name).stat().st_mode & 0o077 == 0


# -- what is let go -----------------------------------------------------------------------------------------


def test_what_nobody_could_ask_for_any_more_is_let_go_at_the_next_start(tmp_path: Path) -> None:
    with house(tmp_path) as guest:
        old, young = guest.task(), guest.task()
        guest.over(old)
        guest.over(young)
        address = guest.put(picture())
    upload = tmp_path / "uploads" / f"{address.split('/')[4]}.png"
    now = time.time()
    clean_up(tmp_path, now + 13 * 86400, lambda: True, long=0)
    assert (tmp_path / "clips" / f"{old}.mp4").exists()
    assert not upload.exists()
    clean_up(tmp_path, now + 15 * 86400, lambda: True, long=0)
    assert not (tmp_path / "clips" / f"{old}.mp4").exists()
    with house(tmp_path) as guest:
        assert guest.record(old)["status"] == "success"
    clean_up(tmp_path, now + 61 * 86400, lambda: True, long=0)
    assert (tmp_path / NAME).read_text() == ""


def test_nothing_is_let_go_while_another_server_is_there_or_the_clock_was_set(tmp_path: Path) -> None:
    with house(tmp_path) as guest:
        task = guest.task()
        guest.over(task)
        clean_up(tmp_path, time.time() + 100 * 86400, lambda: False, long=0)
        assert guest.clip(task).status_code == 200
        guest.set_clock(advance=1)
    clean_up(tmp_path, time.time() + 100 * 86400, lambda: True, long=0)
    with house(tmp_path) as guest:
        assert guest.clip(task).status_code == 200


def test_who_waited_for_a_journal_that_was_made_shorter_opens_the_new_one(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    with first.held():
        first.append([{"event": "task", "id": str(number)} for number in range(3)])
        waiting = threading.Thread(target=lambda: opened.append(Journal(tmp_path)))
        opened: list[Journal] = []
        waiting.start()
        time.sleep(0.1)
        first.shorten(lambda line: line["id"] == "2")
    waiting.join()
    assert [line["id"] for line in opened[0].news()] == ["2"]
    with opened[0].held():
        opened[0].append([{"event": "after", "id": "3"}])
    assert [line["id"] for line in first.news()] == ["2", "3"]
    first.close()
    opened[0].close()


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_says_where_it_listens_and_ends_well(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process, address = served(tmp_path, "--key", "a-key-for-tests", "--credits", "10", "--edition", "2026-09")
        guest = Guest(address, "a-key-for-tests")
        assert guest.create({"duration": 5}).status_code == 402
        assert guest.state()["edition"] == "2026-09"
        guest.leave()
        assert ended(process, number) == 0


def test_a_port_in_use_is_one_clear_line(shared: Guest) -> None:
    port = str(httpx.URL(shared.base).port)
    done = subprocess.run([sys.executable, "-m", "runner", "sandbox", "--port", port], capture_output=True, text=True)
    assert done.returncode == 3
    assert f"port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert done.stdout == ""


def test_faults_that_are_not_fit_end_it_before_it_listens(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: 1\nrules:\n  - on: create\n    do: {staus: 1}\n")
    command = [sys.executable, "-m", "runner", "sandbox", "--faults", str(faults)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert "faults.yaml:4:10" in done.stderr


def test_a_faults_file_works_from_the_first_request(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    rule = {"on": "create", "occurrence": 1, "do": {"status": 500, "message": "internal error"}}
    faults.write_text(json.dumps({"faults": 1, "rules": [rule]}))
    process, address = served(tmp_path, "--faults", str(faults))
    guest = Guest(address)
    assert [guest.create().status_code for _ in range(2)] == [500, 200]
    guest.leave()
    ended(process, signal.SIGTERM)
