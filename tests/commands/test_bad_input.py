"""What is wrong gets one clear message with its place and the way out, its exit code, and never a traceback."""

import os
import resource
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo

FILM = "storyboards/film.yaml"


def clear(said: CommandResult, code: int, *words: str) -> None:
    assert said.code == code, said.err + said.out
    assert "Traceback" not in said.err + said.out
    for word in words:
        assert word in said.err + said.out


@pytest.mark.parametrize("command", ["validate", "plan", "run", "status"])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("storyboards/none.yaml", None, "none.yaml"),
        ("storyboards/empty.yaml", b"", "this file is empty"),
        ("storyboards/binary.yaml", b"\x00\x01\x02\xff" * 100, "binary.yaml"),
        ("storyboards/utf16.yaml", "storyboard: 1".encode("utf-16"), "UTF-16"),
        ("storyboards/broken.yaml", b"storyboard: 1\nshots: [", "broken.yaml"),
        ("storyboards/types.yaml", b"storyboard: 1\nshots: 12\n", "types.yaml:2:8"),
        ("storyboards/unknown.yaml", b"storyboard: 1\nshot: []\n", "shots"),
    ],
)
def test_what_is_no_storyboard_is_exit_3_with_its_place(
    film: ContentRepo, command: str, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (film.root / name).write_bytes(content)
    clear(film.in_process(command, name), 3, words)
    assert film.clips() == []


@pytest.mark.parametrize("command", ["validate", "plan", "run", "verify"])
def test_a_name_that_no_file_can_have_is_exit_2(film: ContentRepo, command: str) -> None:
    clear(film.in_process(command, FILM, "x" * 3000), 2, "the name is too long for a file")


@pytest.mark.parametrize("command", ["plan", "status", "run", "doctor", "spend", "settle"])
def test_a_state_folder_that_no_path_can_name_is_exit_3(film: ContentRepo, command: str) -> None:
    files = [FILM] if command == "run" else []
    said = film.in_process(command, *files, STORYBOARD_STATE="/tmp/" + "x" * 5000)
    clear(said, 3, "STORYBOARD_STATE=/tmp/xxx", "is longer than a path may be", "export STORYBOARD_STATE=")
    assert len(said.err) < 1000


@pytest.mark.parametrize("part", ["folder", "storyboard"])
def test_a_name_that_is_not_utf_8_is_exit_3_before_anything_is_made(film: ContentRepo, part: str) -> None:
    name = os.fsdecode(b"caf\xe9")
    path = film.root / FILM if part == "storyboard" else film.root
    renamed = path.rename(path.with_name(name + path.suffix))
    repo = film if part == "storyboard" else replace(film, root=renamed)
    file = f"storyboards/{name}.yaml" if part == "storyboard" else FILM
    clear(repo.storyboard("run", file), 3, "this name is not UTF-8", "rename it")
    assert repo.clips() == []


@pytest.mark.parametrize("task", ["", "../x", "a b", "caf\xe9", "\udce9", "x" * 201, "x" * 100_000])
@pytest.mark.parametrize("words", [["settle", "quay"], ["fetch", "--to", "clip.mp4"]], ids=["settle", "fetch"])
def test_what_is_no_task_id_is_exit_2_before_the_provider_is_asked(
    film: ContentRepo, words: list[str], task: str
) -> None:
    said = film.in_process(*words, "--task", task)
    clear(said, 2, "is no task id", "copy it from the vendor's page")
    assert len(said.err) < 1000


@pytest.mark.parametrize("words", [["keep"], ["pick"], ["explain"], ["plan", FILM, "--select"], []])
def test_an_argument_without_end_is_not_repeated_without_end(film: ContentRepo, words: list[str]) -> None:
    said = film.in_process(*words, "x" * 50_000, *(["1"] if words == ["pick"] else []))
    clear(said, 2)
    assert len(said.out + said.err) < 10_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frobnicate"], "there is no command 'frobnicate'"),
        (["valdiate"], "did you mean `storyboard validate`?"),
        (["plan", FILM, "--select", "quai"], "did you mean 'quay'?"),
        (["plan", FILM, "--profile", "draft"], "draft"),
        (["plan", FILM, "--var", "nothing=1"], "nothing"),
        (["plan", FILM, "--var", "nothing"], "write NAME=VALUE"),
        (["plan", FILM, "--provider", "acme"], "sandbox"),
        (["run"], "run needs FILE (a storyboard, or a folder of them) or --plan PLAN"),
        (["run", FILM, "--max-credits", "many"], "is not a number of credits"),
        (["run", FILM, "--concurrency", "0"], "is not a whole number from 1 to 1000"),
        (["plan", FILM, "--config", "none.toml"], "none.toml"),
        (["schema", "storybord"], "did you mean 'storyboard'?"),
    ],
)
def test_a_wrong_command_line_is_exit_2_and_says_what_was_meant(film: ContentRepo, words: list[str], told: str) -> None:
    clear(film.in_process(*words), 2, told)


def test_an_output_that_cannot_be_written_is_exit_3(film: ContentRepo) -> None:
    film.write("renders", "a file where the folder should be")
    clear(
        film.storyboard("run", FILM, "--no-cut"), 3, "renders/film/sandbox cannot be written", "choose another --output"
    )


def test_an_output_outside_the_repository_is_exit_3(film: ContentRepo) -> None:
    clear(film.storyboard("run", FILM, "--no-cut", "--output", "../elsewhere"), 3, "outside the repository")


@pytest.mark.parametrize("command", ["plan", "status", "fetch", "run"])
def test_a_manifest_with_merge_marks_is_exit_3_with_the_line(film: ContentRepo, command: str) -> None:
    film.write("renders/film/sandbox/manifest.json", "{\n<<<<<<< ours\n")
    clear(
        film.in_process(command, FILM),
        3,
        "manifest.json:2: git could not merge this file",
        "storyboard mend renders/film/",
    )


def test_where_no_process_can_be_started_a_template_is_a_problem_with_its_place(film: ContentRepo) -> None:
    film.write(
        FILM, "storyboard: 1\ntitle: A\nshots:\n  - id: a\n    prompt: '{% for x in [1, 2] %}{{ x }}{% endfor %}'\n"
    )

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))

    done = subprocess.run(
        [sys.executable, "-m", "runner", "validate", FILM], cwd=film.root, env=film.env(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False, preexec_fn=few,
    )  # fmt: skip
    clear(CommandResult(done.returncode, done.stdout, done.stderr), 3, "film.yaml:5:")


def test_another_storyboards_manifest_is_exit_3_and_names_both(film: ContentRepo) -> None:
    film.storyboard("run", FILM, "--select", "quay")
    text = (film.root / FILM).read_text()
    film.write("film.yaml", text)
    clear(film.storyboard("plan", "film.yaml"), 3, FILM, "film.yaml")


def test_a_moved_storyboard_takes_its_output_over(film: ContentRepo) -> None:
    film.storyboard("run", FILM, "--select", "quay")
    (film.root / FILM).rename(film.root / "film.yaml")
    said = film.storyboard("run", "film.yaml", "--select", "quay", "--json")
    assert said.code == 0, said.err
    assert "created" not in {event["event"] for event in said.events}


def test_a_full_disk_is_exit_3_before_anything_is_sent(film: ContentRepo) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))

    # Python 3.11 keeps what it could write of a module's bytecode, and reads the half ever after.
    env = film.env(PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [sys.executable, "-m", "runner", "run", FILM], cwd=film.root, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False, preexec_fn=full,
    )  # fmt: skip
    clear(CommandResult(done.returncode, done.stdout, done.stderr), 3)


def test_a_port_in_use_is_exit_3_and_says_the_way_out(film: ContentRepo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        clear(film.storyboard("sandbox", "--port", port), 3, port)


def test_a_state_folder_that_is_a_file_is_exit_3(film: ContentRepo) -> None:
    said = film.storyboard("run", FILM, "--no-cut", STORYBOARD_STATE=str(film.write("state", "a file")))
    clear(said, 3, "state")


def test_a_ledger_that_is_none_is_exit_3_and_clips_are_untouched(film: ContentRepo) -> None:
    film.storyboard("run", FILM, "--select", "quay")
    (film.state / "ledger.db").write_bytes(b"not a database, not at all" * 100)
    clear(film.storyboard("run", FILM, "--no-cut"), 3, "ledger.db")
    assert len(film.clips()) == 1


def test_eight_different_faults_are_told_in_one_run(film: ContentRepo) -> None:
    film.write(
        FILM,
        "storyboard: 1\n"
        "titel: Eight\n"
        "shots:\n"
        "  - id: one\n    prompt: A\n    duration: 99\n"
        "  - id: two\n    prompt: '{{ missing }}'\n"
        "  - id: one\n    prompt: B\n"
        "  - id: four\n    prompt: '@nobody walks'\n"
        "  - id: five\n    prompt: C\n    aspect_ratio: 5:4\n"
        "  - id: six\n    first_frame: assets/none.png\n    prompt: D\n"
        "  - id: seven\n    prompt: E\n    model: seedance-30\n",
    )
    problems = film.storyboard("validate", FILM, "--json").json["problems"]
    assert len({problem["line"] for problem in problems if problem["severity"] == "error"}) == 8
    assert [problem["line"] for problem in problems] == sorted(problem["line"] for problem in problems)


@pytest.mark.parametrize("named", [True, False])
def test_a_storyboard_without_its_first_line_is_found_and_told_once(film: ContentRepo, named: bool) -> None:
    film.write(FILM, "title: T\nshots:\n  - {id: a, prompt: x}\n")
    result = film.storyboard("validate", "--json", *([FILM] if named else []))
    [problem] = result.json["problems"]
    assert (result.code, problem["line"], problem["column"]) == (3, 1, 1)
    assert "storyboard: 1" in problem["hint"]


VARIABLES = """\
storyboard: 1
vars: {city: Lisbon, mood: warm}
defaults: {vars: {camera: still, mood: cold}, wrap: "{{ camera }} {{ mood }} {{ prompt }} {{ city }}"}
profiles: {night: {vars: {city: Porto}}}
shots:
  - {id: a, prompt: "{{ light }} {{ lens }}", vars: {light: soft}, matrix: {lens: [wide]}}
"""


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--var", "city=Faro"), 0, ""),
        (("--var", "camera=pan"), 2, "defaults.vars.camera (storyboards/film.yaml:3) wins over it"),
        (("--var", "mood=pan"), 2, "defaults.vars.mood (storyboards/film.yaml:3) wins over it"),
        (("--var", "city=Faro", "--profile", "night"), 2, "profiles.night.vars.city"),
        (("--var", "light=hard"), 2, "Define it in the `vars` of the storyboard"),
        (("--var", "lens=long"), 2, "Define it in the `vars` of the storyboard"),
        (("--var", "citty=Faro"), 2, "did you mean city?"),
        (("--var-file", "more.yaml"), 2, "defaults.vars.camera"),
    ],
)
def test_a_variable_of_the_command_line_counts_or_says_what_wins_over_it(
    film: ContentRepo, words: tuple[str, ...], code: int, reason: str
) -> None:
    film.write(FILM, VARIABLES)
    film.write("more.yaml", "camera: pan\n")
    clear(film.storyboard("validate", FILM, *words), code, reason)
    if code == 0:
        plan = film.storyboard("plan", FILM, "--json", *words).json
        assert plan["storyboards"][0]["shots"][0]["takes"][0]["request"]["inputs"]["prompt"].endswith("Faro")
