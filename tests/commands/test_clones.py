"""The first run of a clone with an empty ledger takes over what the manifest names, whatever the prompts say."""

from collections.abc import Callable

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import PAID_FILM, Host
from tests.commands.test_never_twice import clone_with_renders, committed, fresh
from tests.commands.test_repository_names import FILM, QUAY

Start = Callable[..., Host]
NOON = PAID_FILM.replace("Sunrise", "Noon")


def ran(film: ContentRepo, there: Host, text: str) -> None:
    film.write(FILM, text)
    assert film.storyboard(*QUAY, **there.env).code == 0
    committed(film)


def test_a_prompt_that_was_put_back_costs_the_first_run_of_a_clone_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    ran(paid_film, there, PAID_FILM)
    ran(paid_film, there, NOON)
    other, state = fresh(paid_film, "other")
    other.write(FILM, PAID_FILM)
    said = other.storyboard(*QUAY, **there.env | state)
    assert said.code == 0, said.err
    assert there.state["creates"] == 2


def test_after_a_merge_of_two_branches_the_first_run_of_a_clone_pays_nothing(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    ran(paid_film, there, PAID_FILM)
    paid_film.git("checkout", "-qb", "boats")
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "boats", **there.env).code == 0
    committed(paid_film)
    paid_film.git("checkout", "-q", "-")
    ran(paid_film, there, NOON)
    paid_film.git("merge", "-q", "-X", "theirs", "-m", "merged", "boats")
    other, state = fresh(paid_film, "other")
    for text in (NOON, PAID_FILM):
        other.write(FILM, text)
        said = other.storyboard("run", FILM, "--no-cut", "--yes", **there.env | state)
        assert (said.code, "does not know attempt" in said.err) == (0, False), said
    assert there.state["creates"] <= 4


def test_a_retake_in_a_clone_without_clips_counts_the_shots_as_status_does(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    committed(paid_film)
    other, state = fresh(paid_film, "other")
    ended = other.storyboard("run", FILM, "--no-cut", "--retake", "quay", "--yes", **there.env | state)
    assert ended.code == 0, ended.err
    assert "2 of 2 shots" in ended.out
    assert "2 of 2 shots made" in other.storyboard("status", FILM, **there.env | state).out


def test_in_a_second_working_tree_the_whole_film_has_its_whole_price(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    ran(paid_film, there, PAID_FILM)
    plan = clone_with_renders(paid_film, "other").in_process("plan", FILM, **there.env)
    sums = [line.split() for line in plan.out.splitlines() if line.startswith(("  now ", "  whole film "))]
    assert sums == [["now", "1", "4", "60", "$0.30"], ["whole", "film", "2", "8", "120", "$0.60"]], plan.out
