"""Storyboards made to take all time and memory: each ends with exit 3 and a place, soon, and touches nothing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import requirements

MAX_SECONDS, MAX_MEGABYTES, MAX_OUTPUT = 2.0, 256, 200_000
MEGABYTE = 1 << 20
QUAY = "shots:\n  - {id: quay, prompt: A quay}\n"


def shot(prompt: str) -> str:
    return f"shots:\n  - id: quay\n    prompt: {prompt}\n"


def numbered(pattern: str, count: int) -> str:
    """The pattern with `#` as each number from 0, and `#+1` as the next."""
    return "".join(pattern.replace("#+1", str(n + 1)).replace("#", str(n)) for n in range(count))


def combinations(entries: str) -> str:
    sixty = ", ".join(map(str, range(60)))
    axes = f"a: [{sixty}], b: [{sixty}], exclude: [{entries}]"
    return f"shots:\n  - {{id: q, prompt: '{{{{ a }}}} {{{{ b }}}}', matrix: {{{axes}}}}}\n"


SHAPES = {
    "flow lists": "x-a: " + "[" * 100_000,
    "flow mappings": "x-a: " + "{a: " * 25_000,
    "block lists": "x-a:\n" + "".join("  " * i + "-\n" for i in range(1, 300)),
    "block mappings": "".join(" " * i + "a:\n" for i in range(300)),
    "closed lists": "x-a: " + "[" * 5000 + "]" * 5000,
    "aliases": "\n".join(
        f"x-{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" if i else "x-0: &a0 [lol]" for i in range(12)
    ),
    "merges": "\n".join(
        [f"x-{i}: &a{i} {{k{i}: 1, <<: [{', '.join(f'*a{j}' for j in range(i)) or '{}'}]}}" for i in range(200)]
    ),
    "one merge of many": "x-a: &a {"
    + ", ".join(f"k{i}: 1" for i in range(3000))
    + "}\n"
    + "\n".join(f"x-{i}: {{<<: *a}}" for i in range(500)),
    "anchors": "\n".join(f"x-{i}: &a{i} 1" for i in range(50_000)),
    "a very long key": "? " + "k" * 200_000 + "\n: 1",
    "many problems": "shots:\n" + "- {id: 1}\n" * 3_000,
    "quotes": 'x-a: "' + "\\u0041" * 200_000 + '"',
    "comments": "# \n" * 500_000,
    "colons": "a: " * 3000,
    "tags": "x-a: [" + "!t 1, " * 20_000 + "]",
    "syntax errors": "".join(f"x-{i}: @a\n" for i in range(2000)),
    "a billion laughs in variables": "vars:\n"
    + "".join(f'  v{i}: "{{{{ v{i + 1} }}}}{{{{ v{i + 1} }}}}"\n' for i in range(40))
    + '  v40: laugh\nshots:\n  - {id: quay, prompt: "{{ v0 }}"}\n',
    "constants": "shots:\n  - {id: quay, prompt: \"{{ 'a' * 10000000000 }}\"}\n"
    '  - {id: sea, prompt: "{{ 9 ** 9 ** 9 ** 9 }}"}\n',
    "loops": 'shots:\n  - {id: quay, prompt: "'
    + "".join(f"{{% for {name} in range(999) %}}" for name in "abc")
    + "{% endfor %}" * 3
    + '"}\n',
    "a macro that calls itself": 'shots:\n  - id: quay\n    prompt: "'
    '{% macro m(x) %}{{ m(x) }}{{ m(x) }}{% endmacro %}{{ m(1) }}"\n',
    "a format": "shots:\n  - {id: quay, prompt: \"{{ '{:>999999999}'.format(1) }}\"}\n",
    "nested conditions": 'shots:\n  - {id: quay, prompt: "' + "{% if 1 %}" * 500 + "{% endif %}" * 500 + '"}\n',
    "a long expression": 'shots:\n  - {id: quay, prompt: "{{ 1 ' + "~ 1 " * 15_000 + '}}"}\n',
}

MANY = {
    "short comments up to the limit": QUAY + "#\n" * (8 * MEGABYTE - 100),
    "blank lines up to the limit": QUAY + "\n" * (16 * MEGABYTE - 100),
    "a scalar of many lines": QUAY + "x-a:\n" + " a\n" * (5 * MEGABYTE),
    "errors at the end of a large file": QUAY + ("# " + "x" * 1000 + "\n") * (15 * 1024) + numbered("x-#: @a\n", 60),
    "errors after many values": QUAY + "x-b: [" + "a, " * 200_000 + "]\n" + numbered("x-#: @a\n", 60),
    "mentions of nobody": shot('"' + "@a " * 10_000 + '"'),
    "mentions of many nobodies": shot('"' + numbered("@a#b ", 5_000) + '"'),
    "undefined variables": shot('"' + numbered("{{ a# }} ", 5_000) + '"'),
    "unknown fields": numbered("k#: 1\n", 20_000) + QUAY,
    "unknown fields of a shot": "shots:\n  - id: a\n    prompt: b\n" + numbered("    k#: 1\n", 20_000),
    "a very long name": "k" * (15 * MEGABYTE) + ": 1\n" + QUAY,
    "duplicate keys": "x-a:\n" + numbered("  k#: 1\n", 30_000) * 2 + QUAY,
    "duplicate keys in turn": "x-a:\n" + numbered("  k#: 1\n  k#: 2\n", 10_000) + QUAY,
    "unknown aliases": f"x-a: [{numbered('&n# 1, ', 20_000)}]\nx-b: [{numbered('*m#, ', 5_000)}]\n{QUAY}",
    "unknown names beside many": "assets:\n"
    + numbered("  name#: {words: a}\n", 10_000)
    + "shots:\n"
    + numbered("  - {id: s#, prompt: '@nome#x'}\n", 500),
    "undefined names beside many": "vars:\n"
    + numbered("  name#: a\n", 10_000)
    + "shots:\n"
    + numbered("  - {id: s#, prompt: '{{ nome#x }}'}\n", 500),
    "blanks in a broken line": "shots:\n  - id: quay\n    prompt: @a" + " " * 300_000 + "b\n",
    "blanks before a colon": "shots:\n  - id: quay\n    prompt: a: b" + " " * 300_000 + "b\n",
    "blanks in double quotes": shot('"a' + " " * 60_000 + '@nobody"'),
    "blanks in single quotes": shot("'a" + " \t" * 30_000 + "@nobody'"),
    "blanks in plain text": shot("a" + " " * 60_000 + "@nobody"),
    "blanks in markup": shot('"{{ a' + " " * 60_000 + '"'),
    "escaped controls": QUAY + 'x-a: "' + "\\x01" * (3 * MEGABYTE) + '"\n',
    "turning marks": "nope: 1\n" + QUAY + "x-a: '" + "\u202e" * (3 * MEGABYTE) + "'\n",
    "small circles": "shots:\n" + numbered("  - {id: a#, prompt: '@b#'}\n  - {id: b#, prompt: '@a#'}\n", 2_000),
    "a large circle": "shots:\n"
    + numbered("  - {id: a#, prompt: '@a#+1'}\n", 5_000)
    + "  - {id: a5000, prompt: '@a0'}\n",
    "a chain of shots": "shots:\n  - {id: a0, prompt: x, nope: 1}\n"
    + numbered("  - {id: a#+1, prompt: '@a#'}\n", 5_000),
    "exclusions of nothing": combinations("".join(f"{{a: {n // 60}x, b: {n % 60}}}, " for n in range(3_599))),
    "thousands of axes": f"shots:\n  - {{id: q, prompt: x, matrix: {{{numbered('a#: [1], ', 9_000)}}}}}\n",
    "a chain of variables": "vars:\n" + numbered('  v#: "{{ v#+1 }}"\n', 5_000) + shot('"{{ v0 }} {{ nobody }}"'),
    "a chain of nested variables": "vars:\n"
    + numbered("  v#: " + "[" * 50 + '"{{ v#+1 }}"' + "]" * 50 + "\n", 60)
    + shot('"{{ v0 }} {{ nobody }}"'),
    "a circle of variables": "vars:\n"
    + numbered('  v#: "{{ v#+1 }}"\n', 5_000)
    + '  v5000: "{{ v0 }}"\n'
    + shot('"{{ v0 }}"'),
    "a chain of statements": "vars:\n"
    + numbered('  v#: "{% if 1 %}{{ v#+1 }}{% endif %}"\n', 500)
    + shot('"{{ v0 }} {{ nobody }}"'),
    "a list of lists": "shots:\n  - {id: a, prompt: b, tags: [" + "[], " * 100_000 + "]}\n",
    "profiles": f"profiles: {{{numbered('p#: {takes: 99}, ', 20_000)}}}\n{QUAY}",
    "anchors in shots": "shots:\n" + numbered("- &n# {id: s#, prompt: 'p#', takes: &t# 99}\n", 1_000),
    "aliases in shots": f"x-t: &t 99\nx-s: [{numbered('&n# 1, ', 5_000)}]\nshots:\n"
    + numbered("- {id: s#, prompt: 'p#', takes: *t}\n", 1_000),
    "shots of one id": "shots:\n" + "- {id: a, prompt: b}\n" * 5_000,
    "missing files": "assets:\n" + numbered("  a#: a#.png\n", 9_000) + QUAY,
    "missing includes": f"include: [{numbered('f#.yaml, ', 20_000)}]\n{QUAY}",
    "a long path": "shots:\n  - {id: a, prompt: b, first_frame: " + "a/" * 500_000 + "x.png}\n",
    "a long address": "shots:\n  - {id: a, prompt: b, first_frame: https://" + "a." * 500_000 + "com/x.png}\n",
    "dashes": "-" + " " * 100_000 + "-" + " " * 100_000 + "@a: b\n" + QUAY,
    "text after a long quote": 'x-a: "' + '\\"' * 50_000 + '" b\n' + QUAY,
    "tags in a row": "shots:\n  - id: quay\n    prompt: " + "!a" * 40 + "\n      @nobody\n",
}
BOMBS = SHAPES | MANY
SLOW = {
    "a very long name",
    "aliases in shots",
    "duplicate keys",
    "errors after many values",
    "mentions of many nobodies",
    "shots of one id",
    "small circles",
    "undefined names beside many",
    "unknown fields of a shot",
}
"""Those that take long; each has a quicker one of its kind beside it."""
SAMPLE = [name for name in BOMBS if name not in SLOW]
GROUPS = [
    *(SAMPLE[first::3] for first in range(3)),
    pytest.param([name for name in BOMBS if name in SLOW], marks=pytest.mark.long),
]

COMMAND = """
import json, os, resource, signal, sys
from pathlib import Path

seen = []
def guard(event, args):
    if event.startswith("socket."):
        seen.append(event)
    elif event == "open" and isinstance(args[0], str | bytes) and args[0] != os.devnull:
        if args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND) or set(args[1] or "") & set("wax+"):
            seen.append(f"open {args[0]}")
    elif event in {f"os.{one}" for one in "mkdir rename remove rmdir link symlink truncate chmod".split()}:
        seen.append(f"{event} {args[0]}")

def cpu():
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return max(int(line.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024

from runner.cli import main
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.addaudithook(guard)
start = cpu()
for number, file in enumerate(sys.argv[1:]):
    with os.fdopen(os.open("/proc/self/clear_refs", os.O_WRONLY), "w") as refs:
        refs.write("5")  # the peak begins anew
    seen.clear()
    before = cpu() if number else 0.0
    print(f"\\n=== {file}", flush=True)
    # A bomb that goes off ends this process by a signal, whatever else the machine does.
    signal.setitimer(signal.ITIMER_PROF, 4 * float(os.environ["MAX_SECONDS"]))
    code = main(["validate", "--no-color", file])
    signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = round(cpu() - before + (start if number else 0), 2)
    result = {"code": code, "seconds": seconds, "megabytes": peak(), "seen": seen}
    print("\\n--- " + json.dumps(result), flush=True)
"""


def run_each(folder: Path, files: list[str], command: str = COMMAND) -> dict[str, tuple[str, dict[str, object]]]:
    """What `storyboard validate` printed for each file, and what it took: its start counts for every one."""
    environ = {**os.environ, "STORYBOARD_STATE": str(folder / "state"), "MAX_SECONDS": str(MAX_SECONDS)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", command, *files],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, f"ended by {done.returncode} at {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    sections = re.findall(r"^=== (\S+)\n(.*?)^--- (.*?)$", done.stdout, re.DOTALL | re.MULTILINE)
    return {name: (report, json.loads(facts)) for name, report, facts in sections}


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
def test_a_bomb_ends_soon_with_a_place_and_touches_nothing(names: list[str], tmp_path: Path) -> None:
    requirements.kernel_file("/proc/self/clear_refs")  # Linux alone tells the peak of one moment
    files = {f"bomb{number}.yaml": name for number, name in enumerate(names)}
    for file, name in files.items():
        (tmp_path / file).write_text("storyboard: 1\n" + BOMBS[name], "utf-8")
    results = run_each(tmp_path, list(files))
    assert set(results) == set(files)
    for file, (report, facts) in results.items():
        name = files[file]
        assert facts["code"] == 3, (name, facts)
        assert re.match(rf"{file}:[1-9][0-9]*:[1-9][0-9]*: (error|warning)\[", report), (name, report[:300])
        assert ": error[" in report, name
        assert len(report) < MAX_OUTPUT, (name, len(report))
        assert facts["seen"] == [], (name, facts)
        assert float(str(facts["seconds"])) < MAX_SECONDS, (name, facts)
        assert int(str(facts["megabytes"])) < MAX_MEGABYTES, (name, facts)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


def test_the_guard_of_the_bombs_sees_what_it_is_there_for(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(f"storyboard: 1\n{QUAY}")
    touched = COMMAND.replace(
        'code = main(["validate", "--no-color", file])',
        "import socket; socket.socket().close(); Path('new').write_text('x'); Path('new').unlink(); code = 0\n"
        "    bytearray(300 << 20)",
    )
    assert touched != COMMAND
    ((_, facts),) = run_each(tmp_path, ["board.yaml"], touched).values()
    assert facts["seen"] == ["socket.__new__", "open new", "os.remove new"]
    assert int(str(facts["megabytes"])) > MAX_MEGABYTES
