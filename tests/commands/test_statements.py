"""What `storyboard validate` and its neighbours say about a storyboard: the place and the way out of each kind."""

from dataclasses import dataclass

import pytest
from PIL import Image

from tests.builders.content_repo import ContentRepo
from tests.builders.storyboards import picture

FILM = "storyboards/film.yaml"
URL = "https://cdn.example.com"


@dataclass(frozen=True)
class Case:
    """A storyboard, words that its report has, and words that it has not."""

    text: str
    words: tuple[str, ...]
    absent: tuple[str, ...] = ()
    command: tuple[str, ...] = ("validate", FILM)


def shot(fields: str, head: str = "") -> str:
    return f"storyboard: 1\n{head}shots:\n  - {{id: a, {fields}}}\n"


DOOR = f"assets: {{door: {URL}/door.png}}\n"
STATEMENTS = {
    "a filter in folded text": Case(
        "storyboard: 1\nvars: {x: y}\nshots:\n  - id: a\n    prompt: >\n      {{ x }}\n      two {{ x | uppper }}\n",
        ("film.yaml:7:18", "no filter `uppper`"),
    ),
    "a filter in quotes, second on its line": Case(
        shot('prompt: "{{ x }} {{ x | uppper }}"', "vars: {x: y}\n"), ("film.yaml:4:37", "no filter `uppper`")
    ),
    "a test": Case(shot("prompt: '{% if x is nothing %}b{% endif %}'", "vars: {x: y}\n"), ("no test `nothing`",)),
    "a syntax error": Case(shot("prompt: 'A {{ x y }}'", "vars: {x: y}\n"), ("film.yaml:4:24", "syntax error")),
    "a wrong ending of a declared kind": Case(
        shot("prompt: '@m'", f"assets: {{m: {{video: '{URL}/a.mov', seconds: 5}}}}\n"), ("ends with .mov", ".mp4")
    ),
    "a wrong ending in percent signs": Case(
        shot("prompt: '@m'", f"assets: {{m: {{video: '{URL}/a%2Emov', seconds: 5}}}}\n"), ("ends with .mov", ".mp4")
    ),
    "a circle beside another fault": Case(
        "storyboard: 1\nshots:\n  - {id: a, prompt: '@b', duration: 99}\n  - {id: b, prompt: '@a'}\n",
        ("a → b → a", "`duration` is 99"),
    ),
    "a problem of an asset that only a broken shot uses": Case(
        shot("prompt: '{{ x | uppper }} @m'", "assets: {m: nothing/there.png}\n"),
        ("nothing/there.png", "does not exist"),
    ),
    "a Chinese position": Case(shot("prompt: 'as @图片1', references: [door]", DOOR), ("@image1",), ("written @@",)),
    "a position with a blank": Case(shot("prompt: 'as @Video 1', references: [door]", DOOR), ("@video1",)),
    "an escaped position": Case(shot("prompt: 'as @@Image 1', references: [door]", DOOR), ("@image1",)),
    "a path behind an @": Case(shot("prompt: '@assets/door.png'", DOOR), ("a path is no mention", "@door")),
    "a file in another case": Case(shot("prompt: x, first_frame: assets/DOOR.png"), ("storyboards/assets/door.png",)),
    "a file with %20": Case(
        shot("prompt: x, first_frame: assets/old%20door.png"), ("storyboards/assets/old door.png",)
    ),
    "a file with a letter too many": Case(shot("prompt: x, first_frame: assets/dooor.png"), ("assets/door.png",)),
    "a file in another Unicode form": Case(
        shot('prompt: x, first_frame: "assets/cafe\u0301.png"'), ("another Unicode form (NFC)",)
    ),
    "a file in the folder beside": Case(shot("prompt: x, first_frame: door.png"), ("storyboards/assets/door.png",)),
    "a missing first line": Case("title: T\nshots:\n  - {id: a, prompt: x}\n", ("storyboard: 1", ": 1 error")),
    "a mapping of shots": Case("storyboard: 1\nshots:\n  a: {prompt: x}\n", ("- id: a",)),
    "a field that is a variable": Case(
        "storyboard: 1\nvars: {camera: still}\nshots:\n  - {id: a, prompt: '{{ camera }}', camera: pan}\n",
        ("vars: {camera:",),
    ),
    "a negative prompt": Case(shot("prompt: x, negative_prompt: rain"), ('wrap: "{{ prompt }} Avoid: rain."',)),
    "a consequence": Case(
        "storyboard: 1\nshots:\n  - {id: a b, prompt: x}\n  - {id: c, prompt: '@a walks'}\n",
        ("a consequence of the problem at line 3", "consequence"),
    ),
    "the number of shots": Case(
        "storyboard: 1\nshots:\n  - {id: a, prompt: x, duration: 99}\n  - {id: b, prompt: y}\n", ("2 shots: 1 error",)
    ),
    "errors before warnings": Case(
        shot("prompt: x, references: [door]", DOOR) + "  - {id: b, prompt: y, duration: 99}\n",
        ("1 error", "and 1 warning: storyboard validate --warnings"),
        ("warning[",),
    ),
    "a repeated profile": Case(
        shot("prompt: x", "profiles: {n: {resolution: 480p}, m: {resolution: 720p}}\n"),
        ("--profile",),
        command=("plan", FILM, "--profile", "n", "--profile", "n"),
    ),
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_report_has_the_place_and_the_way_out(film: ContentRepo, kind: str) -> None:
    case = STATEMENTS[kind]
    film.write(FILM, case.text)
    for name in ("door", "old door", "caf\u00e9"):
        picture(film.root / f"storyboards/assets/{name}.png", 640, 360)
    result = film.in_process(*case.command)
    report = result.out + result.err
    assert result.code == (2 if case.command[0] == "plan" else 3), report
    for word in case.words:
        assert word in report
    for word in case.absent:
        assert word not in report


@pytest.mark.parametrize("selection", ["'scene:Act 1: Youth'", "'tag:night, rain'"])
def test_a_selection_in_quotes_has_blanks_and_commas(film: ContentRepo, selection: str) -> None:
    film.write(FILM, shot("prompt: x, scene: 'Act 1: Youth', tags: ['night, rain']"))
    result = film.in_process("plan", FILM, "--select", selection)
    assert result.code == 0, result.err


def test_ids_that_are_numbers_are_their_text(film: ContentRepo) -> None:
    film.write(FILM, "storyboard: 1\nshots:\n  - {id: 1, prompt: x}\n  - {id: 1.50, prompt: '@1.last_frame y'}\n")
    result = film.in_process("plan", FILM, "--json")
    assert [each["id"] for each in result.json["storyboards"][0]["shots"]] == ["1", "1.50"]


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_picture_counts_as_it_is_shown_whatever_its_format(film: ContentRepo, ending: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    folder = film.root / "storyboards"
    Image.new("RGB", (1280, 720)).save(folder / f"turned.{ending}", exif=turned)
    Image.new("RGB", (1280, 720)).save(folder / f"wide.{ending}")
    entries = "".join(
        f"  - {{id: {name}, prompt: x {name}, first_frame: {name}.{ending}}}\n" for name in ("turned", "wide")
    )
    film.write(FILM, f"storyboard: 1\ndefaults: {{aspect_ratio: '9:16'}}\nshots:\n{entries}")
    problems = film.in_process("validate", FILM, "--json").json["problems"]
    assert [problem["shots"] for problem in problems] == [["wide"]]
