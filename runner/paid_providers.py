"""The paid providers: what settings, flags, messages and screens know of them, by the names that users write."""

import importlib
import os
from functools import cache

from runner.lazy_dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = os.path.join(os.path.dirname(__file__), "providers")
_MODULE = "description"


@dataclass(frozen=True, slots=True)
class ProviderDescription:
    """A paid provider, as its folder `providers/NAME/` describes it in `description.DESCRIPTION`."""

    name: str
    """The name in settings, flags, ledger and folders of outputs, and of the provider's folder."""
    base_url: str
    """The host of the documentation's examples; only the environment can name another."""
    key_variables: tuple[str, ...]
    """The variables that may hold the API key; the first is the one that messages name."""
    editions: tuple[str, ...]
    """The names of the editions of its contract, in the order in which they are listed; the first is the default."""
    reads_shot_text: bool = False
    """Whether the provider declares to read the words of a shot that its request does not hold (`ShotText`)."""

    @property
    def edition_folder(self) -> "Path":
        """The folder of the editions' data files, `NAME.toml`."""
        from pathlib import Path

        return Path(_FOLDER, self.name, "data")


@cache
def paid_providers() -> tuple[ProviderDescription, ...]:
    """All paid providers, by name: each folder of `providers/` with a description is one."""
    names = sorted(name for name in os.listdir(_FOLDER) if os.path.isfile(f"{_FOLDER}/{name}/{_MODULE}.py"))
    return tuple(importlib.import_module(f"runner.providers.{name}.{_MODULE}").DESCRIPTION for name in names)


def paid_provider() -> ProviderDescription:
    """The provider that is paid for; there is one so far."""
    (provider,) = paid_providers()
    return provider


def paid_provider_name() -> str:
    """The name of the provider that is paid for."""
    return paid_provider().name


def settings_section() -> str:
    """The section of the settings files with the paid provider's own settings: `providers.NAME`."""
    return f"providers.{paid_provider_name()}"
