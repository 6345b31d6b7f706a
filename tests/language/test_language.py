"""The language as its page says it: merging, matrix, templates, materials, mentions, requests."""

import subprocess
import sys
from pathlib import Path

import pytest

from runner.app.exit_codes import exit_code_of
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import ExitCode
from runner.language import compiler as language
from runner.language.compiler import CompileOptions
from runner.requests.request import LocalFile, RemoteFile, TakeReference
from tests.builders.made_up_editions import edition_with
from tests.builders.storyboards import codes, compiled, picture, shots

ASSETS = """
assets:
  maria: {image: [a.png, b.png], words: "a {{ mood }} woman"}
  quayside: {words: a fishing quay}
  waltz: {video: https://cdn.example.com/waltz.mp4, seconds: 6}
  fado: {audio: https://cdn.example.com/fado.mp3, seconds: 7.5}
  door: door.png
vars: {mood: calm}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a", "b", "door"):
        picture(tmp_path / f"{name}.png", 64, 36)
    return tmp_path


def prompt(root: Path, text: str, fields: str = "", more: str = "") -> str | None:
    """What is sent for a prompt."""
    board = f"storyboard: 1\n{ASSETS}shots:\n  - id: quay\n    {fields}\n    prompt: {text}\n{more}"
    return shots(root, board)["quay"].request.prompt


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("A quay", "A quay"),
        ("'@maria walks'", "@image1 @image2 (a calm woman) walks"),
        ("'@maria, then @maria again'", "@image1 @image2 (a calm woman), then @image1 @image2 again"),
        ("'@Maria''s coat'", "@image1 @image2 (a calm woman)'s coat"),
        ("'@maria. @door.'", "@image1 @image2 (a calm woman). @image3."),
        ("'@maria-like'", "@image1 @image2 (a calm woman)-like"),
        ("'看@maria走进@quayside里'", "看@image1 @image2 (a calm woman)走进quayside (a fishing quay)里"),
        ("'@waltz and @fado and @door'", "@video1 and @audio1 and @image1"),
        ("'@quayside, @quayside'", "quayside (a fishing quay), quayside"),
        ("'write to ana@example.com'", "write to ana@example.com"),
        ("'two @ five'", "two @ five"),
        ("'a @@sign'", "a @sign"),
        ("'@@maria and @maria'", "@maria and @image1 @image2 (a calm woman)"),
    ],
)
def test_mentions_become_positions(root: Path, written: str, sent: str) -> None:
    assert prompt(root, written) == sent


@pytest.mark.parametrize("written", ["'@mariá'", "'@ma\u0301ria'", "'@mari\u0301'"])
def test_a_name_is_never_cut_before_an_accent(root: Path, written: str) -> None:
    board = "storyboard: 1\nassets: {mari: {words: a}, m: {words: b}, ma: {words: c}}\nshots:\n"
    board += f"  - id: quay\n    prompt: {written}\n"
    assert codes(root, board)[:1] == ["unknown-name"]


@pytest.mark.parametrize("written", ["'@mariana walks'", "'@nobody'", "'@maria2'", "'@door.png'"])
def test_a_name_is_never_cut_inside_a_word(root: Path, written: str) -> None:
    board = f"storyboard: 1\n{ASSETS}shots:\n  - id: quay\n    prompt: {written}\n"
    errors = [problem.code for problem in compiled(root, board)[1].errors]
    assert errors == ([] if "door" in written else ["unknown-name"])


def test_references_come_after_what_the_prompt_mentions(root: Path) -> None:
    sent = prompt(root, "'@image2 beside @waltz, @Image1'", "references: [door, maria]")
    assert sent == "@image1 beside @video1, @image2"
    board = (
        f"storyboard: 1\n{ASSETS}shots:\n  - id: quay\n    references: [door, maria, a.png]\n    prompt: '@image2'\n"
    )
    quay = shots(root, board)["quay"]
    paths = [material.path for material in quay.request.materials if isinstance(material, LocalFile)]
    assert paths == ["a.png", "door.png", "b.png"]
    assert quay.names == ("maria", "door", "maria")


def test_frames_make_keyframe_mode_and_mentions_words(root: Path) -> None:
    board = f"""storyboard: 1
{ASSETS}
shots:
  - {{id: one, prompt: one, takes: 2}}
  - id: quay
    first_frame: "@one#2.last_frame"
    last_frame: door
    prompt: "@Maria walks, @maria stops at @quayside"
"""
    quay = shots(root, board)["quay"]
    assert quay.request.mode == "keyframe"
    assert quay.request.prompt == "Maria (a calm woman) walks, maria stops at quayside (a fishing quay)"
    assert quay.request.materials[0] == TakeReference("one", "last_frame", 2)
    assert quay.needs == ("one",)
    assert quay.names == ("one#2.last_frame", "door")


def test_mentioning_a_shot_uses_its_clip(root: Path) -> None:
    board = f"""storyboard: 1
{ASSETS}
shots:
  - {{id: SH010, prompt: one}}
  - {{id: two, prompt: "after @sh010 and @SH010.last_frame and @SH010#1.first_frame, @two-shot"}}
  - {{id: two-shot, prompt: three}}
"""
    two = shots(root, board)["two"].request
    assert two.prompt == "after @video1 and @image1 and @image2, @video2"
    assert [str(material) for material in two.materials] == [
        "@SH010",
        "@SH010.last_frame",
        "@SH010#1.first_frame",
        "@two-shot",
    ]


def test_a_literal_position_is_refused_behind_any_number_of_signs(root: Path) -> None:
    for written in ("@@image1", "@@@image1", "@@@@Video2", "看@@audio1。"):
        board = f"storyboard: 1\nshots:\n  - {{id: q, prompt: 'a {written}'}}\n"
        assert codes(root, board) == ["literal-position"], written


def test_one_source_under_two_names_is_one_material(root: Path) -> None:
    board = "storyboard: 1\nassets: {door: door.png, gate: ./door.png}\nshots:\n  - {id: q, prompt: '@door @gate'}\n"
    assert shots(root, board)["q"].request.prompt == "@image1 @image1"


MERGING = """storyboard: 1
include: [cast.yaml]
vars: {city: Lisbon}
defaults:
  duration: 6.0
  tags: [one]
  upscale: 4k
  vars: {camera: static, light: noon}
  wrap: "{{ camera }}, {{ light }}: {{ prompt | trim }} ({{ city }}, {{ grain }})"
profiles:
  draft: {resolution: 480p, upscale: null, takes: 1, vars: {camera: draft}}
shots:
  - id: plain
    prompt: one
  - id: own
    vars: {camera: slow}
    tags: [two, 3, 1.50]
    title: 1.50
    takes: 3
    resolution: 1080p
    prompt: two
  - id: bare
    wrap: null
    upscale: null
    prompt: three
"""


def test_merging(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("vars: {city: Porto, grain: fine}\ndefaults: {resolution: 720p, duration: 9}\n")
    by_id = shots(tmp_path, MERGING)
    plain, own, bare = by_id["plain"], by_id["own"], by_id["bare"]
    assert plain.request.prompt == "static, noon: one (Lisbon, fine)"
    assert (plain.request.seconds, plain.request.resolution, plain.request.upscale) == (6, "720p", "4k")
    assert own.request.prompt == "slow, noon: two (Lisbon, fine)"
    assert (own.tags, own.title, own.takes) == (("two", "3", "1.50"), "1.50", 3)
    assert (bare.request.prompt, bare.request.upscale) == ("three", None)


def test_a_profile_overrides_the_shots_own_values(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("vars: {city: Porto, grain: fine}\n")
    own = shots(tmp_path, MERGING, CompileOptions(profile="draft"))["own"]
    assert (own.request.resolution, own.request.upscale, own.takes) == ("480p", None, 1)
    assert own.request.prompt == "draft, noon: two (Lisbon, fine)"


def test_the_command_line_says_variables(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("vars: {city: Porto, grain: fine}\n")
    plain = shots(tmp_path, MERGING, CompileOptions(variables={"city": "Faro", "grain": 0.5}))["plain"]
    assert plain.request.prompt == "static, noon: one (Faro, 0.5)"
    for options in (CompileOptions(variables={"ctiy": "Faro"}), CompileOptions(profile="darft")):
        with pytest.raises(Failure) as stopped:
            compiled(tmp_path, MERGING, options)
        assert exit_code_of(stopped.value) is ExitCode.USAGE
        assert "did you mean" in stopped.value.message


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("{{ city }}", "Lisbon"),
        ("{{ line }}", "Maria turns to camera"),
        ("{{ angles[angle] }} and {{ angles.wide }}", "from above and Lisbon from afar"),
        ("{{ yes }} {{ six }} {{ half }} {{ ratio }} {{ no }}", "true 6 0.5 16:9 no"),
        ("{{ city | upper }} {{ ratio | slug }} {{ place | slug }}", "LISBON 16-9 pei-lu-jia"),
        ("{% if night %}night{% else %}day{% endif %}", "day"),
        ("{% for one in list %}{{ one }}{% if not loop.last %}, {% endif %}{% endfor %}", "a, true, 2.5"),
        ("{{ list | join('-') }} {{ 2 * 3 }}", "a-true-2.5 6"),
        ("{{ shot.id }} in {{ shot.scene }}", "quay in harbour"),
        ("{{ missing | default('nothing') }}", "nothing"),
        ("{{ '{{ city }}' }}", "{{ city }}"),
        ("{{ raw }}", "a {b} c"),
        ("{# a comment #}text", "text"),
    ],
)
def test_templates(tmp_path: Path, template: str, rendered: str) -> None:
    board = f"""storyboard: 1
vars:
  city: Lisbon
  who: nobody
  line: "{{{{ who }}}} turns to camera"
  angles: {{wide: "{{{{ city }}}} from afar", high: from above}}
  yes: true
  no: no
  six: 6
  half: 0.5
  ratio: 16:9
  place: 佩鲁贾
  night: false
  list: [a, true, 2.5]
  raw: a {{b}} c
shots:
  - id: quay
    scene: harbour
    vars: {{who: Maria, angle: high}}
    prompt: >-
      {template}
"""
    assert shots(tmp_path, board.replace("{{b}}", "{b}"))["quay"].request.prompt == rendered


def test_blocks_leave_no_blank_lines_behind(tmp_path: Path) -> None:
    board = """storyboard: 1
vars: {night: true}
shots:
  - id: quay
    prompt: |
      One.
      {% if night %}
      Night.
      {% endif %}
      Two.
"""
    assert shots(tmp_path, board)["quay"].request.prompt == "One.\nNight.\nTwo."


def test_prompt_files_are_included(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "look.txt").write_text("teal in {{ city }}")
    board = "storyboard: 1\nvars: {city: Lisbon}\nshots:\n  - {id: q, prompt: \"A {% include 'look.txt' %}\"}\n"
    assert shots(tmp_path, board)["q"].request.prompt == "A teal in Lisbon"


def test_what_renders_to_nothing_is_null(tmp_path: Path) -> None:
    board = """storyboard: 1
vars: {nothing: "", some: "7"}
shots:
  - id: quay
    duration: "{{ some }}"
    upscale: "{{ nothing }}"
    skip: "{% if some %}true{% endif %}"
    takes: "{{ nothing }}"
    tags: ["{{ nothing }}", "{{ some }}"]
    prompt: A quay
"""
    quay = shots(tmp_path, board)["quay"]
    assert (quay.request.seconds, quay.request.upscale, quay.skip, quay.takes, quay.tags) == (7, None, True, 1, ("7",))


MATRIX = """storyboard: 1
defaults: {resolution: 480p}
shots:
  - id: city%s
    matrix:
      place: [Lisbon, São Paulo]
      duration: [4, 5]
      format:
        wide: {aspect_ratio: 16:9}
        tall: {aspect_ratio: 9:16, vars: {framing: centred}, takes: 2}
      exclude: [{place: Lisbon, format: tall}, {duration: 5, format: wide}]
      include: [{place: Faro, duration: 6, format: wide}]
    vars: {framing: wide open}
    prompt: "{{ place }}, {{ framing }}, {{ format }}"
"""


def test_a_matrix_is_its_product_in_file_order(tmp_path: Path) -> None:
    by_id = shots(tmp_path, MATRIX % "")
    assert list(by_id) == [
        "city-lisbon-4-wide",
        "city-sao-paulo-4-wide",
        "city-sao-paulo-4-tall",
        "city-sao-paulo-5-tall",
        "city-faro-6-wide",
    ]
    tall = by_id["city-sao-paulo-5-tall"]
    assert tall.request.prompt == "São Paulo, centred, tall"
    assert (tall.request.aspect_ratio, tall.request.seconds, tall.takes) == ("9:16", 5, 2)
    assert tall.axes == (("place", "São Paulo"), ("duration", "5"), ("format", "tall"))
    assert by_id["city-faro-6-wide"].request.seconds == 6
    named = shots(tmp_path, MATRIX % "-{{ place | slug }}-{{ duration }}{{ format }}")
    assert next(iter(named)) == "city-lisbon-4wide"


def test_a_problem_that_instances_share_is_said_once(tmp_path: Path) -> None:
    board = MATRIX.replace("{{ place }}, {{", "{{ plac }}, @nobody {{") % ""
    _, problems = compiled(tmp_path, board)
    assert [(problem.code, len(problem.shots)) for problem in problems.errors] == [
        ("matrix-idle-axis", 0),
        ("undefined-variable", 5),
        ("unknown-name", 5),
    ]


@pytest.mark.parametrize(
    ("shot", "code", "shots"),
    [
        ("id: q, matrix: {n: [1, 2, 3]}, tags: ['{{ n }}']", "prompt-missing", 3),
        ("id: q, matrix: {n: [1, 2, 3]}, tags: ['{{ n }}'], first_frame: a.png", "prompt-empty", 3),
        ("id: 'q {{ n }}', matrix: {n: [1, 2, 3]}, prompt: '{{ n }}'", "id-form", 3),
        ("id: 'q{{ n }}', matrix: {n: [1, 2, 3], m: [a, b]}, prompt: '{{ n }} {{ m }}'", "id-taken", 3),
        ("id: q, matrix: {n: [16, 17, 18]}, duration: '{{ n }}', prompt: A", "wrong-value", 3),
        ("id: q, matrix: {n: [8, 99, 100]}, prompt: '{{ n }} {{ long }}'", "prompt-length", 3),
        ("id: q, matrix: {n: [20, 99, 100]}, prompt: '0-{{ n }}s: A'", "timeline", 3),
        ("id: q, matrix: {n: [1, 2, 3]}, prompt: '@m{{ n }}'", "unknown-name", 1),
    ],
)
def test_what_instances_share_is_said_once_whatever_their_ids_and_numbers(
    root: Path, shot: str, code: str, shots: int
) -> None:
    board = f"storyboard: 1\nvars: {{long: {'x' * 4000}}}\nshots:\n  - {{{shot}}}\n"
    problems = [problem for problem in compiled(root, board)[1] if problem.code == code]
    assert [len(problem.shots) for problem in problems] == ([shots] if shots > 1 else [1, 1, 1])


def test_a_template_that_fails_hides_no_mention_beside_it(tmp_path: Path) -> None:
    written = {
        "{{ cty }} @nobody": ["undefined-variable", "unknown-name"],
        "@nobody {{ cty }} @image1 @else": ["unknown-name", "undefined-variable", "unknown-name"],
        "@nobody{{ cty }} {{ cty }}@nobody @{{ cty }}": ["undefined-variable"] * 3,
        "{% if cty %}@nobody{% endif %}": ["undefined-variable"],
        "{{ cty": ["template-syntax"],
        "{# @nobody #}{{ cty }}": ["undefined-variable"],
    }
    for prompt, wrong in written.items():
        board = f"storyboard: 1\nshots:\n  - id: quay\n    prompt: '{prompt}'\n"
        assert codes(tmp_path, board) == wrong, prompt


def test_yaml_is_read_by_the_core_schema(tmp_path: Path) -> None:
    board = """storyboard: 1
vars: {a: 16:9, b: no, c: on, d: 5s, e: 1_000, f: 2024-05-01, g: 012, h: +5, i: .5, j: 0x1F, k: 1e3, l: -0.5, m: .inf}
shots:
  - id: quay
    duration: 5s
    prompt: "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }} {{ f }} {{ g }} {{ h }} {{ i }} {{ j }} {{ k }} {{ l }} {{ m }}"
"""
    assert shots(tmp_path, board)["quay"].request.prompt == (
        "16:9 no on 5s 1_000 2024-05-01 012 +5 .5 0x1F 1000.0 -0.5 .inf"
    )


def test_own_keys_are_ignored_everywhere(tmp_path: Path) -> None:
    board = """storyboard: 1
x-base: &base {duration: 6, x-note: one}
defaults: {x-a: 1, vars: {x-b: 2}}
assets: {x-c: 3}
shots:
  - {<<: *base, id: quay, prompt: A quay, x-d: [1], matrix: {x-e: 1, takes: [1, 2]}}
"""
    by_id = shots(tmp_path, board)
    assert {name: (shot.request.seconds, shot.takes) for name, shot in by_id.items()} == {
        "quay-1": (6, 1),
        "quay-2": (6, 2),
    }


def test_aliases_of_models_are_one_model(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: a, model: seedance2.0-pro, prompt: A}\n  - {id: b, prompt: B}\n"
    by_id = shots(tmp_path, board)
    assert by_id["a"].request.model == by_id["b"].request.model == "seedance-20"


def test_inputs_pass_through(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: a, inputs: {seed: 7, z: {y: [1, '{{ x }}']}}, prompt: A}\n"
    assert shots(tmp_path, board)["a"].request.inputs == (("seed", 7), ("z", {"y": [1, "{{ x }}"]}))


def test_fields_of_other_editions_need_one_that_knows_them(tmp_path: Path) -> None:
    other = edition_with(
        models={"seedance-20": {"fields": ["seed", "audio"]}}, prices=[{"model": "seedance-20", "rows": {"4k": "200"}}]
    )
    board = "storyboard: 1\nshots:\n  - {id: a, seed: 7, audio: false, resolution: 4k, prompt: A}\n"
    request = shots(tmp_path, board, CompileOptions(edition=other))["a"].request
    assert (request.seed, request.audio, request.resolution) == (7, False, "4k")
    assert codes(tmp_path, board) == ["edition-field", "edition-field", "resolution"]
    upscaled = "storyboard: 1\nshots:\n  - {id: a, upscale: 4k, prompt: A}\n"
    _, problems = compiled(tmp_path, upscaled, CompileOptions(edition=other))
    assert [(problem.code, problem.hint) for problem in problems] == [("edition-field", "write resolution: 4k")]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("duration", (4, 15, "5", "15s"), (3, 16, "16s", 5.5)),
        ("takes", (1, 20, 2.0), (0, 21, 1.5)),
        ("tags", ("[]", "[a]"), ("[null]", "a")),
    ],
)
def test_limits_at_n_and_beyond(tmp_path: Path, field: str, good: tuple[object, ...], bad: tuple[object, ...]) -> None:
    for value in good:
        assert codes(tmp_path, f"storyboard: 1\nshots:\n  - {{id: a, {field}: {value}, prompt: A}}\n") == []
    for value in bad:
        assert len(codes(tmp_path, f"storyboard: 1\nshots:\n  - {{id: a, {field}: {value}, prompt: A}}\n")) == 1


def test_the_prompt_has_at_most_4000_characters(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: a, prompt: %s}\n"
    assert codes(tmp_path, board % ("x" * 4000)) == []
    assert codes(tmp_path, board % ("x" * 4001)) == ["prompt-length"]
    assert codes(tmp_path, "storyboard: 1\nshots:\n  - {id: %s, prompt: A}\n" % ("x" * 64)) == []
    assert codes(tmp_path, "storyboard: 1\nshots:\n  - {id: %s, prompt: A}\n" % ("x" * 65)) == ["id-form"]


def test_materials_at_their_limits(tmp_path: Path) -> None:
    def board(images: int, videos: int, audio: int, seconds: float) -> str:
        names = [f"i{n}" for n in range(images)] + [f"v{n}" for n in range(videos)] + [f"s{n}" for n in range(audio)]
        kinds = {"i": ("image", "png"), "v": ("video", "mp4"), "s": ("audio", "mp3")}
        lines = [
            f"  {n}: {{{kinds[n[0]][0]}: 'https://x.example.com/{n}.{kinds[n[0]][1]}'"
            + ("" if n[0] == "i" else f", seconds: {seconds}")
            + "}"
            for n in names
        ]
        mentions = " ".join(f"@{n}" for n in names)
        return "storyboard: 1\nassets:\n" + "\n".join(lines) + f"\nshots:\n  - {{id: a, prompt: '{mentions}'}}\n"

    assert codes(tmp_path, board(9, 3, 3, 5)) == []
    assert "too-many-materials" in codes(tmp_path, board(10, 0, 0, 5))
    assert "too-many-materials" in codes(tmp_path, board(1, 4, 0, 3))
    assert "too-many-materials" in codes(tmp_path, board(1, 0, 4, 3))
    assert codes(tmp_path, board(1, 0, 3, 5.1)) == ["audio-length"]
    assert codes(tmp_path, board(0, 1, 0, 15)) == []
    assert codes(tmp_path, board(0, 1, 0, 15.1)) == ["video-length"]


@pytest.mark.parametrize("field", ["prompt", "scene", "notes", "wrap"])
def test_a_number_where_text_belongs_is_told_to_be_quoted(tmp_path: Path, field: str) -> None:
    fields = {"id": "quay", "prompt": "A quay", field: "10"}
    board = "storyboard: 1\nshots:\n  - {" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}\n"
    _, problems = compiled(tmp_path, board)
    assert [(problem.code, problem.hint) for problem in problems] == [("wrong-type", 'write "10" in quotes')]


def test_eight_faults_are_told_in_one_run_in_file_order(tmp_path: Path) -> None:
    board = """storyboard: 1
lenght: 38
assets:
  maria: {image: none.png}
shots:
  - id: quay
    prompt: Maria says: "no"
  - id: quay
    prompt: A quay
  - id: roofs
    duration: 20
    prompt: "{{ cty }} roofs"
  - id: sea
    prompt: "@mari at sea"
    takes: 1
    takes: 2
  - id: tram
    prompt: the tram #28
"""
    assert codes(tmp_path, board) == [
        "unknown-field",
        "file-missing",
        "yaml-colon",
        "id-taken",
        "wrong-value",
        "undefined-variable",
        "unknown-name",
        "duplicate-key",
        "lost-comment",
    ]


def test_an_include_is_validated_as_one(tmp_path: Path) -> None:
    assert codes(tmp_path, "vars: {a: 1}\nassets: {door: none.png}\ndefaults: {wrap: '{{ prompt'}\n") == [
        "file-missing",
        "template-syntax",
    ]


def test_the_same_files_give_the_same_batch(tmp_path: Path) -> None:
    for name in ("a", "b", "door"):
        picture(tmp_path / f"{name}.png")
    board = f"storyboard: 1\n{ASSETS}shots:\n  - {{id: q, prompt: '@maria at @door {{{{ mood }}}}', tags: [x, y]}}\n"
    (tmp_path / "board.yaml").write_text(board + (MATRIX % "").split("shots:\n")[1])
    code = (
        "import sys; from pathlib import Path\n"
        "from runner.language.compiler import CompileOptions, compile\n"
        "root = Path(sys.argv[1]); print(compile([root / 'board.yaml'], root, CompileOptions()))\n"
    )
    batches = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(language.__file__).parents[2])},
            cwd=folder,
        ).stdout
        for seed, folder in (("0", "/"), ("1", str(tmp_path)), ("77", "/"))
    }
    assert len(batches) == 1


def test_remote_materials_are_their_address(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: a, references: ['https://x.example.com/a.png'], prompt: '@image1'}\n"
    assert shots(tmp_path, board)["a"].request.materials == (RemoteFile("https://x.example.com/a.png", "image"),)
