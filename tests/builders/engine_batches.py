"""Small batches and plans for tests of the engine."""

from collections.abc import Callable
from decimal import Decimal

from runner.attempts.events import Account
from runner.attempts.history import History
from runner.diagnostics.problem import Place
from runner.editions.edition import load
from runner.language.model import Batch, Shot, Storyboard
from runner.planning.plan import Plan
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.requests.request import Material, Mode, Request, TakeReference

PAID = Account("kinovi", "kinovi.example")
FREE = Account("sandbox", "sandbox", free=True)
PATH = "storyboards/film.yaml"


def shot(id: str, needs: tuple[str, ...] = (), takes: int = 1, prompt: str | None = None) -> Shot:
    """A shot of 4 seconds at 720p: 160 credits by the book."""
    materials: tuple[Material, ...] = tuple(TakeReference(need, "last_frame") for need in needs[:1])
    materials += tuple(TakeReference(need, "first_frame") for need in needs[1:2])
    mode: Mode = "keyframe" if materials else "text"
    request = Request("seedance-20", "720p", 4, "16:9", mode, prompt or f"a picture of {id}", materials)
    return Shot(PATH, id, request, takes, Place(PATH, 1, 1))


def batch(*shots: Shot) -> Batch:
    return Batch((Storyboard(PATH, "A film", shots),))


def planner(
    of: Batch, account: Account = PAID, missing: Callable[[str], bool] = lambda path: False
) -> Callable[[History], Plan]:
    """The plan of a batch, for any history; all clips are on disk but the `missing` ones."""
    return lambda history: build_plan(
        of,
        history,
        ProviderTerms(account, load("classic"), Decimal("0.005")),
        RepositoryFiles(lambda clip: not missing(clip.path)),
    )


def film(count: int) -> Batch:
    """So many shots that need nothing of one another."""
    return batch(*(shot(f"s{number}") for number in range(1, count + 1)))
