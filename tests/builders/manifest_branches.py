"""Random histories of a manifest on two branches: runs, renames, picks, orders that nobody has settled."""

import hashlib
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.attempts.events import (
    Created,
    Event,
    Failed,
    Intent,
    OutcomeUnknown,
    Payload,
    SendStarted,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.language.model import Shot
from runner.planning.plan import Step
from runner.store.manifest.composing import compose
from runner.store.manifest.document import Manifest
from runner.store.manifest.layout import layout
from runner.store.manifest.reading import parse
from tests.builders.plans import BOARD, BOARD_FILM, START, clip, plan, renamed, shot
from tests.manifest.conftest import with_pick

NAME = "renders/film/kinovi/manifest.json"


@dataclass
class Branch:
    """One branch: its storyboard, its manifest, and the time of its last command."""

    name: str
    chance: random.Random
    shots: list[Shot] = field(default_factory=lambda: [shot(name, takes=2) for name in ("alley", "boat", "quay")])
    manifest: Manifest | None = None
    now: datetime = START
    tasks: int = 0

    def split(self, name: str) -> "Branch":
        return replace(self, name=name, shots=list(self.shots), chance=random.Random(self.chance.random()))

    def change(self, times: int) -> None:
        for _ in range(times):
            self.now += timedelta(minutes=self.chance.randint(1, 90))
            change = self.chance.choice(
                [self.run, self.run, self.run, self.rewrite, self.pick, self.pick, self.rename, self.add, self.remove]
            )
            change()

    def run(self) -> None:
        """Make some takes: most come, some fail, run on, or are unsettled."""
        history = self.history()
        for step in plan(*self.shots, history=history).steps:
            if step.is_billable and self.chance.random() < 0.7:
                self.order(history, step)
        self.write(history)

    def order(self, history: History, step: Step) -> None:
        self.tasks += 1
        task = f"task_{self.name}_{self.tasks}"
        mark = hashlib.sha256(task.encode()).hexdigest()
        came = (Created(task), Succeeded(()), Stored(replace(clip(step.shot.id, step.take), sha256=mark)))
        endings: list[tuple[Payload, ...]] = [
            came,
            came,
            came,
            (Created(task),),
            (Created(task), Failed("provider", "busy")),
        ]
        ending = self.chance.choice([*endings, (OutcomeUnknown("the line broke"),)])
        intent = Intent(
            storyboard=BOARD, shot=step.shot.id, take=step.take, fingerprint=step.fingerprint or "",
            request=step.neutral_request(), body="{}", quoted=step.price.credits or Decimal(0),
            edition="classic", key_id="0" * 8, webhook_token="r", run="run-1",
        )  # fmt: skip
        for payload in (intent, SendStarted(), *ending):
            self.now += timedelta(seconds=1)
            history.apply(Event(self.now, f"{self.name}-{self.tasks}", payload))

    def rewrite(self) -> None:
        index = self.chance.randrange(len(self.shots))
        old = self.shots[index]
        self.shots[index] = shot(old.id, f"{old.id} at {self.chance.choice(['noon', 'dusk', 'night'])}", takes=2)
        self.run()

    def rename(self) -> None:
        index = self.chance.randrange(len(self.shots))
        self.shots[index] = renamed(self.shots[index], f"{self.shots[index].id[:8]}-{self.chance.randint(1, 9)}")
        self.distinct()

    def add(self) -> None:
        self.shots.append(shot(self.chance.choice(["mole", "pier", "yard", "zenith"]), takes=2))
        self.distinct()

    def remove(self) -> None:
        if len(self.shots) > 1:
            self.shots.pop(self.chance.randrange(len(self.shots)))
        self.write(self.history())

    def distinct(self) -> None:
        self.shots = list({shot.id: shot for shot in self.shots}.values())
        self.write(self.history())

    def pick(self) -> None:
        history = self.history()
        stored = [a for a in history.attempts.values() if a.clip is not None and a.task_id]
        if stored and self.manifest is not None:
            attempt = self.chance.choice(stored)
            bound = Pick(attempt.intent.take, attempt.intent.fingerprint, attempt.task_id, self.now)
            self.store(with_pick(self.manifest.content, attempt.intent.shot, bound))

    def history(self) -> History:
        history = History()
        if self.manifest is not None:
            picks = {(BOARD_FILM, shot): pick for shot, pick in self.manifest.picks.items()}
            history.merge_manifest(self.manifest.attempts, picks)
        return history

    def write(self, history: History) -> None:
        self.store(compose(plan(*self.shots, history=history), history, BOARD_FILM, self.manifest))

    def store(self, content: dict[str, Any]) -> None:
        self.manifest = parse(layout(content).encode(), NAME)


def random_pair(seed: int) -> tuple[Manifest, Manifest, Manifest]:
    """A manifest, and what two branches made of it."""
    start = Branch("base", random.Random(seed))
    start.run()
    start.change(start.chance.randint(0, 3))
    ours, theirs = start.split("ours"), start.split("theirs")
    for branch in (ours, theirs):
        branch.change(branch.chance.randint(1, 4))
    assert start.manifest is not None and ours.manifest is not None and theirs.manifest is not None  # noqa: PT018
    return start.manifest, ours.manifest, theirs.manifest
