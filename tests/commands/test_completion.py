"""TAB completes commands, flags and the words of storyboards in bash, zsh and fish, without starting the program."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from tests import requirements
from tests.builders.content_repo import ContentRepo, content

FILM = """\
storyboard: 1
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
profiles:
  draft: {model: seedance2-fast}
shots:
  - {id: quayside, scene: harbour, tags: [hero], takes: 3, prompt: Sunrise over the quay}
  - {id: boats, scene: "Act 1: water", tags: ["$(touch hacked)", night], prompt: Boats leave the harbour}
"""
BOARD = "storyboards/film.yaml"
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\x07\r]")


class Shell:
    """A shell at a terminal, in a repository, that has read the completion script."""

    def __init__(self, film: ContentRepo, command: str, *arguments: str) -> None:
        env = film.env(TERM="dumb", HOME=str(film.root.parent), HISTFILE="")
        self.commands = 0
        self.child = pexpect.spawn(
            requirements.command(command), list(arguments), cwd=str(film.root), env=env, encoding="utf-8", timeout=30,
            dimensions=(50, 300),
        )  # fmt: skip

    def run(self, line: str) -> None:
        """Run a line to its end, which an echo of its own tells."""
        self.commands += 1
        self.child.sendline(f"{line}; echo end''of{self.commands}")
        self.child.expect_exact(f"endof{self.commands}")

    def completed(self, line: str, end: str) -> str:
        """What stands on the line after TAB was pressed behind `line`; `end` is what the completion ends with."""
        self.child.send(f"{line}\t")
        return self._typed_until(end)

    def stays_silent(self, line: str) -> str:
        """What the terminal shows of a line on which TAB finds nothing, up to a word typed after it."""
        self.child.send(f"{line}\tand more")
        return self._typed_until("and more")

    def _typed_until(self, end: str) -> str:
        self.child.expect_exact(end)
        text = f"{self.child.before}{end}"
        self.child.sendcontrol("u")
        self.run("true")
        return _CODES.sub("", text)


def bash(film: ContentRepo, script: Path) -> Shell:
    shell = Shell(film, "bash", "--norc", "--noprofile", "-i")
    shell.run("bind 'set enable-bracketed-paste off'")
    shell.run(f"source {script}")
    return shell


def zsh(film: ContentRepo, script: Path) -> Shell:
    script.rename(script.with_name("_storyboard"))
    shell = Shell(film, "zsh", "-f", "-i")
    shell.run("unset zle_bracketed_paste")
    shell.run(f"fpath=({script.parent} $fpath); autoload -U compinit; compinit -u -D")
    return shell


def fish(film: ContentRepo, script: Path) -> Shell:
    shell = Shell(film, "fish", "--no-config", "-i")
    shell.run(f"source {script}")
    return shell


SHELLS: dict[str, Callable[[ContentRepo, Path], Shell]] = {"bash": bash, "zsh": zsh, "fish": fish}


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, FILM)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, film: ContentRepo) -> Iterator[Shell]:
    """A shell in a repository whose storyboards were validated."""
    assert film.storyboard("validate").code == 0
    script = film.root.parent / "functions" / "script"
    script.parent.mkdir()
    script.write_text(film.storyboard("completion", request.param).out, "utf-8")
    started = SHELLS[request.param](film, script)
    yield started
    started.child.close(force=True)


def test_commands_flags_and_the_words_of_storyboards_are_completed(shell: Shell, film: ContentRepo) -> None:
    film.write("price.json", "{}")
    lines = {
        "storyboard verif": "verify",
        "storyboard plan --what": "--what-if",
        "storyboard docs lang": "language",
        "storyboard run --plan pri": "price.json",
        "storyboard diff --plan pri": "price.json",
        "storyboard run --select quay": "quayside",
        "storyboard keep boa": "boats",
        "storyboard plan --select tag:he": "hero",
        "storyboard plan --exclude scene:harb": "harbour",
        "storyboard status --profile dr": "draft",
        "storyboard pick quay": "quayside",
        "storyboard pick film:qu": "film:quayside",
        "storyboard pick film:quayside no": "none",
        "storyboard run --select film:bo": "film:boats",
        "storyboard pick quayside no": "none",
    }
    assert {line: shell.completed(line, end)[-len(end) :] for line, end in lines.items()} == lines
    assert not (film.root / "hacked").exists()


def test_the_takes_of_a_shot_are_listed(shell: Shell) -> None:
    line = "storyboard pick film:quayside "
    if shell.child.command.endswith("fish"):  # whose TAB takes the first one instead of listing them
        shell.run(f"complete -C '{line}' | string match -r '^[^\\t]+' | string join ' '")
        # in no order: the list of the pager is sorted, this one is not
        listed = _CODES.sub("", str(shell.child.before)).strip().splitlines()[-1]
        assert sorted(listed.split()) == ["1", "2", "3", "none"]
    else:
        listed = shell.completed(f"{line}\t", "none")
        assert re.search(r"\b1\s+2\s+3\s+none\b", listed), repr(listed)


def test_a_retake_is_a_word_from_its_run_on(film: ContentRepo) -> None:
    for words in ([], ["--retake", "boats"]):
        assert film.storyboard("run", BOARD, "--select", "boats", *words).code == 0
    (words_file,) = (film.state / "completion").iterdir()
    retaken = [f"shot\tboats\t2\t{BOARD}", f"shot\tfilm:boats\t2\t{BOARD}"]
    for command in ("validate", "plan"):
        assert film.storyboard(command).code == 0
        assert set(retaken) <= set(words_file.read_text("utf-8").splitlines())


def test_a_broken_storyboard_completes_from_the_last_good_state_and_prints_nothing(
    shell: Shell, film: ContentRepo
) -> None:
    film.write(BOARD, f"{FILM}  - {{id: quayside\n")
    assert film.storyboard("validate").code == 3
    assert shell.completed("storyboard run --select quay", "quayside").endswith("quayside")


def test_without_words_nothing_is_completed_and_nothing_is_printed(shell: Shell, film: ContentRepo) -> None:
    (words,) = (film.state / "completion").iterdir()
    words.unlink()
    shown = shell.stays_silent("storyboard run --select quay")
    assert shown.endswith("storyboard run --select quayand more"), repr(shown)


def test_words_of_a_shell_are_kept_by_plan_too_and_lines_of_a_removed_storyboard_go(film: ContentRepo) -> None:
    film.write("storyboards/other.yaml", FILM.replace("quayside", "pier"))
    assert film.storyboard("plan").code == 0
    (words,) = (film.state / "completion").iterdir()
    assert "shot\tpier\t3\tstoryboards/other.yaml\n" in words.read_text("utf-8")
    (film.root / "storyboards/other.yaml").unlink()
    assert film.storyboard("validate", BOARD).code == 0
    assert "pier" not in words.read_text("utf-8")


def test_a_storyboard_validated_alone_keeps_the_words_of_the_others(film: ContentRepo) -> None:
    film.write("storyboards/other.yaml", FILM.replace("quayside", "pier"))
    assert film.storyboard("validate").code == 0
    assert film.storyboard("validate", BOARD).code == 0
    (words,) = (film.state / "completion").iterdir()
    names = [line.split("\t")[1] for line in words.read_text("utf-8").splitlines()]
    assert {"quayside", "pier", "draft", "hero", "harbour"} <= set(names)
    assert not [name for name in names if "$" in name or " " in name]


def test_words_that_cannot_be_kept_change_no_result(film: ContentRepo) -> None:
    film.state.write_text("a file")
    done = film.storyboard("validate")
    assert (done.code, done.err) == (0, "")
