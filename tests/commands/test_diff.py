"""`storyboard diff` in real git repositories: branches, worktrees, shallow clones, submodules, Git LFS."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from runner.show.screens.diff_markdown import MARK, MOST_CHARACTERS
from tests.builders.content_repo import FILM, CommandResult, ContentRepo
from tests.show.test_json import SCHEMAS

BOARD = "storyboards/film.yaml"
PAID = ("--provider", "kinovi")
DOOR = Path(__file__).parents[1] / "providers" / "door.png"
PICTURE = """\
storyboard: 1
title: The door
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - id: door
    first_frame: ../assets/door.png
    prompt: The door opens
"""


@pytest.fixture
def main(film: ContentRepo) -> ContentRepo:
    """A film whose only commit is `main`."""
    film.git("branch", "-M", "main")
    return film


def changes(result: CommandResult) -> list[tuple[str, str, object]]:
    assert result.code == 0, result.err
    Draft7Validator(json.loads((SCHEMAS / "diff.schema.json").read_text())).validate(result.json)
    return [(shot["id"], shot["change"], shot["credits"]) for shot in result.json["shots"]]


def commit(repo: ContentRepo, message: str = "A change") -> None:
    repo.git("add", "-A")
    repo.git("commit", "-qm", message)


def branch(repo: ContentRepo, text: str) -> None:
    """Check out a branch with this storyboard."""
    repo.git("checkout", "-qb", "change")
    repo.write(BOARD, text)
    commit(repo)


def test_a_branch_is_compared_with_the_commit_that_it_left_main_at(main: ContentRepo) -> None:
    branch(main, FILM.replace("Sunrise", "Sunset"))
    main.git("checkout", "-q", "main")
    main.write(BOARD, FILM.replace("She pushes", "He pushes"))
    commit(main, "Main goes on")
    main.git("checkout", "-q", "change")
    assert changes(main.in_process("diff", "--json")) == [("quay", "changed", 60), ("enter", "changed", 60)]
    assert [shot[0] for shot in changes(main.in_process("diff", "main", "--json"))] == ["quay", "enter"]


def test_changes_that_are_not_committed_count(main: ContentRepo) -> None:
    assert changes(main.in_process("diff", "--json")) == []
    main.write(BOARD, FILM.replace("pushes", "pulls"))
    assert changes(main.in_process("diff", "--json")) == [("enter", "changed", 60)]
    assert main.in_process("diff", "--exit-code").code == 8
    main.write(BOARD, FILM.replace("title: The quay", "title: The pier"))
    assert main.in_process("diff", "--exit-code").code == 0


def test_a_long_reason_is_wrapped_and_never_cut(main: ContentRepo) -> None:
    words = "and a heron that has stood on the bollard since before anybody came looks the other way"
    main.write(BOARD, FILM.replace("Sunrise over the quay", f"Sunrise over the quay, {words}"))
    screen = main.in_process("diff", COLUMNS="80").out
    reason = main.in_process("diff", "--json").json["shots"][0]["reason"]["text"]
    assert (len(reason) > 60, reason in " ".join(screen.split())) == (True, True), screen
    assert max(map(len, screen.splitlines())) <= 80


def test_what_is_made_already_is_planned_against_what_exists_now(main: ContentRepo) -> None:
    main.write(BOARD, FILM.replace("pushes", "pulls"))
    assert main.storyboard("run", BOARD, "--no-cut").code == 0
    assert changes(main.in_process("diff", "--json")) == [("enter", "changed", 0)]
    assert "orders nothing more" in main.in_process("diff").out


def test_nothing_is_checked_out_and_nothing_is_written(main: ContentRepo) -> None:
    main.write(BOARD, FILM.replace("pushes", "pulls"))
    before = sorted(path for path in main.root.rglob("*") if ".git" not in path.parts)
    index = (main.root / ".git" / "index").read_bytes()
    main.in_process("diff")
    assert sorted(path for path in main.root.rglob("*") if ".git" not in path.parts) == before
    assert (main.root / ".git" / "index").read_bytes() == index


def test_a_storyboard_that_the_commit_lacks_is_added_and_one_that_left_is_removed(main: ContentRepo) -> None:
    other = FILM.replace("quay", "pier").replace("enter", "leave").replace("Sunrise", "Dusk").replace("She", "He")
    main.write("storyboards/other.yaml", other)
    assert changes(main.in_process("diff", "--json")) == [("pier", "added", 60), ("leave", "added", 60)]
    (main.root / BOARD).unlink()
    names = [shot[:2] for shot in changes(main.in_process("diff", "--json"))]
    assert names == [("pier", "added"), ("leave", "added"), ("quay", "removed"), ("enter", "removed")]


def test_shots_of_several_storyboards_are_named_with_their_storyboard(main: ContentRepo) -> None:
    main.write(BOARD, FILM.replace("pushes", "pulls"))
    assert re.findall(r"^ +changed +(\S+) ", main.in_process("diff").out, re.MULTILINE) == ["enter"]
    main.write("storyboards/other.yaml", FILM.replace("quay", "pier").replace("Sunrise", "Dusk"))
    screen = main.in_process("diff").out
    assert re.findall(r"^ +(?:changed|added) +(\S+) ", screen, re.MULTILINE) == [
        "film:enter", "other:pier", "other:enter"
    ], screen  # fmt: skip


def test_includes_and_prompt_files_are_read_as_the_commit_has_them(main: ContentRepo) -> None:
    main.write("shared/cast.yaml", "vars: {sky: grey}\n")
    main.write("prompts/light.txt", "soft light")
    text = FILM.replace("title:", "include: [../shared/cast.yaml]\ntitle:", 1)
    text = text.replace("over the quay", "over the quay, {{ sky }}, {% include 'light.txt' %}")
    main.write(BOARD, text)
    commit(main, "Includes")
    assert changes(main.in_process("diff", "HEAD", "--json")) == []
    main.write("shared/cast.yaml", "vars: {sky: pink}\n")
    assert "−grey,−" in main.in_process("diff", "HEAD").out
    main.write("shared/cast.yaml", "vars: {sky: grey}\n")
    main.write("prompts/light.txt", "hard light")
    assert "−soft−" in main.in_process("diff", "HEAD").out


def test_a_material_whose_content_changed_is_a_change_and_one_that_moved_is_not(main: ContentRepo) -> None:
    main.write(BOARD, PICTURE)
    (main.root / "assets").mkdir()
    shutil.copy(DOOR, main.root / "assets" / "door.png")
    commit(main, "A picture")
    shutil.move(main.root / "assets" / "door.png", main.root / "assets" / "gate.png")
    main.write(BOARD, PICTURE.replace("door.png", "gate.png"))
    assert changes(main.in_process("diff", "HEAD", "--json")) == []
    main.write(BOARD, PICTURE)
    (main.root / "assets" / "door.png").write_bytes(DOOR.read_bytes() + b"\0")
    assert "the content of assets/door.png changed" in main.in_process("diff", "HEAD").out


def test_git_lfs_pointers_are_resolved_from_this_clone_or_named(main: ContentRepo) -> None:
    content = DOOR.read_bytes()
    mark = hashlib.sha256(content).hexdigest()
    main.write(BOARD, PICTURE)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{mark}\nsize {len(content)}\n"
    main.write("assets/door.png", pointer)
    commit(main, "A pointer")
    (main.root / "assets" / "door.png").write_bytes(content)
    stopped = main.in_process("diff", "HEAD")
    assert (stopped.code, "git lfs fetch" in stopped.err) == (3, True)
    stored = main.root / ".git" / "lfs" / "objects" / mark[:2] / mark[2:4]
    stored.mkdir(parents=True)
    (stored / mark).write_bytes(content)
    assert changes(main.in_process("diff", "HEAD", "--json")) == []


def test_a_material_in_a_submodule_is_the_same_while_the_submodule_is(main: ContentRepo) -> None:
    library = ContentRepo(main.root.parent / "library")
    library.root.mkdir()
    library.git("init", "-q")
    shutil.copy(DOOR, library.root / "door.png")
    commit(library)
    main.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library.root), "assets")
    main.write(BOARD, PICTURE)
    commit(main, "A library")
    main.write(BOARD, PICTURE.replace("opens", "closes"))
    assert changes(main.in_process("diff", "HEAD", "--json")) == [("door", "changed", 60)]
    inner = ContentRepo(main.root / "assets")
    inner.write("more.txt", "more")
    commit(inner)
    stopped = main.in_process("diff", "HEAD")
    assert (stopped.code, "lies in the submodule assets" in stopped.err) == (3, True)


def test_a_worktree_with_a_detached_head(main: ContentRepo) -> None:
    folder = main.root.parent / "worktree"
    main.git("worktree", "add", "-q", "--detach", str(folder))
    tree = ContentRepo(folder)
    tree.write(BOARD, FILM.replace("pushes", "pulls"))
    assert changes(tree.in_process("diff", "--json")) == [("enter", "changed", 60)]


def test_the_base_is_the_branch_that_the_pull_request_is_for(main: ContentRepo) -> None:
    main.git("checkout", "-qb", "release")
    main.write(BOARD, FILM.replace("pushes", "pulls"))
    commit(main)
    env = {"GITHUB_BASE_REF": "release", "GITHUB_EVENT_NAME": "pull_request"}
    assert changes(main.in_process("diff", "--json", **env)) == []
    assert changes(main.in_process("diff", "--json")) == [("enter", "changed", 60)]


def test_a_shallow_clone_without_the_base_says_how_to_fetch_it(main: ContentRepo) -> None:
    branch(main, FILM.replace("pushes", "pulls"))
    target = main.root.parent / "shallow"
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", "--branch=change", f"file://{main.root}", str(target)],
        check=True, capture_output=True,
    )  # fmt: skip
    env = {"GITHUB_BASE_REF": "main", "GITHUB_EVENT_NAME": "pull_request"}
    stopped = ContentRepo(target).in_process("diff", **env)
    assert stopped.code == 3
    assert "fetch-depth: 0" in stopped.err
    assert "git fetch --deepen" in stopped.err


def test_a_commit_whose_storyboard_has_errors_is_named_with_them(main: ContentRepo) -> None:
    main.write(BOARD, FILM.replace("duration: 4", "duration: 99"))
    commit(main, "Broken")
    main.write(BOARD, FILM)
    stopped = main.in_process("diff", "HEAD")
    assert stopped.code == 3
    assert "the storyboards at HEAD" in stopped.err
    assert f"{BOARD}:3" in stopped.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["mian"], 2, "did you mean main?"),
        (["--", "--upload-pack=x"], 2, "neither a commit"),
        (["main", "none.yaml"], 3, "does not exist"),
        (["main", "--profile", "draft"], 2, "draft"),
        (["0000000"], 2, "neither a commit"),
    ],
)
def test_what_cannot_be_compared_is_named(main: ContentRepo, words: list[str], code: int, message: str) -> None:
    stopped = main.in_process("diff", *words)
    assert (stopped.code, message in stopped.err) == (code, True), stopped.err


def test_a_branch_and_a_file_of_one_name_are_told_apart(main: ContentRepo) -> None:
    main.git("branch", "storyboards")
    assert main.in_process("diff", "storyboards").code == 2
    assert changes(main.in_process("diff", "./storyboards", "--json")) == []


def test_outside_of_git_and_before_the_first_commit_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    repo = ContentRepo(tmp_path / "plain")
    repo.write(BOARD, FILM)
    stopped = repo.in_process("diff")
    assert (stopped.code, "no git repository" in stopped.err) == (3, True)
    repo.git("init", "-q")
    stopped = repo.in_process("diff")
    assert (stopped.code, "no commit yet" in stopped.err) == (3, True)


def test_without_git_the_message_says_so(main: ContentRepo, tmp_path: Path) -> None:
    stopped = main.in_process("diff", PATH=str(tmp_path))
    assert (stopped.code, "git is not installed" in stopped.err) == (3, True)


def test_the_comment_is_one_table_with_a_hidden_mark(main: ContentRepo) -> None:
    main.write(BOARD, FILM.replace("pushes", "[link](https://evil.example) <script>| pulls"))
    comment = main.in_process("diff", "--format", "markdown", *PAID).out
    assert comment.startswith(MARK + "\n")
    assert "| changed | enter |" in comment
    for text in ("[link]", "https://", "<script>"):
        assert text not in comment


def test_a_long_comment_is_folded_and_cut_with_the_number_of_the_rest(main: ContentRepo) -> None:
    shots = "".join(f"  - {{id: s{n}, prompt: 'Shot {n} {'of a long film ' * 12}'}}\n" for n in range(900))
    main.write(BOARD, FILM + shots)
    commit(main, "Many shots")
    main.write(BOARD, FILM + shots.replace("long", "very long"))
    comment = main.in_process("diff", "HEAD", "--format", "markdown").out
    assert len(comment) <= MOST_CHARACTERS
    assert "<details><summary>900 shots</summary>" in comment
    listed = comment.count("| changed |")
    assert f"and {900 - listed} more" in comment


def saved_plan(repo: ContentRepo) -> str:
    """Save the present plan in `plan.json`; its digest."""
    assert repo.storyboard("plan", *PAID, "-o", "plan.json").code == 0
    return str(json.loads((repo.root / "plan.json").read_text())["digest"])


def test_a_saved_plan_is_named_with_its_ceiling_where_the_tree_orders_something(main: ContentRepo) -> None:
    branch(main, FILM.replace("Sunrise", "Sunset"))
    digest = saved_plan(main)
    words = ("diff", *PAID, "--plan", "plan.json")
    line = f"Merging runs this plan and nothing else, for at most 60 credits (&#36;0.30): `{digest}`"
    assert line in main.storyboard(*words, "--format", "markdown").out.splitlines()
    assert f"the saved plan, for at most 60 credits ($0.30):\n  {digest}\n" in main.storyboard(*words).out
    document = main.storyboard(*words, "--json")
    assert changes(document) == [("quay", "changed", 60), ("enter", "changed", 0)]
    assert (document.json["plan"]["digest"], document.json["plan"]["ceiling"]) == (digest, 60)
    nothing = main.storyboard("diff", "HEAD", *PAID, "--plan", "plan.json", "--format", "markdown").out
    assert digest not in nothing


def test_a_plan_that_was_edited_or_is_for_another_account_is_not_named(main: ContentRepo) -> None:
    branch(main, FILM.replace("Sunrise", "Sunset"))
    saved_plan(main)
    other = main.storyboard("diff", "--provider", "sandbox", "--plan", "plan.json")
    assert (other.code, "name the plan's provider with --provider" in other.err) == (2, True)
    main.write("plan.json", (main.root / "plan.json").read_text().replace('"ceiling": 60', '"ceiling": 59'))
    edited = main.storyboard("diff", *PAID, "--plan", "plan.json")
    assert (edited.code, "edited by hand" in edited.err) == (4, True), edited.err


def test_for_a_shell_there_is_a_line_for_each_film_with_the_shots_to_look_at(main: ContentRepo) -> None:
    text = (
        FILM.replace("pushes", "pulls")
        + "  - {id: last, prompt: The last one}\n  - {id: off, skip: true, prompt: No}\n"
    )
    profiles = "profiles: {tall: {aspect_ratio: '9:16'}}\nshots:"
    branch(main, text.replace("shots:", profiles))
    main.write("storyboards/other.yaml", FILM.replace("quay", "pier"))
    shown = main.storyboard("diff", "--format", "select", *PAID)
    assert shown.out == f"{BOARD}\tnone\t+enter +last\nstoryboards/other.yaml\tnone\t+pier +enter\n"
    assert main.storyboard("diff", "HEAD", BOARD, "--format", "select", *PAID).out == ""
    both = main.storyboard(
        "diff", "HEAD~1", BOARD, "--format", "select", *PAID, "--profile", "tall", "--profile", "none"
    )
    assert both.code == 3  # the profile is not there yet
    for line in shown.out.splitlines():
        file, profile, shots = line.split("\t")
        planned = main.storyboard("plan", file, "--profile", profile, "--select", shots, "--json").json
        assert [shot["id"] for shot in planned["storyboards"][0]["shots"]] in (
            ["quay", "enter", "last"],
            ["pier", "enter"],
        )
