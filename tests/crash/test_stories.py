"""Stories over the real program: runs that are cut off anywhere, edits, two at once, settling with the truth."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from .prepared import PreparedProgram, build_library, prepared_program
from .scenario import ALL_CUTS, Provider, Scenario, sandbox_server


class Stories(RuleBasedStateMachine):
    """One film and its accidents; the state is the repository, the state folder and the provider's tasks."""

    provider: Provider
    ready: PreparedProgram
    count = 0
    ends: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        type(self).count += 1
        self.folder = Path(tempfile.mkdtemp())
        self.scenario = Scenario(self.folder / "film", f"story{self.count}", self.provider, self.ready)
        self.board = self.scenario.folder / "storyboards" / "film.yaml"

    @rule(at=st.integers(1, 750), how=st.sampled_from(ALL_CUTS))
    def a_run_that_is_cut_off(self, at: int, how: str) -> None:
        self.scenario.cut(at, how)
        self.judge()

    @rule()
    def two_runs_at_once(self) -> None:
        runs = [self.scenario.start(), self.scenario.start()]
        codes = {self.scenario.wait_for(running).code for running in runs}
        assert codes <= {0, 6, 7, 9}, self.scenario.runs[-2:]
        self.judge()

    @rule(word=st.sampled_from(["a quay at dawn", "a boat leaves", "the open sea"]), other=st.booleans())
    def an_edit(self, word: str, other: bool) -> None:
        """One prompt changes, or its first wording comes back."""
        text = self.board.read_text()
        changed = text.replace(f", {word}", f", not {word}") if other else text.replace(f", not {word}", f", {word}")
        self.board.write_text(changed)

    @rule()
    def the_manifest_is_deleted(self) -> None:
        for manifest in self.scenario.folder.rglob("manifest.json"):
            manifest.unlink()

    @rule()
    def the_user_settles_with_the_truth(self) -> None:
        for shot in ("a", "b", "c"):
            prompt = next(line.split('"')[1] for line in self.board.read_text().splitlines() if f"id: {shot}," in line)
            tasks = [task["taskId"] for task in self.provider.state()["tasks"] if task["prompt"] == prompt]
            self.scenario.program("settle", shot, *(("--task", tasks[0]) if tasks else ("--not-charged",)))

    def judge(self) -> None:
        twice = {prompt: count for prompt, count in self.provider.tasks(self.scenario.name).items() if count > 1}
        assert not twice, twice

    def teardown(self) -> None:
        try:
            self.scenario.run()
            last = self.scenario.run()
            assert self.scenario.violations() == []
            type(self).ends[{0: "whole", 6: "unsettled"}[last.code]] += 1
        finally:
            shutil.rmtree(self.folder)


def tell(library: Path, count: int, steps: int) -> None:
    with sandbox_server("--seconds", "0.2") as provider, prepared_program(library) as Stories.ready:
        Stories.provider = provider
        run_state_machine_as_test(
            Stories,
            settings=settings(
                max_examples=count, stateful_step_count=steps, derandomize=True, database=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            ),
        )  # fmt: skip
    print(Stories.count, "stories:", dict(Stories.ends))


@pytest.mark.long
def test_no_story_of_the_real_program_pays_twice_or_loses_a_clip(tmp_path: Path) -> None:
    tell(build_library(tmp_path), 100, 5)
