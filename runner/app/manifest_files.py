"""The manifests in the outputs of one account: where each lies, and what it holds."""

import os
from functools import cached_property
from pathlib import Path

from runner.app.display_path import display_path
from runner.attempts.film import FilmName
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Storyboard
from runner.lazy_dataclass import dataclass
from runner.settings.settings import Settings
from runner.store.manifest import reading
from runner.store.manifest.document import NAME, Manifest


@dataclass(frozen=True)
class ManifestFiles:
    """The manifests of the films of a command, by its settings."""

    settings: Settings

    @cached_property
    def _read(self) -> dict[Path, Manifest | None]:
        """Cache of the manifests as they were last read: a file that did not change is not parsed again."""
        return {}

    def path(self, film: FilmName) -> Path:
        return self.settings.output_folder(film) / NAME

    def read(self, storyboard: Storyboard) -> Manifest | None:
        """A storyboard's manifest; raise `CommandError` if it belongs to another storyboard or another host."""
        account, root = self.settings.account, self.settings.root
        path = self.path(storyboard.film)
        display_name = display_path(path)
        owner = reading.Owner(str(root), storyboard.profile)
        contents = reading.read(path, display_name, root, owner, self._read.get(path))
        self._read[path] = contents
        if contents is None:
            return None
        is_of_account = (contents.provider, contents.host) == (account.provider, account.host)
        if contents.storyboard == storyboard.path and is_of_account:
            return contents
        if not contents.takes:
            return None  # nothing was made for whoever it belongs to
        # Two storyboards with one output would write over each other's takes and clips.
        if contents.storyboard != storyboard.path and os.path.exists(root / contents.storyboard):
            raise CommandError(
                ExitCode.INVALID,
                f"{display_name} belongs to {contents.storyboard}, not to {storyboard.path}: rename one, "
                "or choose another --output",
            )
        # A host is an account: tasks of another one can be neither asked for nor downloaded here.
        if not is_of_account:
            raise CommandError(
                ExitCode.INVALID,
                f"{display_name} was made at {contents.provider} ({contents.host}), and this is "
                f"{account.provider} ({account.host}): use that host again, "
                "or set another `output` in storyboard.toml",
            )
        # The storyboard that the manifest names is gone: this one is that file under its new name.
        return contents.renamed_to(storyboard.path)
