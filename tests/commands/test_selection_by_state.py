"""`--select state:…` and `+shot` through the command: only what is selected is ordered, by the state at the start."""

from collections.abc import Callable

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]


def test_what_failed_is_selected_made_once_and_then_kept(paid_film: ContentRepo, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: task, times: 1, do: {error: provider}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    first = paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    assert first.code in (0, 1), first.err
    states = paid_film.in_process("plan", FILM, "--select", "state:make", **there.env)
    assert "boats" in states.out
    rest = paid_film.storyboard("run", FILM, "--yes", "--select", "state:make", **there.env)
    assert rest.code == 0, rest.err
    creates = there.state["creates"]
    again = paid_film.storyboard("run", FILM, "--yes", "--select", "state:make", **there.env)
    assert (again.code, there.state["creates"]) == (2, creates)
    assert "no take is in state 'make' now; there are keep" in again.err


def test_a_shot_with_what_it_is_made_from_is_made_in_one_run(film: ContentRepo) -> None:
    assert film.storyboard("run", FILM, "--select", "enter").code != 0
    made = film.storyboard("run", FILM, "--select", "+enter")
    assert made.code == 0, made.err
    assert (film.root / "renders/film/sandbox/clips/enter/take-1.mp4").is_file()


def test_an_unknown_state_is_exit_2_with_the_nearest(film: ContentRepo) -> None:
    result = film.in_process("plan", FILM, "--select", "state:fialed")
    assert (result.code, "did you mean 'failed'?" in result.err) == (2, True)


def test_keep_takes_a_state(film: ContentRepo) -> None:
    assert film.storyboard("run", FILM, "--select", "quay").code == 0
    film.write(FILM, (film.root / FILM).read_text().replace("Sunrise", "Sunset"))
    kept = film.storyboard("keep", "state:make,quay")
    assert kept.code == 0, kept.err
