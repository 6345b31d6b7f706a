"""A task that was paid for words that changed since is brought home all the same; so is a retake that was left."""

import hashlib
from collections.abc import Callable

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
QUAY, BOATS = (f"renders/film/kinovi/clips/{shot}/take-1.mp4" for shot in ("quay", "boats"))
RUN = ("run", FILM, "--yes", "--select", "quay")
Start = Callable[..., Host]


def changed(film: ContentRepo) -> None:
    film.write(FILM, (film.root / FILM).read_text().replace("Sunrise", "Noon"))


def until_brought(film: ContentRepo, there: Host) -> None:
    """Runs that look after it, once each, until it is here."""
    ends = (film.storyboard(*RUN, **there.env).code for _ in range(10))
    assert next(code for code in ends if code != 9) == 0


def contents(film: ContentRepo) -> dict[str, str]:
    """The SHA-256 of every clip that is here, by its path."""
    return {path: hashlib.sha256((film.root / path).read_bytes()).hexdigest() for path in film.clips()}


def keyless(there: Host) -> dict[str, str]:
    return {name: value for name, value in there.env.items() if name != "SEEDANCE_API_KEY"}


def kept(film: ContentRepo, there: Host) -> bool:
    """Whether the plan would leave the quay as it is."""
    [told] = film.in_process("plan", FILM, "--json", "--select", "quay", **there.env).json["storyboards"]
    return {take["action"] for shot in told["shots"] if shot["id"] == "quay" for take in shot["takes"]} == {"keep"}


def test_a_clip_of_earlier_words_is_brought_and_comes_back_with_them(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="0.5")
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    before = (paid_film.root / FILM).read_text()
    changed(paid_film)
    [beside] = paid_film.in_process("status", "--json", **there.env).json["earlier_versions"]
    assert (beside["shot"], beside["status"], beside["credits"]) == ("quay", "running", 60)
    assert "): 60 credits, task_" in " ".join(paid_film.in_process("status", **there.env).out.split())
    until_brought(paid_film, there)
    [mark] = [path.rpartition(".")[0][-8:] for path in paid_film.clips() if "earlier" in path]
    assert mark == beside["fingerprint"][:8]
    [sunrise] = [content for path, content in contents(paid_film).items() if "earlier" in path]
    noon = contents(paid_film)[QUAY]
    assert sunrise != noon
    paid_film.write(FILM, before)
    for _ in range(2):
        assert paid_film.storyboard(*RUN, "--max-credits", "0", **keyless(there)).code == 0
        assert contents(paid_film)[QUAY] == sunrise
        assert noon in contents(paid_film).values()
        assert paid_film.storyboard("verify", FILM, "--select", "quay", **there.env).code == 0
        assert kept(paid_film, there)
    [quay] = [shot for shot in paid_film.manifest(variant="kinovi")["shots"] if shot["id"] == "quay"]
    assert (QUAY, sunrise) in [(take["clip"]["path"], take["clip"]["sha256"]) for take in quay["takes"]]
    [told] = paid_film.in_process("status", "--json", **there.env).json["storyboards"]
    [shot] = [shot for shot in told["shots"] if shot["id"] == "quay"]
    assert shot["takes"][0]["clip"]["path"] == QUAY
    changed(paid_film)
    assert paid_film.storyboard(*RUN, "--max-credits", "0", **there.env).code == 0
    assert (contents(paid_film)[QUAY], sunrise in contents(paid_film).values()) == (noon, True)
    assert there.state["creates"] == 2


def test_two_shots_that_change_their_names_change_their_clips(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    made = contents(paid_film)
    assert made.keys() == {QUAY, BOATS}
    assert made[QUAY] != made[BOATS]
    before = (paid_film.root / FILM).read_text()
    turned = before.replace("id: quay", "id: other").replace("id: boats", "id: quay").replace("id: other", "id: boats")
    for text, quay, boats in ((turned, made[BOATS], made[QUAY]), (before, made[QUAY], made[BOATS])) * 2:
        paid_film.write(FILM, text)
        assert paid_film.storyboard("run", FILM, "--max-credits", "0", **keyless(there)).code == 0
        now = contents(paid_film)
        assert (now[QUAY], now[BOATS]) == (quay, boats)
        assert paid_film.storyboard("verify", FILM, **there.env).code == 0
        assert kept(paid_film, there)
    assert len(contents(paid_film)) <= 6  # each under its name, and at most once among the earlier ones of a shot
    assert there.state["creates"] == 2


def test_a_name_taken_from_a_shot_keeps_the_clip_that_was_there(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    made = contents(paid_film)
    text = (paid_film.root / FILM).read_text()
    paid_film.write(
        FILM, text[: text.index("  - id: quay")] + text[text.index("  - id: boats") :].replace("boats", "quay", 1)
    )
    assert paid_film.storyboard("run", FILM, "--max-credits", "0", **keyless(there)).code == 0
    now = contents(paid_film)
    assert now[QUAY] == made[BOATS]
    assert made[QUAY] in now.values()
    assert paid_film.storyboard("verify", FILM, **there.env).code == 0


def test_a_run_with_nothing_to_make_brings_it_or_says_that_it_waits(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="60")
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    changed(paid_film)
    paid_film.write(
        FILM, (paid_film.root / FILM).read_text().replace("  - id: quay\n", "  - id: quay\n    skip: true\n")
    )
    run = ("run", FILM, "--max-credits", "0", "--select", "quay")
    said = paid_film.storyboard(*run, "--no-wait", **there.env)
    assert said.code == 9, said.err
    assert "earlier version quay take 1, task_" in " ".join(said.out.split())
    there.advance(120)
    said = paid_film.storyboard(*run, **there.env)
    assert (said.code, len(paid_film.clips())) == (0, 1), said.err
    assert paid_film.storyboard(*run, **there.env).code == 0
    assert there.state["creates"] == 1


def test_a_retake_that_was_left_gets_its_name_by_any_run(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert paid_film.storyboard("run", FILM, "--yes", "--retake", "quay", "--no-wait", **there.env).code == 9
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    assert paid_film.clips() == [f"renders/film/kinovi/clips/quay/take-{take}.mp4" for take in (1, 2)]
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    assert there.state["creates"] == 2


def test_doubt_of_earlier_words_stays_in_status_and_its_task_is_brought(paid_film: ContentRepo, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    assert paid_film.storyboard(*RUN, **there.env).code == 6
    changed(paid_film)
    assert "unsettled: storyboard settle film:quay#1" in " ".join(
        paid_film.in_process("status", **there.env).out.split()
    )
    task = there.state["tasks"][0]["taskId"]
    assert paid_film.storyboard("settle", "film:quay#1", "--task", task, **there.env).code == 0
    until_brought(paid_film, there)
    assert [path for path in paid_film.clips() if "earlier" in path] != []
    assert paid_film.in_process("status", "--json", **there.env).json["earlier_versions"] == []


def test_what_was_declared_charged_is_billed_and_in_doubt_no_more(paid_film: ContentRepo, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    assert paid_film.storyboard(*RUN, **there.env).code == 6
    assert paid_film.storyboard("settle", "quay", "--charged", **there.env).code == 0
    [line] = paid_film.in_process("spend", "--by", "shot", "--json", **there.env).json["lines"]
    assert (line["billed"], line["in_flight"], line["unsettled"]) == (60, 0, 0)
