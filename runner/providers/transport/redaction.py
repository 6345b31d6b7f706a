"""Keeps the key out of everything that is kept or shown, although a host may say it back to us."""

import base64
import json
from urllib.parse import quote

from runner.lazy_dataclass import replace
from runner.providers.transport.http_result import HttpResult
from runner.settings.api_key import ApiKey

PLACEHOLDER = "[key]"


def key_encodings(key: ApiKey) -> list[bytes]:
    """The key as it may stand in a text: as it is, escaped as JSON does, percent-encoded, in base64."""
    plain = key.secret.encode()
    escaped = json.dumps(key.secret)[1:-1].encode()
    quoted = [quote(key.secret, safe=safe).encode() for safe in ("", "/")]
    return list(dict.fromkeys([plain, escaped, *quoted, base64.b64encode(plain).rstrip(b"=")]))


def redact_result(answer: HttpResult, key: ApiKey) -> HttpResult:
    """The answer with every form of the key hidden, in body, headers and words."""
    encodings = key_encodings(key)
    body = answer.body
    for encoding in encodings:
        body = body.replace(encoding, PLACEHOLDER.encode())
    headers = tuple((_hide(name, encodings), _hide(value, encodings)) for name, value in answer.headers)
    return replace(answer, body=body, headers=headers, error=_hide(answer.error, encodings))


def redact_text(text: str, key: ApiKey) -> str:
    """A text with every form of the key hidden."""
    return _hide(text, key_encodings(key))


def _hide(text: str, encodings: list[bytes]) -> str:
    for encoding in encodings:
        text = text.replace(encoding.decode(), PLACEHOLDER)
    return text
