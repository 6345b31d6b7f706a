"""Twenty thousand mistakes of one kind: exit 3 with the first place, in a screenful, within seconds of the processor.

The bound is of processor time, which the load of the machine does not change; an endless search meets it as well.
"""

import resource
import subprocess
import sys

import pytest

from tests.builders.content_repo import CommandResult, ContentRepo

FILM = "storyboards/film.yaml"
COUNT = 20_000
PROCESSOR_SECONDS = 10
"""Five times what the slowest flood takes; before they were cut off, most took longer."""
SCREENFUL = 150
"""Lines: ten problems of a few lines each, and what follows from them."""
NAMES = ", ".join(f"maria{number}: {{words: x}}" for number in range(COUNT))
SHOTS = "storyboard: 1\nshots:\n"
AMONG_NAMES = f"storyboard: 1\nassets: {{{NAMES}}}\nshots:\n"
SHOT = "  - {id: a, prompt: x}\n"
VARIABLE = "  v#: '{{ a | nofilter# }}'\n"


def shots(fields: str, head: str = SHOTS) -> str:
    """A shot for each number, which stands for `#`."""
    return head + each(f"  - {{id: s#, {fields}}}\n")


def each(entry: str) -> str:
    return "".join(entry.replace("#", str(number)) for number in range(COUNT))


SAMPLE = {
    "unknown filters": lambda: shots("prompt: '{{ a | nofilter# }}'"),
    "taken ids": lambda: SHOTS + each("  - {id: same, prompt: x#}\n"),
    "unknown mentions": lambda: shots("prompt: '@mria# x'", AMONG_NAMES),
    "mentions of paths": lambda: shots("prompt: '@assets/x#.png x'", AMONG_NAMES),
    "variables of a condition": lambda: shots("prompt: '{% if 1 %}{{ mria# }}{% endif %}'"),
}
FLOODS = {
    "unknown tests": lambda: shots("prompt: '{% if a is notest# %}b{% endif %}'"),
    "syntax errors": lambda: shots("prompt: '{{ a# b }}'"),
    "unclosed expressions": lambda: shots("prompt: '{{ a# '"),
    "unknown filters of one prompt": lambda: SHOTS + f"  - {{id: a, prompt: \"{each('{{ x | nofilter# }} ')}\"}}\n",
    "unknown filters of variables": lambda: f"storyboard: 1\nvars:\n{each(VARIABLE)}shots:\n{SHOT}",
    "ids that differ by case": lambda: SHOTS + each("  - {id: s#, prompt: x#}\n  - {id: S#, prompt: y#}\n"),
    "invalid ids": lambda: SHOTS + each("  - {id: 'a b#', prompt: x#}\n"),
    "shots without an id": lambda: SHOTS + each("  - {prompt: x#}\n"),
    "mentions of one prompt": lambda: SHOTS + f"  - {{id: a, prompt: '{each('@mria# ')}'}}\n",
    "positions of other tools": lambda: shots("prompt: '@图片# x'"),
    "unknown references": lambda: shots("prompt: x#, references: [mria#]"),
    "unknown variables": lambda: shots("prompt: '{{ mria# }}'"),
    "unknown functions": lambda: shots("prompt: '{{ mria#() }}'"),
    "variables of a loop": lambda: shots("prompt: '{% for x in [1] %}{{ mria# }}{% endfor %}'"),
    "unknown fields of shots": lambda: shots("prompt: x#, promt: y"),
    "unknown fields of one shot": lambda: SHOTS + f"  - {{id: a, prompt: x, {each('promt#: 1, ')}}}\n",
    "unknown fields of a storyboard": lambda: "storyboard: 1\n" + each("titl#: 1\n") + "shots:\n" + SHOT,
    "values out of range": lambda: shots("prompt: x#, duration: 99#"),
    "values of another type": lambda: shots("prompt: [x#]"),
    "unknown models": lambda: shots("prompt: x#, model: seedance-#"),
    "missing files": lambda: shots("prompt: x#, first_frame: assets/mria#.png"),
    "addresses of another kind": lambda: shots("prompt: x#, first_frame: 'https://cdn.example.com/a#.mp4'"),
    "circles": lambda: shots("prompt: '@s# x'"),
    "shots made from a broken one": lambda: shots("prompt: '@x y#'", SHOTS + "  - {id: x, prompt: [1]}\n"),
    "broken assets": lambda: shots("prompt: '@maria# x'", AMONG_NAMES.replace("{words: x}", "5")),
    "shots that are texts": lambda: SHOTS + each("  - s#\n"),
}  # fmt: skip


def check(film: ContentRepo, text: str) -> None:
    film.write(FILM, text)

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))

    done = subprocess.run(
        [sys.executable, "-m", "runner", "validate", FILM], cwd=film.root, env=film.env(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=600, check=False, preexec_fn=bounded,
    )  # fmt: skip
    result = CommandResult(done.returncode, done.stdout, done.stderr)
    assert result.code == 3, result.err[:1000]
    assert f"{FILM}:" in result.out
    assert result.out.count("\n") <= SCREENFUL
    assert len(result.out + result.err) <= 30_000


@pytest.mark.parametrize("flood", SAMPLE)
def test_a_flood_is_exit_3_with_a_place_in_a_screenful(film: ContentRepo, flood: str) -> None:
    check(film, SAMPLE[flood]())


@pytest.mark.long
@pytest.mark.parametrize("flood", FLOODS)
def test_every_other_flood_is_too(film: ContentRepo, flood: str) -> None:
    check(film, FLOODS[flood]())


def test_a_flood_in_one_storyboard_leaves_the_others_checked(film: ContentRepo) -> None:
    film.write(FILM, shots("prompt: '{{ a | nofilter# }}'"))
    film.write("storyboards/zebra.yaml", "storyboard: 1\nshots:\n  - {id: quay, prompt: '@nobody'}\n")
    problems = film.storyboard("validate", FILM, "storyboards/zebra.yaml", "--json").json["problems"]
    assert [problem["code"] for problem in problems if problem["file"] == "storyboards/zebra.yaml"] == ["unknown-name"]


def test_the_shots_that_are_not_checked_are_counted_and_the_first_one_is_named(film: ContentRepo) -> None:
    film.write(FILM, shots("prompt: '{{ a | nofilter# }}'"))
    *_, last = film.storyboard("validate", FILM, "--json").json["problems"]
    assert (last["code"], last["line"]) == ("too-many-errors", 503)
    assert last["message"] == "after 500 errors the remaining 19,500 shots are not checked"
