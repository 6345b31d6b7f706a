"""The name of a paid provider stands in its own folder, and nowhere else in the package."""

import re
from pathlib import Path

import pytest

from runner.paid_providers import ProviderDescription, paid_providers
from runner.providers.api import ProviderApi, provider_api

PACKAGE = Path(__file__).parents[2] / "runner"


@pytest.mark.parametrize("provider", paid_providers(), ids=lambda provider: provider.name)
def test_a_providers_name_stands_only_in_its_own_folder(provider: ProviderDescription) -> None:
    own = PACKAGE / "providers" / provider.name
    elsewhere = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and not path.is_relative_to(own)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if provider.name in line.casefold()
    ]
    assert elsewhere == []


@pytest.mark.parametrize("provider", paid_providers(), ids=lambda provider: provider.name)
def test_a_dated_edition_is_named_in_its_providers_folder_and_in_the_sandboxs_rules(
    provider: ProviderDescription,
) -> None:
    own, rules = PACKAGE / "providers" / provider.name, PACKAGE / "sandbox" / "rulebook.py"
    dated = [name for name in provider.editions if name[:1].isdigit()]
    assert dated
    elsewhere = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.is_relative_to(own)
        and path != rules
        and re.search(rf"\b(?:{'|'.join(dated)})\b(?!-)", path.read_text("utf-8"))
    ]
    assert elsewhere == []


@pytest.mark.parametrize("provider", paid_providers(), ids=lambda provider: provider.name)
def test_a_providers_folder_has_its_name_and_the_data_of_its_editions(provider: ProviderDescription) -> None:
    assert provider.edition_folder.is_relative_to(PACKAGE / "providers" / provider.name)
    assert {path.stem for path in provider.edition_folder.glob("*.toml")} == set(provider.editions)


def test_a_providers_folder_implements_the_interface() -> None:
    methods = {name for name in vars(ProviderApi) if not name.startswith("_")}
    assert methods <= {name for name in dir(provider_api()) if not name.startswith("_")}
