"""News of files on their way: how many of all files have an address, and the bytes that left for them."""

from runner.attempts.attempt import Attempt
from runner.diagnostics.problem import Place
from runner.engine.ports import Published, TransferFailed
from runner.language.model import Shot
from runner.requests.request import LocalFile, Material, Request
from tests.builders.engine_batches import FREE, PATH, batch, planner
from tests.builders.ledgers import LedgerHome

from .harness import EngineHarness, run_engine
from .provider import Simulated, World

FILES = [LocalFile(f"assets/{number}.png", f"{number:064x}", "image", 1000) for number in range(3)]


class Uploads(Simulated):
    """A provider to which each file is sent."""

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        result = await super().publish(material, source)
        return Published(result.address, sent=1000) if isinstance(result, Published) else result


def shots() -> list[Shot]:
    """Six shots from three files."""
    return [
        Shot(
            PATH,
            f"s{number}",
            Request("seedance-20", "720p", 4, "16:9", "reference", f"@image1 {number}", (FILES[number % 3],)),
            1,
            Place(PATH, 1, 1),
        )
        for number in range(6)
    ]


def test_each_file_is_counted_once_with_its_bytes(ledgers: LedgerHome) -> None:
    harness = EngineHarness(ledgers, Uploads(World()), planner(batch(*shots())))
    run_engine(harness)
    news = [event.sending for event in harness.emitted if event.sending is not None]

    assert {sending.whole for sending in news} == {3}
    assert [sending.done for sending in news] == sorted(sending.done for sending in news)
    assert news[-1] == (3, 3, 3000, 0)
    assert max(sending.in_flight for sending in news) > 1


def test_a_free_provider_has_no_uploads_to_tell_of(ledgers: LedgerHome) -> None:
    harness = EngineHarness(ledgers, Uploads(World()), planner(batch(*shots()), account=FREE), account=FREE)
    run_engine(harness)

    assert all(event.sending is None for event in harness.emitted)
