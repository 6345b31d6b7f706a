"""The API key: sent in one header to one host, never written, never shown."""

import os
from collections.abc import Mapping

from runner.lazy_dataclass import dataclass, field
from runner.lazy_pattern import lazy_pattern
from runner.paid_providers import ProviderDescription, paid_provider, paid_providers

# No page names a length, so the bounds only tell a key from a slip. A shorter text may stand in PATH by chance.
_LEAST, _MOST = 8, 512
# Visible ASCII, as a header can carry it.
_SHAPE = lazy_pattern(rf"[\x21-\x7e]{{{_LEAST},{_MOST}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of valid shape; its `repr` hides the secret."""

    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """The first 8 hex digits of the key's SHA-256, which identify the key without revealing it."""
        import hashlib

        return hashlib.sha256(self.secret.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class KeyVariable:
    """The key as the environment has it, unchecked; the `repr` hides it."""

    name: str
    """The variable that is used, or that is to be set."""
    text: str | None = field(default=None, repr=False)
    contradicted_by: str | None = None
    """Another variable, with another key."""


def key_variables() -> tuple[str, ...]:
    """The variables that may hold the key of any paid provider."""
    return tuple(name for provider in paid_providers() for name in provider.key_variables)


def key_variables_text(provider: ProviderDescription | None = None) -> str:
    """The variables that may hold the key of a provider, or of the default one, for a message: `A or B`."""
    return " or ".join((provider or paid_provider()).key_variables)


def read_key(environ: Mapping[str, str] | None = None, provider: ProviderDescription | None = None) -> KeyVariable:
    """The key that is used at a provider, or at the default one: the first of its variables that is not empty."""
    env = os.environ if environ is None else environ
    variables = (provider or paid_provider()).key_variables
    holders = [(name, env[name]) for name in variables if env.get(name)]
    if not holders:
        return KeyVariable(variables[0])
    (name, text), *others = holders
    # Compared without blanks: a copy with a line end is the same key.
    return KeyVariable(name, text, next((other for other, value in others if value.strip() != text.strip()), None))


def key_texts(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The keys of all variables, to hide them wherever they might appear: only their length is checked."""
    env = os.environ if environ is None else environ
    texts = (env.get(name, "").strip() for name in key_variables())
    return tuple(text for text in texts if len(text) >= _LEAST)


def contradiction(key: KeyVariable) -> str:
    """The message for two variables that hold different keys; the message contains neither."""
    return (
        f"{key.name} and {key.contradicted_by} hold different keys: they may belong to two accounts, and "
        f"clips would be paid by one of them; nothing was sent. Keep one:\n  unset {key.contradicted_by}"
    )


def key_format_error(text: str) -> str | None:
    """The error in a key's shape, None if there is none; the message never contains the key."""
    if text != text.strip() or any(character in text for character in "\r\n\t "):
        return "it contains white space: copy it again without spaces and line ends"
    if text[:1] in "\"'" or text[-1:] in "\"'":
        return "it is in quotes: leave them out"
    if text.lower().startswith("bearer"):
        return "it begins with 'Bearer': leave that word out"
    if not text.isascii():
        return "it contains a character that is not ASCII: copy it again from your account"
    if _SHAPE.fullmatch(text) is None:
        return f"it has {len(text)} characters, and keys have {_LEAST} to {_MOST}: copy it again from your account"
    return None
