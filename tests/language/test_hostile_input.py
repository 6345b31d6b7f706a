"""Whatever bytes come: problems or a batch, never another exception, soon, and nothing outside is touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.language import compiler as language
from runner.language.compiler import CompileOptions
from runner.show.json.problems import problems_json
from runner.show.screens.problems import github, render_problems, sarif
from tests.builders.storyboards import codes, compiled, picture

BAD = Path(__file__).parent.parent / "storyboards" / "bad"
CORPUS = [path.read_bytes() for path in sorted(BAD.glob("*.yaml")) if path.stat().st_size < 3000]
QUAY = "shots:\n  - {id: quay, prompt: A quay}\n"


def survives(root: Path, data: bytes) -> None:
    """Compiles, and shows what is wrong in every form."""
    _, problems = compiled(root, data)
    assert "\x1b" not in render_problems(problems, root, root, color=False)
    assert problems_json(problems).isascii()
    assert sarif(problems, "0").isascii()
    github(problems)


@settings(max_examples=150, derandomize=True)
@given(data=st.binary(max_size=300))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    survives(tmp_path_factory.getbasetemp(), data)


@settings(max_examples=250, derandomize=True)
@given(
    base=st.sampled_from(CORPUS),
    at=st.integers(0, 3000),
    cut=st.integers(0, 12),
    put=st.binary(max_size=8)
    | st.sampled_from([b"*", b"&a ", b"{{", b"{%", b"@", b"\t", b"- ", b": ", b"'", b'"', b"[", b"<<: *"]),
)
def test_mutated_storyboards(
    tmp_path_factory: pytest.TempPathFactory, base: bytes, at: int, cut: int, put: bytes
) -> None:
    at %= len(base)
    survives(tmp_path_factory.getbasetemp(), base[:at] + put + base[at + cut :])


@pytest.mark.long
@settings(max_examples=20_000)
@given(base=st.sampled_from(CORPUS), at=st.integers(0, 3000), cut=st.integers(0, 40), put=st.binary(max_size=20))
def test_mutated_storyboards_at_length(
    tmp_path_factory: pytest.TempPathFactory, base: bytes, at: int, cut: int, put: bytes
) -> None:
    at %= len(base)
    survives(tmp_path_factory.getbasetemp(), base[:at] + put + base[at + cut :])


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [id]",
        "!x 1",
        "!!set {a}",
        "!!binary aGk=",
        "!<y> 1",
        "!!omap []",
        "!!timestamp 2024-05-01",
        "!!float 1",
        "!!null x",
    ],
)
def test_tags_are_refused(tag: str, tmp_path: Path) -> None:
    assert "tag" in codes(tmp_path, f"storyboard: 1\nx-a: {tag}\n{QUAY}")


@pytest.mark.parametrize("directive", ["%TAG ! tag:x,2000:", "%YAML 1.1"])
def test_directives_do_no_harm(directive: str, tmp_path: Path) -> None:
    codes(tmp_path, f"{directive}\n---\nstoryboard: 1\n{QUAY}")


ESCAPES = """
''.__class__.__mro__
x.__init__.__globals__
self._TemplateReference__context
''['__class__']
''|attr('__class__')
lipsum.__globals__
cycler.__init__
joiner()
namespace()
dict()
range.__class__
().__class__.__bases__[0].__subclasses__()
{}.__class__
request
config
[].append(1)
''.format.__self__
'{0.__class__}'.format(1)
'%s'.__mod__(1)
x|map(attribute='__class__')|list
get_flashed_messages.__globals__
url_for
environment
caller.__globals__
loop.__class__
varargs
''.__getattribute__('x')
x|groupby('a')
x|pprint
x|tojson
x|xmlattr
x|urlize
x|random
x|center(999999999)
x|format
x|batch(2)
x|slice(2)
x|wordwrap(1)
x|indent(999999)
x|filesizeformat
""".strip().splitlines()


def test_no_template_reaches_out(tmp_path: Path) -> None:
    board = "storyboard: 1\nvars: {x: [one]}\nshots:\n"
    for number, expression in enumerate(ESCAPES):
        board += f"  - id: s{number}\n    prompt: >-\n      A quay {{{{ {expression} }}}}\n"
    board += "  - {id: last, prompt: '{% for one in x %}all were tried{% endfor %}'}\n"
    batch, problems = compiled(tmp_path, board)
    sent = {shot.id: shot.request.prompt or "" for shot in batch.shots}
    wrong = {(problem.place.line - 4) // 3 for problem in problems.errors}
    assert sent["last"] == "all were tried"  # a process that was ended too often renders nothing more
    for number, expression in enumerate(ESCAPES):
        assert number in wrong or f"s{number}" in sent, expression
        prompt = sent.get(f"s{number}", "")
        assert not any(word in prompt for word in ("class", "function", "object at", "module")), expression


def test_nothing_that_is_shown_steers_a_terminal_not_even_the_name_of_a_file(tmp_path: Path) -> None:
    board = 'storyboard: 1\n"\\x1b[31mfoo": 1\nshots:\n  - {id: quay, prompt: "@nob\\x9bx", takes: "\\x1b]0;x"}\n'
    path = tmp_path / "a\x1b[31m\nb.yaml"
    path.write_text(board)
    _, problems = language.compile([path], tmp_path, CompileOptions())
    assert len(problems.errors) >= 4
    for output in (
        render_problems(problems, tmp_path, tmp_path, color=False),
        github(problems),
        problems_json(problems),
    ):
        assert output.replace("\n", "").isprintable()
    assert all(line.startswith("::error file=a\\x1b[31m\\nb.yaml,") for line in github(problems).splitlines())


NO_TEXT = """
'a'.upper
'a'.upper ~ ''
'a'.upper | lower
'a'.upper | slug
'a'.upper | replace('a', 'b')
'%s' % 'a'.upper
'{}'.format('a'.upper)
['a'.upper] | join
('a'.upper | string)[-6:]
[1] | reverse
{'a': 1} | items
['a'] | map('upper')
names | unique
names | select
names.count
names | title
names ~ ''
range(3)
{'a': 1}.items()
nothing
nothing | upper
nothing | trim
nothing ~ ''
nothing | replace('a', 'b')
""".strip().splitlines()


@pytest.mark.parametrize("statement", ["", "{% for one in [1] %}"])
def test_nothing_is_written_that_is_no_text_since_its_address_would_be_another_every_time(
    statement: str, tmp_path: Path
) -> None:
    end = "{% endfor %}" if statement else ""
    board = "storyboard: 1\nvars: {names: [b, a], nothing: null}\nshots:\n"
    for number, expression in enumerate(NO_TEXT):
        board += f"  - id: s{number}\n    prompt: >-\n      A quay {statement}{{{{ {expression} }}}}{end}\n"
    _, problems = compiled(tmp_path, board)
    reported = [((problem.place.line - 4) // 3, problem.code) for problem in problems]
    assert [number for number, _ in reported] == list(range(len(NO_TEXT)))
    for number, code in reported:
        wrong = "null-variable" if NO_TEXT[number].startswith("nothing") else "not-text"
        assert code in (wrong, "undefined-variable"), NO_TEXT[number]


def test_paths_that_leave_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "sub").mkdir(parents=True)
    picture(tmp_path / "secret.png")
    picture(root / ".git" / "secret.png")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "up").symlink_to(tmp_path)
    (root / "zero.png").symlink_to("/dev/zero")
    (root / "loop.png").symlink_to(root / "loop.png")
    os.mkfifo(root / "pipe.png")
    wrong = {
        "outside-repository": "../secret.png link.png up/secret.png zero.png",
        "file-kind": "pipe.png",
        "file-unreadable": "loop.png",
        "file-missing": "sub/none.png",
        "unknown-name": "sub",
        "hidden-file": ".git/secret.png",
        "path-form": "/etc/passwd ~/x.png a\\b.png -a.png",
        "address": "file:///etc/passwd http://x.example/a.png https://127.0.0.1/a.png https://[::1]/a.png "
        "https://u:p@x.example.com/a.png https://10.0.0.1/a.png https://169.254.169.254/a.png https://localhost/a.png "
        "https://0x7f000001/a.png https://2130706433/a.png https://x.example.com:99999/a.png https:///a.png "
        "ftp://x.example/a.png https://[1,2]/a.png https://[::1/a.png",
    }
    paths = {path: code for code, listed in wrong.items() for path in listed.split()}
    for path, code in paths.items():
        board = f"storyboard: 1\nshots:\n  - id: quay\n    first_frame: '{path}'\n    prompt: A quay\n"
        assert codes(root, board) == [code], path


def test_a_file_is_read_from_inside_only_when_it_is_included(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (tmp_path / "cast.yaml").write_text("vars: {city: Lisbon}\n")
    (root / "cast.yaml").symlink_to(tmp_path / "cast.yaml")
    assert codes(root, f"storyboard: 1\ninclude: [cast.yaml, ../cast.yaml]\n{QUAY}") == ["outside-repository"] * 2


def test_prompt_files_stay_in_their_folders(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "prompts").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "prompts" / "link.txt").symlink_to(tmp_path / "secret.txt")
    for name in ("../../secret.txt", "/etc/passwd", "link.txt", "none.txt", ""):
        board = f"storyboard: 1\nshots:\n  - id: quay\n    prompt: \"A {{% include '{name}' %}}\"\n"
        assert codes(root, board) == ["template-include"], name


def test_a_folder_a_missing_file_and_one_outside_are_told(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "folder.yaml").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("storyboard: 1\n")
    files = [root / "folder.yaml", root / "none.yaml", tmp_path / "outside.yaml"]
    _, problems = language.compile(files, root, CompileOptions())
    assert {problem.code for problem in problems} == {"file-kind", "file-missing", "outside-repository"}


def test_nothing_is_written_and_no_socket_is_opened(tmp_path: Path) -> None:
    board = 'storyboard: 1\nassets: {waltz: {video: "https://cdn.example.com/w.mp4", seconds: 5}}\nshots:\n'
    board += '  - {id: quay, prompt: "@waltz {% for i in [1] %}{{ i }}{% endfor %}"}\n'
    (tmp_path / "board.yaml").write_text(board)
    code = (
        "import sys\n"
        "def guard(event, args):\n"
        "    writes = event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+')\n"
        "    own = writes and isinstance(args[0], str) and args[0].endswith('.pyc')\n"
        "    if event.startswith('socket.') and event != 'socket.__new__' or (writes and not own):\n"
        "        if not isinstance(args[0], int):\n"
        "            raise SystemExit(f'{event} {args}')\n"
        "from pathlib import Path\n"
        "from runner.language.compiler import CompileOptions, compile\n"
        "sys.addaudithook(guard)\n"
        "root = Path(sys.argv[1])\n"
        "batch, problems = compile([root / 'board.yaml'], root, CompileOptions())\n"
        "assert not problems.errors, problems.errors\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.yaml"]
