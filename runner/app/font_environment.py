"""The environment that fontconfig gets: without the provider's key."""

from runner.settings.environment import child_environment


def font_environment() -> tuple[tuple[str, str], ...]:
    """Names and values in order, as the choice of fonts is remembered by them."""
    return tuple(sorted(child_environment().items()))
