"""Every limit that the language names, at n, where nothing is wrong, and at n + 1, where its own problem is said."""

import time
from pathlib import Path

import pytest

from runner.editions.edition import load
from runner.language.compiler import CompileOptions
from tests.builders.made_up_editions import edition_with
from tests.builders.storyboards import codes, compiled, picture, shots

QUAY = "shots:\n  - {id: quay, prompt: A quay}\n"


def shot(fields: str) -> str:
    return f"storyboard: 1\nshots:\n  - {{id: quay, prompt: A quay, {fields}}}\n"


def test_an_id_has_64_characters_written_or_rendered(tmp_path: Path) -> None:
    board = "storyboard: 1\nvars: {x: %s}\nshots:\n  - {id: '{{ x }}', prompt: A quay}\n"
    assert list(shots(tmp_path, board % ("x" * 64))) == ["x" * 64]
    assert codes(tmp_path, board % ("x" * 65)) == ["id-form"]
    joined = "storyboard: 1\nshots:\n  - {id: %s, prompt: '{{ n }}', matrix: {n: [a]}}\n"
    assert list(shots(tmp_path, joined % ("x" * 62))) == ["x" * 62 + "-a"]
    assert codes(tmp_path, joined % ("x" * 63)) == ["id-form"]


@pytest.mark.parametrize("letter", ["x", "é", "看", "🎬"])
def test_a_prompt_has_4000_code_points_as_it_is_sent(tmp_path: Path, letter: str) -> None:
    board = "storyboard: 1\nvars: {x: '%s'}\nshots:\n  - {id: quay, wrap: 'A {{ prompt }}.', prompt: '{{ x }}'}\n"
    wide = ["prompt-units"] if letter == "🎬" else []
    assert codes(tmp_path, board % (letter * 3997)) == wide
    assert codes(tmp_path, board % (letter * 3998)) == ["prompt-length"]


def test_the_prompt_of_2026_09_has_10000(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: quay, prompt: %s}\n"
    options = CompileOptions(edition=load("2026-09"))
    assert codes(tmp_path, board % ("x" * 10_000), options) == []
    assert codes(tmp_path, board % ("x" * 10_001), options) == ["prompt-length"]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [("duration", ("4", "15", "'{{ 4 }}'", "'{{ 15 }}'"), ("3", "16", "'{{ 3 }}'", "'{{ 16 }}'")),
     ("takes", ("1", "20", "'{{ 20 }}'"), ("0", "21", "'{{ 21 }}'"))],
)  # fmt: skip
def test_numbers_written_and_rendered(tmp_path: Path, field: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for value in good:
        assert codes(tmp_path, shot(f"{field}: {value}")) == [], value
    for value in bad:
        assert codes(tmp_path, shot(f"{field}: {value}")) == ["wrong-value"], value


def materials(kind: str, ending: str, count: int, seconds: str = "") -> str:
    length = f", seconds: {seconds}" if seconds else ""
    lines = [f"  m{n}: {{{kind}: 'https://x.example.com/{n}.{ending}'{length}}}\n" for n in range(count)]
    still = "  still: {image: 'https://x.example.com/still.png'}\n" if kind == "audio" else ""
    names = [f"m{n}" for n in range(count)] + (["still"] if still else [])
    mentions = " ".join(f"@{name}" for name in names)
    return f"storyboard: 1\nassets:\n{''.join(lines)}{still}shots:\n  - {{id: quay, prompt: '{mentions}'}}\n"


@pytest.mark.parametrize(
    ("most", "more", "code"),
    [
        (("image", "png", 9), ("image", "png", 10), "too-many-materials"),
        (("video", "mp4", 3, "5"), ("video", "mp4", 4, "3"), "too-many-materials"),
        (("audio", "mp3", 3, "5"), ("audio", "mp3", 4, "3"), "too-many-materials"),
        (("video", "mp4", 1, "15"), ("video", "mp4", 1, "15.001"), "video-length"),
        (("audio", "mp3", 1, "15"), ("audio", "mp3", 1, "15.001"), "audio-length"),
        (("audio", "mp3", 3, "5.0"), ("audio", "mp3", 3, "5.001"), "audio-length"),
        (("audio", "mp3", 2, "7.5"), ("audio", "mp3", 2, "7.501"), "audio-length"),
    ],
)
def test_materials(tmp_path: Path, most: tuple[str, str, int], more: tuple[str, str, int], code: str) -> None:
    assert codes(tmp_path, materials(*most)) == []
    assert codes(tmp_path, materials(*more)) == [code]


def test_three_videos_of_15_seconds_each_fit_with_a_warning(tmp_path: Path) -> None:
    _, problems = compiled(tmp_path, materials("video", "mp4", 3, "15"))
    assert [(problem.code, problem.severity) for problem in problems] == [("videos-length", "warning")]
    together = CompileOptions(edition=load("2026-09"))
    assert codes(tmp_path, materials("video", "mp4", 3, "5"), together) == []
    assert codes(tmp_path, materials("video", "mp4", 3, "5.001"), together) == ["video-length"]


def test_two_frames_and_no_third(tmp_path: Path) -> None:
    for name in "ab":
        picture(tmp_path / f"{name}.png")
    assert codes(tmp_path, shot("first_frame: a.png, last_frame: b.png")) == []
    assert codes(tmp_path, shot("first_frame: a.png, last_frame: b.png, references: [a.png]")) == ["mode"]


def test_includes_include_8_deep(tmp_path: Path) -> None:
    for number in range(1, 10):
        (tmp_path / f"deep{number}.yaml").write_text(f"include: [deep{number + 1}.yaml]\n")
    (tmp_path / "deep8.yaml").write_text("vars: {deep: 8}\n")
    board = "storyboard: 1\ninclude: [deep1.yaml]\nshots:\n  - {id: quay, prompt: '{{ deep }}'}\n"
    assert shots(tmp_path, board)["quay"].request.prompt == "8"
    (tmp_path / "deep8.yaml").write_text("include: [deep9.yaml]\nvars: {deep: 8}\n")
    (tmp_path / "deep9.yaml").write_text("vars: {deep: 9}\n")
    assert codes(tmp_path, board) == ["include-depth"]


@pytest.mark.parametrize(
    "nested",
    [
        lambda levels: "x-a: " + "[" * levels + "]" * levels,
        lambda levels: "x-a: " + "{a: " * levels + "1" + "}" * levels,
        lambda levels: "x-a:\n" + "".join(" " * level + "a:\n" for level in range(1, levels)) + " " * levels + "a: 1",
        lambda levels: "x-a:\n" + "".join(" " * level + "-\n" for level in range(1, levels)) + " " * levels + "- 1",
    ],
    ids=["flow lists", "flow mappings", "block mappings", "block lists"],
)
def test_values_are_nested_64_deep(tmp_path: Path, nested: object) -> None:
    assert callable(nested)
    # The document itself is the first level.
    assert codes(tmp_path, f"storyboard: 1\n{QUAY}{nested(63)}\n") == []
    assert codes(tmp_path, f"storyboard: 1\n{QUAY}{nested(64)}\n") == ["too-deep"]


def test_a_matrix_has_10000_combinations_in_bounded_time(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: q, prompt: '{{ a }} {{ b }}', matrix: {a: [%s], b: [%s]}}\n"
    hundred = ", ".join(map(str, range(100)))
    started = time.process_time()
    assert len(shots(tmp_path, board % (hundred, hundred))) == 10_000
    # CPU seconds, which other processes do not change; the goal is some 2.
    assert time.process_time() - started < 30
    started = time.process_time()
    # 137 × 73 = 10,001
    over = [", ".join(map(str, range(count))) for count in (137, 73)]
    assert codes(tmp_path, board % (over[0], over[1])) == ["matrix-size"]
    assert codes(tmp_path, board % (", ".join(map(str, range(10_001))), "x")) == ["too-many"]
    assert time.process_time() - started < 20


@pytest.mark.long
def test_a_batch_has_100000_shots(tmp_path: Path) -> None:
    numbers = ", ".join(map(str, range(10_000)))
    tens = "".join(f"  - {{id: q{n}, prompt: '{n} {{{{ a }}}}', matrix: {{a: [{numbers}]}}}}\n" for n in range(10))
    assert len(shots(tmp_path, f"storyboard: 1\nshots:\n{tens}")) == 100_000
    assert codes(tmp_path, f"storyboard: 1\nshots:\n{tens}  - {{id: one, prompt: More}}\n") == ["batch-size"]


def test_a_file_has_16_mebibytes(tmp_path: Path) -> None:
    board = f"storyboard: 1\n{QUAY}"
    # Lines of 1 kB, so that the file is text as people have it.
    padding = b"# " + b"x" * 1021 + b"\n"
    whole = board.encode() + padding * ((16 << 20) // len(padding))
    most = whole[: (16 << 20) - 1] + b"\n"
    assert len(most) == 16 << 20
    assert codes(tmp_path, most) == []
    assert codes(tmp_path, most + b"\n") == ["file-size"]


def test_a_file_has_2000000_lines(tmp_path: Path) -> None:
    board = f"storyboard: 1\n{QUAY}"
    most = board + "\n" * (2_000_000 - board.count("\n"))
    assert codes(tmp_path, most) == []
    assert codes(tmp_path, most + "\n") == ["file-size"]


@pytest.mark.parametrize(
    ("board", "most", "path"),
    [
        (f"include: [ITEMS]\n{QUAY}", 100, "include"),
        (f"assets: {{m: {{image: [ITEMS]}}}}\n{QUAY}", 9, "assets.m.image"),
        ("shots:\n  - {id: quay, prompt: A, tags: [ITEMS]}\n", 1_000, "shots[0].tags"),
        ("shots:\n  - {id: quay, prompt: A, references: [ITEMS]}\n", 100, "shots[0].references"),
    ],
)
def test_lists_have_so_many_items(board: str, most: int, path: str, tmp_path: Path) -> None:
    for count, wrong in ((most, []), (most + 1, [path])):
        items = ", ".join(f"x{number}.png" for number in range(count))
        _, problems = compiled(tmp_path, "storyboard: 1\n" + board.replace("ITEMS", items))
        assert [problem.place.path for problem in problems if problem.code == "too-many"] == wrong


def test_a_file_comes_to_1000000_values(tmp_path: Path) -> None:
    # The document, its 3 fields and a shot's have some 10 values of their own.
    lists = "x-a: &a [{}]\nx-b: [{}]\n"
    thousand = ", ".join(["1"] * 990)
    assert codes(tmp_path, f"storyboard: 1\n{QUAY}{lists.format(thousand, ', '.join(['*a'] * 1000))}") == []
    assert codes(tmp_path, f"storyboard: 1\n{QUAY}{lists.format(thousand, ', '.join(['*a'] * 1012))}") == ["too-large"]


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ("duration: 30, model: seedance2-5", []),
        ("duration: 31, model: seedance2-5", ["wrong-value"]),
        ("duration: 16", ["wrong-value"]),
        ("duration: 16, model: seedance2.0-mini", ["wrong-value"]),
        ("model: seedance2.0-mini, resolution: 1080p", ["resolution"]),
        ("model: seedance2-5, resolution: 1080p", []),
        ("model: seedance2-5, resolution: 4k", ["resolution"]),
    ],
)
def test_limits_are_those_of_the_shots_model(tmp_path: Path, fields: str, problems: list[str]) -> None:
    assert codes(tmp_path, shot(fields), CompileOptions(edition=load("2026-10"))) == problems


@pytest.mark.parametrize(
    ("model", "count", "problems"),
    [("seedance-20", 9, []), ("seedance-20", 10, ["too-many-materials"]), ("seedance2-5", 30, [])],
)
def test_images_are_counted_by_the_shots_model(tmp_path: Path, model: str, count: int, problems: list[str]) -> None:
    pictures = [f"https://cdn.example.com/{number}.png" for number in range(count)]
    board = shot(f"model: {model}, references: [{', '.join(pictures)}]")
    found = codes(tmp_path, board, CompileOptions(edition=load("2026-10")))
    assert [code for code in found if code != "unmentioned"] == problems


@pytest.mark.parametrize(
    ("seconds", "problems"), [("1.5", ["video-length"]), ("2", []), ("30", []), ("30.5", ["video-length"])]
)
def test_a_video_of_seedance2_5_has_2_to_30_seconds(tmp_path: Path, seconds: str, problems: list[str]) -> None:
    board = (
        f"storyboard: 1\nassets: {{waltz: {{video: 'https://cdn.example.com/waltz.mp4', seconds: {seconds}}}}}\n"
        "shots:\n  - {id: quay, model: seedance2-5, prompt: 'the moves of @waltz'}\n"
    )
    assert codes(tmp_path, board, CompileOptions(edition=load("2026-10"))) == problems


def test_a_model_has_defaults_of_its_own(tmp_path: Path) -> None:
    slow = {"default_seconds": 8, "default_resolution": "480p", "seconds": [6, 12]}
    edition = edition_with(models={"loom-1": slow}, prices=[{"model": "loom-1", "rows": {"480p": "3.5"}}])
    request = shots(tmp_path, shot("model: loom-1"), CompileOptions(edition=edition))["quay"].request
    assert (request.seconds, request.resolution) == (8, "480p")
