"""Two branches that make or change different shots merge with plain git."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runner.attempts.events import Created, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.language.model import Shot
from runner.store.manifest.composing import compose
from runner.store.manifest.document import NAME
from runner.store.manifest.reading import read
from runner.store.manifest.writing import write
from tests.builders.plans import BOARD_FILM, START, after, clip, plan, shot
from tests.manifest.conftest import with_pick

ALLEY, BOAT, QUAY = shot("alley"), shot("boat"), shot("quay")


class Branches:
    """A git repository whose only file is a manifest."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> int:
        identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(self.root), *identity, *words]
        return subprocess.run(command, capture_output=True, check=False).returncode

    def commit(self, shots: Sequence[Shot], makes: Sequence[str] = (), picks: Sequence[str] = ()) -> None:
        """Commit the manifest after a run with these shots, which makes some, and after picks."""
        path = self.root / NAME
        before = read(path, NAME, self.root)
        history = History()
        history.merge_manifest(before.attempts if before is not None else (), {})
        for step in plan(*shots, history=history).steps:
            if step.shot.id in makes:
                task = Created(f"task_{step.shot.id}_{step.shot.request.prompt}".replace(" ", "-"))
                after(history, step, SendStarted(), task, Succeeded(()), Stored(clip(step.shot.id)))
        content = compose(plan(*shots, history=history), history, BOARD_FILM, before)
        for number, name in enumerate(picks):
            content = with_pick(content, name, Pick(1, f"{number:064x}", "task", START))
        write(path, content, self.root, before)
        self.git("add", NAME)
        self.git("commit", "-qm", "A run")

    def merge(self, ours: Callable[[], None], theirs: Callable[[], None]) -> list[tuple[str, int, bool]]:
        """Each shot with the number of its takes and whether one is picked, after two branches were merged."""
        self.git("checkout", "-qb", "theirs")
        theirs()
        self.git("checkout", "-q", "main")
        ours()
        assert self.git("merge", "-q", "theirs", "-m", "Merge") == 0, (self.root / NAME).read_text()
        manifest = json.loads((self.root / NAME).read_text())
        return [(entry["id"], len(entry["takes"]), entry["picked"] is not None) for entry in manifest["shots"]]


@pytest.fixture
def branches(tmp_path: Path) -> Branches:
    made = Branches(tmp_path)
    made.commit((ALLEY, BOAT, QUAY))
    return made


ALL = (ALLEY, BOAT, QUAY)


def test_neighbours_that_are_made_on_two_branches(branches: Branches) -> None:
    merged = branches.merge(lambda: branches.commit(ALL, ["alley"]), lambda: branches.commit(ALL, ["boat", "quay"]))
    assert merged == [("alley", 1, False), ("boat", 1, False), ("quay", 1, False)]


def test_a_shot_that_is_made_and_its_neighbour_that_is_picked(branches: Branches) -> None:
    branches.commit(ALL, ["alley", "boat", "quay"])
    changed = (ALLEY, shot("boat", "at noon"), QUAY)
    merged = branches.merge(
        lambda: branches.commit(changed, ["boat"]), lambda: branches.commit(ALL, picks=["alley", "quay"])
    )
    assert merged == [("alley", 1, True), ("boat", 2, False), ("quay", 1, True)]


def test_a_shot_that_is_added_at_the_end_and_the_last_one_that_is_made(branches: Branches) -> None:
    merged = branches.merge(
        lambda: branches.commit((*ALL, shot("zenith")), ["zenith"]), lambda: branches.commit(ALL, ["quay"])
    )
    assert merged == [("alley", 0, False), ("boat", 0, False), ("quay", 1, False), ("zenith", 1, False)]


def test_a_shot_that_is_added_at_the_beginning_and_the_first_one_that_is_made(branches: Branches) -> None:
    merged = branches.merge(
        lambda: branches.commit((shot("aisle"), *ALL), ["aisle"]), lambda: branches.commit(ALL, ["alley"])
    )
    assert merged == [("aisle", 1, False), ("alley", 1, False), ("boat", 0, False), ("quay", 0, False)]


def test_a_shot_that_leaves_and_its_neighbours_that_are_made(branches: Branches) -> None:
    merged = branches.merge(lambda: branches.commit((ALLEY, QUAY)), lambda: branches.commit(ALL, ["alley", "quay"]))
    assert merged == [("alley", 1, False), ("quay", 1, False)]
