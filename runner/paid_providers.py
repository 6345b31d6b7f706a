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
    base_url_variable: str
    """The variable that names another host."""
    key_variables: tuple[str, ...]
    """The variables that may hold the API key; the first is the one that messages name."""
    editions: tuple[str, ...]
    """The names of the editions of its contract, in the order in which they are listed; the first is the default."""
    is_default: bool = False
    """Whether the sandbox serves this provider's API, and prices free films as this provider would."""
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


def paid_provider(
    name: str = "sandbox", providers: "tuple[ProviderDescription, ...] | None" = None
) -> ProviderDescription:
    """The paid provider of this name; for the sandbox the default one, whose API it serves.

    Raises ValueError for another name, or where not exactly one is the default.
    """
    descriptions = paid_providers() if providers is None else providers
    matches = [other for other in descriptions if (other.is_default if name == "sandbox" else other.name == name)]
    if len(matches) != 1:
        raise ValueError(f"{len(matches)} of {len(descriptions)} paid providers answer to {name!r}")
    return matches[0]


def paid_provider_name() -> str:
    """The name of the default paid provider."""
    return paid_provider().name


def settings_section() -> str:
    """The section of the settings files with the default paid provider's own settings: `providers.NAME`."""
    return f"providers.{paid_provider_name()}"
