"""A task that the provider refuses for a material: fetched again here, and made once more only if that fails."""

from decimal import Decimal

import pytest

from runner.attempts.events import CreateResult, Failed
from runner.diagnostics.problem import ExitCode, Place
from runner.engine.run_events import RunResult
from runner.language.model import Shot
from runner.requests.request import LocalFile, Material, RemoteFile, Request
from tests.builders.engine_batches import PATH, batch, planner
from tests.builders.ledgers import LedgerHome

from .harness import EngineHarness, run_engine
from .provider import Simulated, World

MARIA = LocalFile("assets/maria.png", "a" * 64, "image", 1000)
WALTZ = RemoteFile("https://cdn.example.com/waltz.mp4", "video", Decimal(5))
REVIEW = Failed("moderation", "The asset did not pass", "asset_review_failed", Decimal(0))
DOWNLOAD = Failed("moderation", "Failed to download your reference image 1", "", Decimal(0))
TEXT = Failed("moderation", "The input text violates platform rules", "", Decimal(0))


def engine(ledgers: LedgerHome, material: Material, *failures: Failed, lost: bool) -> EngineHarness:
    """One shot with a material; its first tasks fail, and its first address is lost or can be fetched."""
    request = Request("seedance-20", "720p", 4, "16:9", "reference", "@image1 walks", (material,))
    shot = Shot(PATH, "quay", request, 1, Place(PATH, 1, 1))

    def script(body: str, count: int) -> CreateResult | Failed | str | None:
        return failures[count] if count < len(failures) else None

    address = material.url if isinstance(material, RemoteFile) else "https://files.example/1.png"
    provider = Simulated(World(script, lost_addresses={address} if lost else set()))
    return EngineHarness(ledgers, provider, planner(batch(shot)))


def result_of(harness: EngineHarness) -> RunResult:
    [result] = run_engine(harness)
    return result


@pytest.mark.parametrize("failure", [REVIEW, DOWNLOAD], ids=["review", "download"])
def test_a_material_that_cannot_be_fetched_is_published_again_and_the_take_is_made(
    ledgers: LedgerHome, failure: Failed
) -> None:
    harness = engine(ledgers, MARIA, failure, lost=True)
    result = result_of(harness)

    assert (len(result.finished), result.exit_code) == (1, ExitCode.OK)
    assert harness.provider.published == [MARIA, MARIA]
    assert result.money.ordered.billed == Decimal(160)


def test_it_is_made_once_more_and_never_a_third_time(ledgers: LedgerHome) -> None:
    harness = engine(ledgers, MARIA, REVIEW, REVIEW, lost=True)
    harness.provider.world.lost_addresses.add("https://files.example/2.png")
    result = result_of(harness)

    assert (len(result.refused), result.exit_code) == (1, ExitCode.FAILED)
    assert len(harness.provider.world.tasks) == 2


def test_a_material_that_can_be_fetched_was_refused_by_review_and_is_not_sent_again(ledgers: LedgerHome) -> None:
    harness = engine(ledgers, MARIA, DOWNLOAD, lost=False)
    result = result_of(harness)

    assert len(harness.provider.world.tasks) == 1
    [refused] = result.refused
    assert refused.message.startswith("Failed to download your reference image 1; our own fetch of its materials at ")
    assert refused.message.endswith(" UTC worked")


def test_the_words_say_what_our_own_fetch_met(ledgers: LedgerHome) -> None:
    harness = engine(ledgers, MARIA, DOWNLOAD, DOWNLOAD, lost=True)
    harness.provider.world.lost_addresses.add("https://files.example/2.png")
    [refused] = result_of(harness).refused

    assert "UTC failed: assets/maria.png: 404 (there is no such file)" in refused.message


def test_an_address_of_the_storyboard_cannot_be_published_again(ledgers: LedgerHome) -> None:
    harness = engine(ledgers, WALTZ, DOWNLOAD, lost=True)
    harness.provider.world.lost_addresses.add("https://files.example/1.png")
    [refused] = result_of(harness).refused

    assert len(harness.provider.world.tasks) == 1
    assert "cdn.example.com/waltz.mp4: 404" in refused.message


def test_a_refused_prompt_fetches_nothing(ledgers: LedgerHome) -> None:
    harness = engine(ledgers, MARIA, TEXT, lost=True)
    [refused] = result_of(harness).refused

    assert refused.message == TEXT.message
    assert len(harness.provider.world.tasks) == 1
