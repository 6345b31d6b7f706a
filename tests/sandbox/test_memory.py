"""State that outlives a server: tasks, uploads and accounts, after a kill at any time, and with two servers."""

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

from runner.app.exit_codes import exit_code_of
from runner.diagnostics.failures import SandboxUnusable
from runner.diagnostics.problem import ExitCode
from runner.editions.edition import load
from runner.sandbox.embedded import embedded
from runner.sandbox.state.cleanup import clean_up
from runner.sandbox.state.journal import NAME, Journal
from tests import requirements
from tests.sandbox.sandbox_client import SandboxClient, body, picture, running_sandbox, start_server, stop_server
from tests.waiting import stays, wait_until


def test_a_finished_task_is_found_again_with_its_clip(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        task = sandbox.create_task()
        sandbox.wait_for_end(task)
        clip = sandbox.download_clip(task).content
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.record(task)["status"] == "success"
        assert sandbox.download_clip(task).content == clip


def test_clips_of_a_killed_server_are_drawn_by_the_next(tmp_path: Path) -> None:
    process, address = start_server(tmp_path, "--seconds", "60")
    sandbox = SandboxClient(address)
    tasks = [sandbox.create_task({"urls": [sandbox.upload(picture())]}) for _ in range(3)]
    assert stop_server(process, signal.SIGKILL) == -signal.SIGKILL
    sandbox.close()
    (tmp_path / "clips" / f"{tasks[0]}.mp4").unlink(missing_ok=True)
    with running_sandbox(tmp_path) as sandbox:
        sandbox.set_clock(advance=61)
        assert [sandbox.wait_for_end(task)["status"] for task in tasks] == ["success"] * 3
        assert sandbox.state()["creates"] == 3


def test_a_killed_server_takes_its_drawing_processes_with_it_at_once(tmp_path: Path) -> None:
    process, address = start_server(tmp_path, plain=False)
    sandbox = SandboxClient(address)
    task = sandbox.create_task({"duration": "15", "outputResolution": "1080p"})
    wait_until(lambda: sandbox.record(task)["status"] != "waiting", "the clip is begun")
    sandbox.close()
    children = requirements.kernel_file(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: children.read_text().split(), "a drawing process starts")
    drawing = [int(number) for number in children.read_text().split()]
    stop_server(process, signal.SIGKILL)
    wait_until(lambda: not any(_runs(number) for number in drawing), "the drawing processes end")
    (tmp_path / "clips" / "left.123.part").touch()
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.wait_for_end(task)["status"] == "success"
        assert not list(tmp_path.glob("*/*.part"))


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except (OSError, ValueError):
        return False


def test_a_line_that_was_half_written_costs_only_itself(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        task = sandbox.create_task()
        sandbox.wait_for_end(task)
    journal = tmp_path / NAME
    whole = journal.read_bytes()
    for cut in (1, 7, len(whole.splitlines()[-1])):
        journal.write_bytes(whole + whole.splitlines()[-1][:cut])
        with running_sandbox(tmp_path) as sandbox:
            assert sandbox.record(task)["status"] == "success"
            assert sandbox.wait_for_end(sandbox.create_task())["status"] == "success"


def test_a_journal_is_readable_after_a_cut_at_any_byte(tmp_path: Path) -> None:
    first = Journal(tmp_path / "one")
    with first.locked():
        first.append([{"event": "task", "n": number} for number in range(5)])
    first.close()
    whole = (tmp_path / "one" / NAME).read_bytes()
    for cut in range(len(whole) + 1):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        (folder / NAME).write_bytes(whole[:cut])
        journal = Journal(folder)
        with journal.locked():
            journal.append([{"event": "after"}])
        lines = journal.read_new()
        journal.close()
        assert lines[-1] == {"event": "after"}
        assert [line["n"] for line in lines[:-1]] == list(range(whole[:cut].count(b"}")))[: len(lines) - 1]


def test_two_servers_on_one_folder_are_one_account(tmp_path: Path) -> None:
    with (
        running_sandbox(tmp_path, cap=2, seconds=300) as first,
        running_sandbox(tmp_path, cap=2, seconds=300) as second,
    ):
        task = first.create_task()
        assert second.record(task)["status"] == "waiting"
        second.create_task()
        assert first.create().status_code == 429
        assert first.state()["creates"] == second.state()["creates"] == 2
        first.set_clock(advance=301)
        assert second.wait_for_end(task)["status"] == "success"
        assert second.download_clip(task).status_code == 200


def test_a_cap_holds_over_two_servers_with_requests_at_once(tmp_path: Path) -> None:
    with (
        running_sandbox(tmp_path, cap=5, seconds=300) as first,
        running_sandbox(tmp_path, cap=5, seconds=300) as second,
    ):
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(client.create, {"prompt": f"{n}"}) for n in range(12) for client in (first, second)]
            statuses = sorted(answer.result().status_code for answer in futures)
        assert statuses == [200] * 5 + [429] * 19
        assert [account["peak"] for account in first.state()["accounts"]] == [5]


def test_a_task_is_only_made_while_nobody_else_writes(sandbox: SandboxClient, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        with journal.locked():
            future = pool.submit(sandbox.create)
            stays(lambda: not future.done(), "the task is not made")
        assert future.result().status_code == 200
    journal.close()


def test_jobs_of_a_living_server_are_not_taken_over(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, seconds=300) as first:
        first.create_task(callBackUrl="http://127.0.0.1:9/hook")
        with running_sandbox(tmp_path, seconds=300) as second:
            assert second.state()["creates"] == 1
            assert '"adopted"' not in (tmp_path / NAME).read_text()
    with running_sandbox(tmp_path, seconds=300):
        assert (tmp_path / NAME).read_text().count('"adopted"') == 1


def test_an_upload_to_one_server_is_material_at_the_other(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as first, running_sandbox(tmp_path) as second:
        address = first.upload(picture())
        assert second.create({"urls": [address]}).status_code == 200


def test_when_one_of_two_servers_ends_the_other_draws_its_clips(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, seconds=1) as second:
        with running_sandbox(tmp_path, seconds=1) as first:
            tasks = [first.create_task({"prompt": f"shot {number}"}) for number in range(4)]
        assert [second.wait_for_end(task)["status"] for task in tasks] == ["success"] * 4


def test_the_embedded_sandbox_keeps_its_key_and_its_tasks(tmp_path: Path) -> None:
    with embedded(tmp_path, load("classic"), plain_clips=True) as first:
        headers = {"Authorization": f"Bearer {first.key}"}
        answer = httpx.post(f"{first.base_url}/api/v1/jobs/createTask", json=body(), headers=headers)
        task = answer.json()["taskId"]
    with embedded(tmp_path, load("classic"), plain_clips=True) as second:
        assert second.key == first.key
        assert first.key not in repr(first)
        sandbox = SandboxClient(second.base_url, second.key)
        assert sandbox.wait_for_end(task)["status"] == "success"
        sandbox.close()
        assert httpx.get(f"{second.base_url}/__sandbox/state", headers={"Authorization": "Bearer x"}).status_code == 401


@pytest.mark.parametrize("blocked", ["", "servers", NAME, "key"])
def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path, blocked: str) -> None:
    state = tmp_path / "sandbox"
    (state / blocked).parent.mkdir(exist_ok=True)
    if blocked == NAME:
        (state / blocked).mkdir()
    else:
        (state / blocked).touch()
        (state / blocked).chmod(0)
    if blocked == "key":
        (state / blocked).unlink()
        (state / blocked).mkdir()
    with pytest.raises(SandboxUnusable) as stop, embedded(state, load("classic"), plain_clips=True):
        pass
    assert exit_code_of(stop.value) == ExitCode.INVALID
    assert "the sandbox cannot store its tasks in this folder" in stop.value.message


def test_nothing_but_the_owner_reads_the_folder(tmp_path: Path) -> None:
    with embedded(tmp_path / "sandbox", load("classic"), plain_clips=True):
        assert (tmp_path / "sandbox").stat().st_mode & 0o077 == 0
        for name in ("key", "link-secret", NAME):
            assert (tmp_path / "sandbox" / name).stat().st_mode & 0o077 == 0


# -- cleanup -----------------------------------------------------------------------------------------------


def test_expired_files_and_records_are_deleted_at_the_next_start(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        old, young = sandbox.create_task(), sandbox.create_task()
        sandbox.wait_for_end(old)
        sandbox.wait_for_end(young)
        address = sandbox.upload(picture())
    upload = tmp_path / "uploads" / f"{address.split('/')[4]}.png"
    now = time.time()
    clean_up(tmp_path, now + 13 * 86400, lambda: True, compact_from=0)
    assert (tmp_path / "clips" / f"{old}.mp4").exists()
    assert not upload.exists()
    clean_up(tmp_path, now + 15 * 86400, lambda: True, compact_from=0)
    assert not (tmp_path / "clips" / f"{old}.mp4").exists()
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.record(old)["status"] == "success"
    clean_up(tmp_path, now + 61 * 86400, lambda: True, compact_from=0)
    assert (tmp_path / NAME).read_text() == ""


def test_nothing_is_deleted_while_another_server_runs_or_the_clock_was_set(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        task = sandbox.create_task()
        sandbox.wait_for_end(task)
        clean_up(tmp_path, time.time() + 100 * 86400, lambda: False, compact_from=0)
        assert sandbox.download_clip(task).status_code == 200
        sandbox.set_clock(advance=1)
    clean_up(tmp_path, time.time() + 100 * 86400, lambda: True, compact_from=0)
    with running_sandbox(tmp_path) as sandbox:
        assert sandbox.download_clip(task).status_code == 200


def test_a_server_that_waited_for_a_shortened_journal_opens_the_new_file(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    with first.locked():
        first.append([{"event": "task", "id": str(number)} for number in range(3)])
        waiting = threading.Thread(target=lambda: opened.append(Journal(tmp_path)))
        opened: list[Journal] = []
        waiting.start()
        stays(waiting.is_alive, "it waits for the journal")
        first.shorten(lambda line: line["id"] == "2")
    waiting.join()
    assert [line["id"] for line in opened[0].read_new()] == ["2"]
    with opened[0].locked():
        opened[0].append([{"event": "after", "id": "3"}])
    assert [line["id"] for line in first.read_new()] == ["2", "3"]
    first.close()
    opened[0].close()


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_prints_its_address_and_exits_with_0(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process, address = start_server(tmp_path, "--key", "a-key-for-tests", "--credits", "10", "--edition", "2026-09")
        sandbox = SandboxClient(address, "a-key-for-tests")
        assert sandbox.create({"duration": 5}).status_code == 402
        assert sandbox.state()["edition"] == "2026-09"
        sandbox.close()
        assert stop_server(process, number) == 0


def test_a_port_in_use_is_one_clear_line(shared_sandbox: SandboxClient) -> None:
    port = str(httpx.URL(shared_sandbox.base_url).port)
    done = subprocess.run([sys.executable, "-m", "runner", "sandbox", "--port", port], capture_output=True, text=True)
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert done.stdout == ""


def test_an_invalid_faults_file_ends_the_command_before_it_listens(tmp_path: Path) -> None:
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
    process, address = start_server(tmp_path, "--faults", str(faults))
    sandbox = SandboxClient(address)
    assert [sandbox.create().status_code for _ in range(2)] == [500, 200]
    sandbox.close()
    stop_server(process, signal.SIGTERM)
