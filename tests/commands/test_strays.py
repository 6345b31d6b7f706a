"""A task that was paid for words that changed since is brought home all the same; so is a retake that was left."""

from collections.abc import Callable

import httpx

from tests.commands.conftest import KEY, Host
from tests.commands.content import Content

FILM = "storyboards/film.yaml"
RUN = ("run", FILM, "--yes", "--select", "quay")
Start = Callable[..., Host]


def changed(film: Content) -> None:
    film.write(FILM, (film.root / FILM).read_text().replace("Sunrise", "Noon"))


def until_brought(film: Content, there: Host) -> None:
    """Runs that look after it, once each, until it is here."""
    ends = (film.storyboard(*RUN, **there.env).code for _ in range(10))
    assert next(code for code in ends if code != 9) == 0


def test_a_clip_of_earlier_words_is_brought_and_comes_back_with_them(paid_film: Content, host: Start) -> None:
    there = host(seconds="0.5")
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    before = (paid_film.root / FILM).read_text()
    changed(paid_film)
    [beside] = paid_film.storyboard("status", "--json", **there.env).json["storyboards"][0]["beside"]
    assert (beside["shot"], beside["stands"], beside["credits"]) == ("quay", "resume", 60)
    assert "not asked for now: 60 credits" in " ".join(paid_film.storyboard("status", **there.env).out.split())
    until_brought(paid_film, there)
    [mark] = [path.rpartition(".")[0][-8:] for path in paid_film.clips() if "earlier" in path]
    assert mark == beside["fingerprint"][:8]
    paid_film.write(FILM, before)
    assert paid_film.storyboard(*RUN, "--max-credits", "0", **there.env).code == 0
    assert paid_film.storyboard("verify", FILM, "--select", "quay", **there.env).code == 0
    assert there.state["creates"] == 2


def test_a_run_with_nothing_to_make_brings_it_or_says_that_it_still_runs(paid_film: Content, host: Start) -> None:
    there = host(seconds="60")
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    changed(paid_film)
    paid_film.write(
        FILM, (paid_film.root / FILM).read_text().replace("  - id: quay\n", "  - id: quay\n    skip: true\n")
    )
    run = ("run", FILM, "--max-credits", "0", "--select", "quay")
    said = paid_film.storyboard(*run, **there.env)
    assert said.code == 9, said.err
    assert "earlier quay take 1 of earlier words, task_" in " ".join(said.out.split())
    clock = httpx.post(
        f"{there.base_url}/__sandbox/clock",
        json={"advance": 120},
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=10,
    )
    assert clock.status_code == 200
    said = paid_film.storyboard(*run, **there.env)
    assert (said.code, len(paid_film.clips())) == (0, 1), said.err
    assert paid_film.storyboard(*run, **there.env).code == 0
    assert there.state["creates"] == 1


def test_a_retake_that_was_left_gets_its_name_by_any_run(paid_film: Content, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert paid_film.storyboard("run", FILM, "--yes", "--retake", "quay", "--no-wait", **there.env).code == 9
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert paid_film.clips() == [f"renders/film/kinovi/clips/quay/take-{take}.mp4" for take in (1, 2)]
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    assert there.state["creates"] == 2


def test_doubt_of_earlier_words_stays_in_status_and_its_task_is_brought(paid_film: Content, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    assert paid_film.storyboard(*RUN, **there.env).code == 6
    changed(paid_film)
    assert "in doubt: storyboard settle film:quay#1" in " ".join(
        paid_film.storyboard("status", **there.env).out.split()
    )
    task = there.state["tasks"][0]["taskId"]
    assert paid_film.storyboard("settle", "film:quay#1", "--task", task, **there.env).code == 0
    until_brought(paid_film, there)
    assert [path for path in paid_film.clips() if "earlier" in path] != []
    assert paid_film.storyboard("status", "--json", **there.env).json["storyboards"][0]["beside"] == []


def test_what_was_declared_charged_is_billed_and_in_doubt_no_more(paid_film: Content, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    assert paid_film.storyboard(*RUN, **there.env).code == 6
    assert paid_film.storyboard("settle", "quay", "--charged", **there.env).code == 0
    [line] = paid_film.storyboard("spend", "--by", "shot", "--json", **there.env).json["lines"]
    assert (line["billed"], line["doubt"]) == (60, 0)
