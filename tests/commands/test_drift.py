"""The drift brake: a bill that differs from the quote stops new tasks and says which row of the book is wrong."""

from collections.abc import Callable

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"


def test_a_bill_above_the_quote_stops_new_tasks_and_names_the_row(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    rules = paid_film.write("faults.yaml", "faults: 1\nrules:\n  - {on: task, times: 1, do: {credits: 99}}\n")
    there = host("--faults", str(rules))
    said = paid_film.storyboard("run", FILM, "--yes", "--concurrency", "1", **there.env)
    assert said.code == 4, said.err
    assert there.state["creates"] == 1
    told = " ".join((said.out + said.err).split())
    assert "99" in told
    assert "60" in told
    assert "seedance-20 480p" in told


def test_a_bill_of_earlier_words_stops_new_tasks_too(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    rules = paid_film.write("faults.yaml", "faults: 1\nrules:\n  - {on: task, times: 1, do: {credits: 99}}\n")
    there = host("--faults", str(rules))
    run = ("run", FILM, "--yes")
    assert paid_film.storyboard(*run, "--select", "quay", "--no-wait", **there.env).code == 9
    paid_film.write(FILM, (paid_film.root / FILM).read_text().replace("Sunrise", "Noon"))
    there.wait_for_tasks()
    said = paid_film.storyboard(*run, **there.env)
    assert said.code == 4, said.err
    assert "the price book is wrong at seedance-20 480p" in " ".join((said.out + said.err).split())
    assert there.state["creates"] == 1
    assert len(paid_film.clips()) == 1
    assert paid_film.storyboard(*run, **there.env).code == 0
    assert there.state["creates"] == 3
