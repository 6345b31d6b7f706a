"""`fetch` in a clone: all that was paid for comes, also what the storyboard does not ask for now."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.builders.content_repo import CommandResult, ContentRepo
from tests.commands.conftest import Host
from tests.commands.test_never_twice import committed, fresh

FILM = "storyboards/film.yaml"
RUN = ("run", FILM, "--yes", "--select", "quay")
Start = Callable[..., Host]


def reword(film: ContentRepo, back: bool = False) -> None:
    """Other words, and another length, so that the plain clip is another one."""
    words = [("Sunrise", "Noon"), ("duration: 4", "duration: 5")]
    for old, new in [(new, old) for old, new in words] if back else words:
        film.write(FILM, (film.root / FILM).read_text().replace(old, new))


def reworded(film: ContentRepo, there: Host) -> list[str]:
    """A committed film with a clip of earlier words, one of its words now, and a retake; the hashes of all three."""
    assert film.storyboard(*RUN, **there.env).code == 0
    reword(film)
    assert film.storyboard(*RUN, **there.env).code == 0
    assert film.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env).code == 0
    committed(film)
    return sums(film)


def sums(film: ContentRepo) -> list[str]:
    return sorted(hashlib.sha256((film.root / clip).read_bytes()).hexdigest() for clip in film.clips())


def flat(said: CommandResult) -> str:
    """What stands on the screen, without its lines."""
    return " ".join(said.out.split())


def test_a_clone_gets_the_clips_of_earlier_words_too(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    whole = reworded(paid_film, there)
    other, state = fresh(paid_film, "other")
    before = other.manifest(variant="kinovi")
    foreign = "2 takes are recorded in a manifest only, not in this machine's ledger: they are kept and not paid again"
    without_key = {name: value for name, value in there.env.items() if name != "SEEDANCE_API_KEY"} | state
    for command in ("plan", "status"):
        assert foreign in flat(other.storyboard(command, FILM, **without_key))
    assert foreign in flat(other.at_terminal("run", FILM, typed="n\n", **there.env | state))
    said = other.storyboard("fetch", FILM, "--json", **there.env | state)
    assert said.code == 0, said.out + said.err
    assert [clip["verdict"] for clip in said.json["clips"]] == ["fetched"] * 3
    assert sums(other) == whole
    assert len(whole) == 3
    assert len([path for path in other.clips() if "/earlier/" in path]) == 1
    assert other.manifest(variant="kinovi") == before
    again = other.storyboard("fetch", FILM, "--json", **without_key)
    assert (again.code, {clip["verdict"] for clip in again.json["clips"]}) == (0, {"whole"}), again.err
    assert foreign not in flat(other.storyboard("plan", FILM, **without_key))
    reword(other, back=True)
    assert other.storyboard(*RUN, "--max-credits", "0", **there.env | state).code == 0
    assert there.state["creates"] == 3


def test_what_the_provider_has_deleted_of_earlier_words_is_told_and_no_failure(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    reword(paid_film)
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    shutil.rmtree(paid_film.root / "renders/film/kinovi/clips/quay/earlier")
    delete_all_media(there)
    state = {"STORYBOARD_STATE": str(paid_film.root.parent / "new")}
    for days, verdict, code in ((1, "failed", 1), (20, "gone", 0), (100, "gone", 0)):
        age(paid_film, timedelta(days=days))
        said = paid_film.storyboard("fetch", FILM, "--json", **there.env | state)
        [clip] = [clip for clip in said.json["clips"] if clip["verdict"] != "whole"]
        assert (clip["verdict"], said.code, said.json["whole"]) == (verdict, code, code == 0), said.out + said.err
        assert clip["message"].startswith("earlier version")


def age(film: ContentRepo, by: timedelta) -> None:
    """The manifest's clip of earlier words was made so long ago."""
    told = film.manifest(variant="kinovi")
    takes = [take for shot in told["shots"] for take in shot["takes"] if "request" not in take]
    for take in takes:
        take["created_at"] = take["completed_at"] = (datetime.now(UTC) - by).isoformat(timespec="seconds")
    film.write("renders/film/kinovi/manifest.json", json.dumps(told))


def delete_all_media(there: Host) -> None:
    there.advance(15 * 24 * 3600)


def test_after_a_lost_ledger_a_task_of_earlier_words_still_comes(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    reword(paid_film)
    new = there.env | {"STORYBOARD_STATE": str(paid_film.root.parent / "new")}
    ends = (paid_film.storyboard("fetch", FILM, "--json", **new) for _ in range(10))
    [clip] = next(said.json["clips"] for said in ends if said.json["clips"])
    assert clip["verdict"] == "fetched"
    assert [path for path in paid_film.clips() if "/earlier/" in path] == [clip["path"]]
    assert there.state["creates"] == 1


def test_a_take_that_runs_is_no_clip_yet_and_the_command_that_collects_it_is_named(
    paid_film: ContentRepo, host: Start
) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, "--no-wait", **there.env).code == 9
    fetched = paid_film.storyboard("fetch", FILM, **there.env)
    collect = f"storyboard run {FILM} --max-credits 0"
    assert f"1 take at the provider: {collect} collects what is done, and buys nothing" in fetched.err
    there.wait_for_tasks()
    assert paid_film.storyboard(*collect.split()[1:], **there.env).code == 4
    assert (len(paid_film.clips()), there.state["creates"]) == (1, 1)


def test_a_note_that_git_lfs_left_is_told_and_gives_way_to_the_clip(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard(*RUN, **there.env).code == 0
    [clip] = paid_film.clips()
    whole = sums(paid_film)
    paid_film.write(clip, "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    [board] = paid_film.storyboard("status", "--json", **there.env).json["storyboards"]
    assert [take["action"] for shot in board["shots"] for take in shot["takes"] if shot["id"] == "quay"] == ["keep"]
    checked = paid_film.storyboard("verify", FILM, "--select", "quay", **there.env)
    assert (checked.code, "missing" in checked.out, checked.out.endswith("  git lfs pull\n")) == (1, True, True)
    assert "a Git LFS pointer lies in its place" in checked.out
    assert paid_film.storyboard("fetch", FILM, **there.env).code == 0
    assert (sums(paid_film), there.state["creates"]) == (whole, 1)
