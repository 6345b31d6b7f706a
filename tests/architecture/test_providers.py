"""The name of a paid provider stands in its own folder, and nowhere else in the package."""

import re
from pathlib import Path

import pytest

from runner.diagnostics.failures import SettingsError
from runner.paid_providers import ProviderDescription, paid_provider, paid_providers
from runner.providers.api import ProviderApi, provider_api
from runner.settings.api_key import KeyVariable, read_key
from runner.settings.settings import base_url

PACKAGE = Path(__file__).parents[2] / "runner"
SECOND = ProviderDescription(
    name="second",
    base_url="https://second.example",
    base_url_variable="SECOND_URL",
    key_variables=("SECOND_KEY",),
    editions=("first",),
)


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
def test_a_providers_variables_stand_in_its_description_and_in_no_other_file(provider: ProviderDescription) -> None:
    variables = (provider.base_url_variable, *provider.key_variables)
    description = PACKAGE / "providers" / provider.name / "description.py"
    holders = {path for path in PACKAGE.rglob("*.py") if any(name in path.read_text("utf-8") for name in variables)}
    assert holders == {description}


def test_a_second_provider_is_named_and_leaves_the_default_as_it_is() -> None:
    both = (*paid_providers(), SECOND)
    assert paid_provider("second", both) is SECOND
    assert paid_provider("sandbox", both) is paid_provider()
    assert paid_provider(paid_provider().name, both) is paid_provider()


def test_a_provider_that_nobody_described_is_an_error() -> None:
    with pytest.raises(ValueError, match="'third'"):
        paid_provider("third", (SECOND,))


def test_a_second_provider_has_its_own_key_and_host() -> None:
    env = {"SEEDANCE_API_KEY": "made-up-canary-key", "SEEDANCE_BASE_URL": "https://first.example"}
    assert read_key(env, SECOND) == KeyVariable("SECOND_KEY")
    assert base_url(env, SECOND) == "https://second.example"
    assert base_url({**env, "SECOND_URL": "https://own.example/"}, SECOND) == "https://own.example"
    with pytest.raises(SettingsError, match="SECOND_URL must be https"):
        base_url({"SECOND_URL": "http://second.example"}, SECOND)


@pytest.mark.parametrize("provider", paid_providers(), ids=lambda provider: provider.name)
def test_a_providers_folder_has_its_name_and_the_data_of_its_editions(provider: ProviderDescription) -> None:
    assert provider.edition_folder.is_relative_to(PACKAGE / "providers" / provider.name)
    assert {path.stem for path in provider.edition_folder.glob("*.toml")} == set(provider.editions)


@pytest.mark.parametrize("provider", paid_providers(), ids=lambda provider: provider.name)
def test_a_providers_folder_implements_the_interface(provider: ProviderDescription) -> None:
    methods = {name for name in vars(ProviderApi) if not name.startswith("_")}
    assert methods <= {name for name in dir(provider_api(provider.name)) if not name.startswith("_")}
