"""The cloud's own variables: endpoint and credentials of a store, which only the store's client gets."""

import os
from collections.abc import Mapping

# By prefix: each cloud has dozens of them, and adds more.
_PREFIXES = ("AWS_", "GOOGLE_", "AZURE_")


def cloud_variables(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of S3, GCS and Azure."""
    env = os.environ if environ is None else environ
    return {name: text for name, text in env.items() if name.startswith(_PREFIXES)}
