"""Kinovi as settings, flags, messages and screens know it."""

from runner.paid_providers import ProviderDescription

DESCRIPTION = ProviderDescription(
    name="kinovi",
    base_url="https://kinovi.ai",
    base_url_variable="SEEDANCE_BASE_URL",
    key_variables=("SEEDANCE_API_KEY", "KINOVI_API_KEY"),
    editions=("classic", "2026-09", "2026-10", "pro-site"),
    is_default=True,
)
