"""Reads the history of a batch: from the ledger, and from the manifests beside the clips."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from runner.animatic.drawing_version import DRAWING_VERSION
from runner.app.ledger_reading import existing_ledger
from runner.app.manifest_files import ManifestFiles
from runner.attempts.attempt import Attempt
from runner.attempts.history import History
from runner.garbage_collection import collection_off
from runner.language.model import Batch, Storyboard
from runner.lazy_dataclass import dataclass
from runner.settings.settings import Settings
from runner.store.git import Repository
from runner.store.manifest.document import Manifest
from runner.store.manifest.other_profiles import manifests_of_other_profiles

if TYPE_CHECKING:
    from runner.store.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """The sources of a batch's history: the account and the repository in the ledger, and the manifests."""

    settings: Settings
    batch: Batch
    manifests: ManifestFiles
    repository: Repository

    def read(self, everything: bool = False) -> History:
        """The history of the batch, or of all that this repository ordered, from ledger and manifests; writes nothing.

        The ledger stays open for the lookups of the history.
        """
        ledger = existing_ledger(self.settings)
        # The history stays in memory until the end.
        with collection_off(keep=True):
            return self.with_manifests(History() if ledger is None else self.of_ledger(ledger, everything))

    def first_version_names(self, ledger: "Ledger") -> tuple[str, ...]:
        """The names that the first version gave this repository; none if no row of this account stands under them."""
        return self.repository.root_commits if ledger.is_known_by_commit(self.settings.account) else ()

    def of_ledger(self, ledger: "Ledger", everything: bool = False) -> History:
        """The ledger's history of the batch's storyboards, or of all that this repository ordered."""
        # By storyboard: a ledger of years is not read for the plan of one film.
        storyboards = None if everything else [storyboard.path for storyboard in self.batch.storyboards]
        names = self.first_version_names(ledger)
        return ledger.history(self.settings.account, str(self.settings.root), *names, storyboards=storyboards)

    def with_manifests(self, history: History) -> History:
        """Merge the manifests into the ledger's history, which is told the version of this program's drawing."""
        history.drawing = DRAWING_VERSION if self.settings.account.free else None
        for storyboard in self.batch.storyboards:
            contents = self.manifests.read(storyboard)
            if contents is not None:
                history.merge_manifest(
                    self._attempts_that_count(contents, history),
                    {(storyboard.film, shot): pick for shot, pick in contents.picks.items()},
                )
            for other in self._manifests_of_other_profiles(storyboard):
                history.merge_manifest(other.attempts, {})
        return history

    def _manifests_of_other_profiles(self, storyboard: Storyboard) -> Iterable[Manifest]:
        """The manifests of profiles that the batch does not have; at a free account none counts."""
        account, root = self.settings.account, self.settings.root
        # Clips of the sandbox cost nothing, so that those of another profile save nothing.
        if account.free:
            return ()
        films = [storyboard.film for storyboard in self.batch.storyboards]
        folders = [self.settings.output_folder(film) for film in films if film.storyboard == storyboard.path]
        return manifests_of_other_profiles(folders, storyboard.path, (account.provider, account.host), root)

    def _attempts_that_count(self, contents: Manifest, history: History) -> Iterable[Attempt]:
        """The attempts of a manifest of which it may tell more than the history has.

        At a free account only those with a request: nobody can confirm the others.
        """
        own = history.own_by_task()
        # Of a task that the ledger has, a manifest tells only what its clip is kept for; two entries of one task may
        # differ in that.
        news = {
            take.task_id
            for take in contents.takes
            if (attempt := own.get(take.task_id or "")) is None or attempt.kept_for != take.kept_for
        }
        attempts = (take.attempt() for take in contents.takes if take.task_id in news)
        return (attempt for attempt in attempts if not (self.settings.account.free and attempt.needs_confirmation))
