"""Removal of the API key, and of links to materials, before texts of a host are stored or shown: it may echo both."""

import base64
import json
import re
from urllib.parse import quote

from runner.lazy_dataclass import replace
from runner.lazy_pattern import lazy_pattern
from runner.providers.transport.http_result import HttpResult
from runner.settings.api_key import ApiKey

PLACEHOLDER = "[key]"
_LINK = lazy_pattern(r"""(https?://)(?:[^\s/?#@"'<>]*@)?([^\s/?#@"'<>]+)[/?#][^\s"'<>]*(?<![.,;:)\]])""", re.IGNORECASE)


def key_encodings(key: ApiKey) -> list[bytes]:
    """The key in every encoding that a text may contain: plain, JSON-escaped, percent-encoded, base64."""
    plain = key.secret.encode()
    escaped = json.dumps(key.secret)[1:-1].encode()
    quoted = [quote(key.secret, safe=safe).encode() for safe in ("", "/")]
    # Without the padding of base64: in the middle of a longer text the key has none.
    return list(dict.fromkeys([plain, escaped, *quoted, base64.b64encode(plain).rstrip(b"=")]))


def redact_result(answer: HttpResult, key: ApiKey) -> HttpResult:
    """An answer with every encoding of the key replaced in body, headers and error text."""
    encodings = key_encodings(key)
    body = answer.body
    for encoding in encodings:
        body = body.replace(encoding, PLACEHOLDER.encode())
    headers = tuple((_hide(name, encodings), _hide(value, encodings)) for name, value in answer.headers)
    return replace(answer, body=body, headers=headers, error=_hide(answer.error, encodings))


def redact_text(text: str, key: ApiKey) -> str:
    """A text with every encoding of the key replaced."""
    return _hide(text, key_encodings(key))


def without_links(text: str) -> str:
    """A text whose addresses end after their host: a path or query may open a material to whoever reads it."""
    return _LINK.sub(r"\1\2/…", text)


def _hide(text: str, encodings: list[bytes]) -> str:
    for encoding in encodings:
        text = text.replace(encoding.decode(), PLACEHOLDER)
    return text
