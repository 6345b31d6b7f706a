"""One storyboard whose manifest is another host's, or is broken, holds up none of the others."""

from collections.abc import Callable
from pathlib import Path

from tests.builders.content_repo import ContentRepo, clone
from tests.commands.conftest import PAID_FILM, Host

FILM, STRANGE = "storyboards/film.yaml", "storyboards/strange.yaml"
Start = Callable[..., Host]
NOT_MADE = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: false, answer: none}}\n"


def beside_another_hosts(film: ContentRepo, host: Start) -> Host:
    """A film with an order in doubt, and one whose clips another host made."""
    film.write(STRANGE, PAID_FILM.replace("Sunrise", "Noon"))
    assert film.storyboard("run", STRANGE, "--yes", "--select", "quay", **host().env).code == 0
    there = host("--faults", str(film.write("faults.yaml", NOT_MADE)))
    assert film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 6
    return there


def test_doubt_is_listed_and_ended_beside_another_hosts_manifest(paid_film: ContentRepo, host: Start) -> None:
    there = beside_another_hosts(paid_film, host)
    listed = paid_film.storyboard("settle", "--json", **there.env)
    assert [each["shot"] for each in listed.json["unsettled"]] == ["quay"]
    assert listed.code == 3
    assert "storyboards/strange.yaml is left out: renders/strange/kinovi/manifest.json was made at kinovi" in listed.err
    assert paid_film.storyboard("settle", "film:quay", "--not-charged", **there.env).code == 0
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert there.state["creates"] == 1


def test_status_and_the_bill_tell_of_the_others(paid_film: ContentRepo, host: Start) -> None:
    there = beside_another_hosts(paid_film, host)
    said = paid_film.storyboard("status", **there.env)
    assert said.code == 3
    assert "settle film:quay" in " ".join(said.out.split())
    assert "storyboards/strange.yaml is left out" in said.err
    assert "use that host again, or set another `output` in storyboard.toml" in " ".join(said.err.split())
    told = paid_film.storyboard("status", "--json", **there.env).json
    assert [board["path"] for board in told["storyboards"]] == [FILM]
    assert paid_film.storyboard("status", STRANGE, **there.env).code == 3
    assert "60" in paid_film.storyboard("spend", **there.env).out


def test_doubt_outlives_the_storyboard_that_it_was_ordered_for(paid_film: ContentRepo, host: Start) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", NOT_MADE)))
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 6
    (paid_film.root / FILM).unlink()
    assert paid_film.storyboard("settle", **there.env).code == 6
    assert "60" in paid_film.storyboard("spend", **there.env).out
    assert paid_film.storyboard("settle", "film:quay", "--not-charged", **there.env).code == 0
    assert paid_film.storyboard("settle", **there.env).code == 0


def test_doubt_here_beside_a_task_that_was_pulled_is_exit_6_and_can_be_that_task(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", NOT_MADE)))
    run = ("run", FILM, "--yes", "--select", "quay")
    assert paid_film.storyboard(*run, **there.env).code == 6
    other = clone(paid_film, "other")
    away = there.env | {"STORYBOARD_STATE": str(other.root.parent / "away")}
    assert other.storyboard(*run, "--no-wait", **away).code == 9
    pulled = other.manifest(variant="kinovi")
    [task] = [take["task_id"] for shot in pulled["shots"] for take in shot["takes"]]
    manifest = "renders/film/kinovi/manifest.json"
    paid_film.write(manifest, (other.root / manifest).read_text())
    assert paid_film.storyboard(*run, **there.env).code == 6
    kept = [take["task_id"] for shot in paid_film.manifest(variant="kinovi")["shots"] for take in shot["takes"]]
    assert sorted(kept, key=str) == [None, task]
    said = paid_film.storyboard("settle", "quay", "--task", task, **there.env)
    assert said.code == 0, said.err
    assert paid_film.storyboard(*run, **there.env).code == 0
    assert there.state["creates"] == 1


def test_several_doubts_of_one_take_are_told_apart_and_settled_one_by_one(paid_film: ContentRepo, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: create, times: 2, do: {made: true, status: 500, message: retry later}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)))
    paid_film.write("storyboard.toml", '[providers.kinovi]\nserver_error = "settle"\n')
    run = ("run", FILM, "--yes", "--select", "quay")
    assert paid_film.storyboard(*run, **there.env).code == 6
    assert paid_film.storyboard("settle", "quay", "--charged", **there.env).code == 0
    assert paid_film.storyboard(*run, **there.env).code == 6
    assert paid_film.storyboard("settle", "quay", "--charged", **there.env).code == 0
    said = paid_film.storyboard("settle", "quay", "--undo", **there.env)
    assert said.code == 2
    lines = [line.split() for line in said.err.splitlines() if "storyboard settle film:quay#1@" in line]
    assert len(lines) == 2
    for _, _, name, *_ in lines[:1]:
        assert paid_film.storyboard("settle", name, "--undo", **there.env).code == 0
    listed = paid_film.storyboard("settle", "--json", **there.env).json["unsettled"]
    assert [each["attempt"][:8] for each in listed] == [lines[0][2][-8:]]


def test_a_task_of_another_repository_is_not_taken_over_not_even_in_words(
    paid_film: ContentRepo, host: Start, tmp_path: Path
) -> None:
    there = host("--faults", str(paid_film.write("faults.yaml", NOT_MADE)))
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 6
    strange = ContentRepo(tmp_path / "strange")
    strange.write(FILM, PAID_FILM.replace("Sunrise", "Noon"))
    strange.git("init", "-q")
    strange.git("add", ".")
    strange.git("commit", "-qm", "another film")
    assert strange.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    [task] = [task["taskId"] for task in there.state["tasks"]]
    said = paid_film.storyboard("settle", "quay", "--task", task, **there.env)
    assert said.code == 2
    assert f"{task} belongs to another attempt already: nothing was changed" in said.err
    assert paid_film.storyboard("settle", **there.env).code == 6
