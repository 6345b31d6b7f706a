"""The last line of `storyboard validate`: the shots are those of the file, whatever is wrong with them."""

import pytest

from tests.builders.content_repo import ContentRepo

FILM = "storyboards/film.yaml"
HEAD = "storyboard: 1\nshots:\n"
COUNTS = {
    "shots by name": (HEAD + "  quay: {prompt: a}\n  boat: {prompt: b}\n", "2 shots: 1 error"),
    "shots by number": (HEAD + "  1: {prompt: a}\n  2: {prompt: b}\n  3: {prompt: c}\n", "3 shots: 1 error"),
    "one shot in place of the list": ("storyboard: 1\nshots: {id: a, prompt: b}\n", "1 shot: 1 error"),
    "texts": ("storyboard: 1\nshots: [A boat, A quay, A gull]\n", "3 shots: 3 errors in 3 shots"),
    "single mappings": (HEAD + "  - quay: {prompt: x}\n  - boat: {prompt: y}\n", "2 shots: 2 errors in 2 shots"),
    "a piece of a matrix with an unknown field": (
        HEAD + "  - {id: a, prompt: x, matrix: {n: [1, 2, 3], m: {one: {promt: y}, two: {prompt: z}}}}\n",
        "6 shots: 1 error in 6 shots",
    ),
    "an unknown field beside a matrix": (
        HEAD + "  - {id: 'a-{{ n }}', prompt: 'x {{ n }}', fps: 3, matrix: {n: [1, 2, 3]}}\n  - {id: b, prompt: y}\n",
        "4 shots: 1 error in 3 shots",
    ),
    "two errors of one shot and one of another": (
        HEAD + "  - {id: a, prompt: '@nobody', fps: 3}\n  - {id: b, prompt: y, duration: 99}\n  - {id: c, prompt: z}\n",
        "3 shots: 3 errors in 2 shots",
    ),
    "more shots than one run may have": (
        HEAD + f"  - {{id: 'a', prompt: x, matrix: {{n: {[*range(400)]}, m: {[*range(400)]}}}}}\n",
        "160,000 shots: 1 error in 160,000 shots",
    ),
}


@pytest.mark.parametrize("case", COUNTS)
def test_the_shots_of_a_file_are_counted_whatever_their_shape(film: ContentRepo, case: str) -> None:
    text, counts = COUNTS[case]
    film.write(FILM, text)
    last = film.in_process("validate", FILM).out.splitlines()[-1]
    assert last == f"1 file, {counts}"


def test_shots_by_number_are_one_problem_that_shows_their_own_first_shot(film: ContentRepo) -> None:
    film.write(FILM, HEAD + "  1: {prompt: Boats leave}\n  2: {prompt: Boats return}\n")
    result = film.in_process("validate", FILM)
    assert "error[wrong-type] `shots` is a mapping, but must be a list of mappings" in result.out
    assert '- id: "1"\n         prompt: Boats leave' in result.out
