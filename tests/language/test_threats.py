"""The tables of what a stranger may put in a repository: tags, paths, prompt files, ids, patterns, and a huge board."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.diagnostics.problem import MAX_ERRORS
from runner.language import compiler as language
from runner.language.schema_files import folder
from tests.builders.storyboards import codes, compiled, picture, shots

QUAY = "shots:\n  - {id: quay, prompt: A quay}\n"
REPOSITORY = Path(language.__file__).parents[2]

TAGS = """
!!python/object/apply:os.system [id]
!!python/name:os.system ''
!!python/tuple [1]
!x 1
!x [1]
!x {a: 1}
!<y> 1
!!set {a}
!!omap []
!!pairs []
!!binary aGk=
!!timestamp 2024-05-01
!!str 1
!!float 1
!!null x
!!map {a: 1}
!!seq [1]
!e!x 1
""".strip().splitlines()


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_is_refused_wherever_it_stands(tag: str, tmp_path: Path) -> None:
    head = "%TAG !e! tag:x,2000:\n---\n" if tag.startswith("!e!") else ""
    for board in (f"x-a: {tag}\n{QUAY}", f"vars: {{a: {tag}}}\n{QUAY}", f"x-a: [{tag}]\n{QUAY}"):
        reported = codes(tmp_path, f"{head}storyboard: 1\n{board}")
        assert "tag" in reported, (board, reported)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with pictures, links, pipes and folders in it, and a secret beside it."""
    root = tmp_path / "repo"
    for name in ("good.png", "sub/good.png", ".hidden.png", ".git/x.png", ".storyboard/x.png", "sub/.x/a.png"):
        picture(root / name)
    picture(tmp_path / "secret.png")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "prompts").mkdir()
    (root / "prompts" / "good.txt").write_text("a good text")
    for link, target in {
        "in.png": "good.png", "out.png": "../secret.png", "up": "..", "zero.png": "/dev/zero", "null.png": "/dev/null",
        "environ.png": "/proc/self/environ", "loop.png": "loop.png", "root": "/", "hidden.png": ".hidden.png",
        "gone.png": "nowhere.png", "prompts/out.txt": "../../secret.txt", "prompts/up": "../..",
        "prompts/zero.txt": "/dev/zero", "prompts/loop.txt": "loop.txt", "prompts/board.txt": "../board.yaml",
        "cast-out.yaml": "../secret.txt", "cast-zero.yaml": "/dev/zero", "cast-loop.yaml": "cast-loop.yaml",
    }.items():  # fmt: skip
        (root / link).symlink_to(target)
    for pipe in ("pipe.png", "prompts/pipe.txt", "cast-pipe.yaml"):
        os.mkfifo(root / pipe)
    (root / "folder.png").mkdir()
    (root / "cast-folder.yaml").mkdir()
    (root / "prompts" / "folder.txt").mkdir()
    (root / "prompts" / "huge.txt").write_bytes(b"x" * ((1 << 20) + 1))
    (root / "prompts" / "binary.txt").write_bytes(b"\xff\xfe")
    (root / "text.png").write_text("this is no picture")
    (root / "empty.png").write_bytes(b"")
    (root / "clip.mp4").write_bytes((root / "good.png").read_bytes())
    with (root / "large.png").open("wb") as file:
        file.truncate((200 << 20) + 1)
    return root


PATHS = {
    "good.png": None, "./good.png": None, "sub/../good.png": None, "sub/good.png": None, "in.png": None,
    "../secret.png": "outside-repository", "sub/../../secret.png": "outside-repository",
    "out.png": "outside-repository", "up/secret.png": "outside-repository", "zero.png": "outside-repository",
    "null.png": "outside-repository", "environ.png": "outside-repository", "root/etc/passwd": "outside-repository",
    "pipe.png": "file-kind", "folder.png": "file-kind", "sub/": "file-kind", "loop.png": "file-unreadable",
    "good.png/x.png": ("file-missing", "file-unreadable"), "gone.png": "file-missing", "none.png": "file-missing",
    ".hidden.png": "hidden-file", "hidden.png": "hidden-file", ".git/x.png": "hidden-file",
    ".storyboard/x.png": "hidden-file", "sub/.x/a.png": "hidden-file",
    "/etc/passwd.png": "path-form", "//host/share.png": "path-form", "~/x.png": "path-form", "-x.png": "path-form",
    "sub\\good.png": "path-form", "c:/x.png": "path-form", "c:\\x.png": "path-form",
    "file:///etc/passwd": "address", "data://x.png": "address", "ftp://x.example.com/a.png": "address",
    "text.png": "material-unfit", "empty.png": "material-unfit", "clip.mp4": "material-unfit",
    "large.png": "file-size", f"{'x' * 300}.png": ("file-unreadable", "file-missing"),
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:20])
def test_a_material_is_an_ordinary_picture_of_the_repository_or_is_refused(path: str, repository: Path) -> None:
    board = f"storyboard: 1\nshots:\n  - id: quay\n    first_frame: {json.dumps(path)}\n    prompt: A quay\n"
    reported, wanted = codes(repository, board), PATHS[path]
    assert (
        reported == []
        if wanted is None
        else reported in ([code] for code in ([wanted] if isinstance(wanted, str) else wanted))
    )


def test_a_name_with_a_nul_is_no_path(repository: Path) -> None:
    board = 'storyboard: 1\nshots:\n  - {id: quay, first_frame: "good\\0.png", prompt: A quay}\n'
    assert set(codes(repository, board)) == {"control-character", "path-form"}


INCLUDED = {
    "../secret.txt": "outside-repository", "sub/../../secret.txt": "outside-repository",
    "cast-out.yaml": "outside-repository", "cast-zero.yaml": "outside-repository",
    "up/secret.txt": "outside-repository",
    "root/etc/passwd": "outside-repository", "cast-pipe.yaml": "file-kind", "cast-folder.yaml": "file-kind",
    "cast-loop.yaml": "file-unreadable", "none.yaml": "file-missing", "/etc/passwd": "path-form", "~/x": "path-form",
    "-x.yaml": "path-form", "a\\b.yaml": "path-form", "https://x.example.com/a.yaml": "path-form",
    ".git/x.png": "hidden-file", "board.yaml": "include-circle", "good.png": "not-utf8",
}  # fmt: skip
PROMPT_FILES = """
../../secret.txt
../board.yaml
/etc/passwd
//etc/passwd
./../secret.txt
out.txt
up/secret.txt
zero.txt
loop.txt
pipe.txt
folder.txt
huge.txt
binary.txt
none.txt
.
..
..\\secret.txt
good.txt/x
""".strip().splitlines()


@pytest.mark.parametrize("path", INCLUDED)
def test_an_include_is_an_ordinary_file_of_the_repository_or_is_refused(path: str, repository: Path) -> None:
    assert codes(repository, f"storyboard: 1\ninclude: [{json.dumps(path)}]\n{QUAY}") == [INCLUDED[path]]


@pytest.mark.parametrize("statement", ["{% include NAME %}", "{% import NAME as x %}", "{% from NAME import x %}"])
def test_a_prompt_file_lies_in_its_folder_or_is_not_there(statement: str, repository: Path) -> None:
    board = "storyboard: 1\nshots:\n"
    for number, name in enumerate(PROMPT_FILES):
        tag = statement.replace("NAME", f"'{name}'".replace("\\", "\\\\"))
        board += f"  - id: s{number}\n    prompt: |\n      A {tag}\n"
    _, problems = compiled(repository, board)
    reported = [((problem.place.line - 3) // 3, problem.code) for problem in problems]
    assert reported == [(number, "template-include") for number in range(len(PROMPT_FILES))]


def test_a_prompt_file_that_includes_itself_ends(repository: Path) -> None:
    (repository / "prompts" / "self.txt").write_text("{% include 'self.txt' %}")
    board = "storyboard: 1\nshots:\n  - {id: quay, prompt: \"{% include 'self.txt' %}\"}\n"
    (code,) = codes(repository, board)
    assert code.startswith("template-")


_BAD_IDS = """
con CON Con prn aux nul NUL con.txt aux.x nul.tar prn.mp4 com0 com1 COM9 lpt0 lpt1 LPT9 com1.mp4 lpt9.a.b
a. a.. a..b ..a .a -a _a a.last_frame a.First_Frame image1 Video22 audio3
a/b a\\b a:b a?b a*b a<b a|b é 看 a\u0301 \uff41 \u212a a\u200d ../a
"""
_GOOD_IDS = """
console conx a-con a.con com10 com lpt nullify aux_1 a.b A-1_b.c 1 SH010 image video1x a.last_frames x.first
"""
BAD_IDS, GOOD_IDS = _BAD_IDS.split(), _GOOD_IDS.split()


@pytest.mark.parametrize("written", ["{name}", "{{{{ name }}}}"], ids=["written", "rendered"])
def test_an_id_names_files_on_every_disk(written: str, tmp_path: Path) -> None:
    assert len(BAD_IDS) >= 40
    for name, good in [*((bad_id, False) for bad_id in BAD_IDS), *((bad_id, True) for bad_id in GOOD_IDS)]:
        quoted_id = json.dumps(written.format(name=name), ensure_ascii=False)
        named = json.dumps(name, ensure_ascii=False)
        board = f"storyboard: 1\nvars: {{name: {named}}}\nshots:\n  - id: {quoted_id}\n    prompt: A quay\n"
        reported = set(codes(tmp_path, board))
        assert (not reported) == good, (name, reported)
        assert good or reported & {"id-form", "wrong-value"}, (name, reported)


def test_an_id_ends_where_it_ends(tmp_path: Path) -> None:
    assert codes(tmp_path, 'storyboard: 1\nshots:\n  - {id: "quay\\n", prompt: A}\n') in (["id-form"], ["wrong-value"])
    assert codes(tmp_path, "storyboard: 1\nshots:\n  - {id: quay, prompt: A, duration: '\u0665'}\n") == ["wrong-value"]
    matrix = "storyboard: 1\nshots:\n  - {id: '{{ n }}', prompt: '{{ n }}', matrix: {n: [a, con, b]}}\n"
    assert codes(tmp_path, matrix) == ["id-form"]


@pytest.mark.parametrize(
    ("first", "other", "same"),
    [
        ("maria", "Maria", True),
        ("é", "e\u0301", True),
        ("É", "e\u0301", True),
        ("straße", "STRASSE", True),
        ("\u212a", "k", True),
        ("Å", "\u212b", True),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ", True),
        ("ﬁn", "fin", True),
        ("maria", "mariä", False),
        ("看", "見", False),
    ],
)
def test_names_are_compared_by_their_folded_canonical_form(first: str, other: str, same: bool, tmp_path: Path) -> None:
    board = f"storyboard: 1\nassets:\n  {first}: {{words: a}}\n  {other}: {{words: b}}\n"
    board += f"shots:\n  - {{id: quay, prompt: '@{first} @{other}'}}\n"
    assert codes(tmp_path, board) == (["name-taken"] if same else [])
    if same:
        alone = f"storyboard: 1\nassets: {{{first}: {{words: a}}}}\nshots:\n  - {{id: quay, prompt: 'A @{other}'}}\n"
        sent = shots(tmp_path, alone)["quay"].request.prompt
        assert sent == f"A {other} (a)"


PATTERNS = sorted(
    {
        (path.name, json.loads(f'"{pattern}"'))
        for path in folder().glob("*.json")
        for pattern in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', path.read_text("utf-8"))
    }
)


@pytest.mark.parametrize(("schema", "pattern"), PATTERNS)
def test_every_pattern_of_every_schema_is_linear(schema: str, pattern: str) -> None:
    """An evil text is made of the pattern's own characters, repeated, and ends with one that does not fit."""
    own = "".join(sorted(set(re.sub(r"[\\^$()\[\]?*+|]", "", pattern)))) or "a"
    letters = "".join(c for c in own if c.isalnum()) or "a"
    evil = [letters[0] * 100_000 + "\0", (letters[0] + ".") * 50_000 + "\0", (own * 100_000)[:100_000] + "\0"]
    evil += [("{{" + letters[-1]) * 33_000, "-" * 100_000 + "\n"]
    compiled_pattern = re.compile(pattern)
    for text in evil:
        taken = []
        for _ in range(3):  # the shortest of three, since a machine may do other things too
            started = time.process_time()
            compiled_pattern.search(text)
            taken.append(time.process_time() - started)
        assert min(taken) < 0.05, (schema, pattern, text[:20])


HASHED = """
import hashlib, json, sys
from pathlib import Path
from runner.language.compiler import CompileOptions, compile
from runner.show.json.problems import problems_json
from runner.show.screens.problems import render_problems, sarif
step = int(sys.argv[1])
for root in map(Path, sys.argv[2:]):
    for path in sorted(root.glob("*.yaml"))[::step]:
        batch, problems = compile([path], root, CompileOptions())
        text = render_problems(problems, root, root, color=False)
        print(path.name, batch, problems_json(problems), sarif(problems, "0"), text)
"""


@pytest.mark.parametrize(("step", "seeds"), [(8, 3), pytest.param(1, 20, marks=pytest.mark.long)])
def test_the_same_bytes_over_many_hash_seeds_and_two_working_folders(step: int, seeds: int) -> None:
    """Batches, and everything that is wrong with the storyboards of the corpus, as every form shows it."""
    top = REPOSITORY / "tests" / "storyboards"
    roots = [str(step), str(top / "good" / "market"), str(top / "good" / "rows"), str(top / "bad")]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", HASHED, *roots],
            stdout=subprocess.PIPE,
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"},
            cwd="/" if seed % 2 else REPOSITORY,
        )
        for seed in range(seeds)
    ]
    outputs = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * seeds
    assert len(outputs) == 1
    assert len(outputs.pop()) > 50_000


@pytest.mark.long
def test_a_storyboard_of_100000_wrong_shots_ends_in_time_with_a_bounded_list(tmp_path: Path) -> None:
    shot = "  - {id: s%d, prompt: 'p%d @nobody', takes: 99}\n"
    text = "storyboard: 1\nshots:\n" + "".join(shot % (n, n) for n in range(100_000))
    (tmp_path / "film.yaml").write_text(text)
    for form, most in (("text", 200_000), ("json", 10_000_000)):
        started = os.times()
        done = subprocess.run(
            [sys.executable, "-m", "runner", "validate", "film.yaml", "--format", form],
            cwd=tmp_path,
            capture_output=True,
            timeout=600,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "STORYBOARD_STATE": str(tmp_path / "state")},
        )
        ended = os.times()
        assert done.returncode == 3
        assert ended.children_user + ended.children_system - started.children_user - started.children_system < 60
        assert len(done.stdout) < most
        if form == "json":
            # So many places of one file have an error, each with up to four.
            assert MAX_ERRORS < len(json.loads(done.stdout)["problems"]) <= 5 * MAX_ERRORS
