"""The dailies page as one HTML file: template, style, script and the film, under a strict content policy. Pure."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

import jinja2

# The parts of the script, in the order in which they need each other.
_SCRIPTS = ("film.js", "player.js", "shots.js", "details.js", "page.js")
# `</script>` in a prompt would end the element, and U+2028 the line in older engines; JSON reads all of them back.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(film: Mapping[str, object]) -> str:
    """The page of a film, whose values are those of `film_json`."""
    style, script = _style(), _script()
    return _template().render(
        title=film["title"],
        policy=policy(is_served=bool(film["served"])),
        style=style,
        script=script,
        film=script_json(film),
    )


def policy(*, is_served: bool) -> str:
    """The content policy: this page's own style and script, pictures and clips beside it, and no other host."""
    # A page that is opened from disk has no origin: `'self'` matches nothing there, and its clips are `file:`.
    own = "'self'" if is_served else "'self' file:"
    return "; ".join(
        (
            "default-src 'none'",
            # The hash of these bytes, not 'unsafe-inline': what a prompt or a provider's text smuggles in never runs.
            f"script-src '{_digest(_script())}'",
            f"style-src '{_digest(_style())}'",
            # `data:` for the posters, which are in the page: one file can be sent to somebody without its folder.
            f"img-src {own} data:",
            f"media-src {own}",
            "connect-src 'self'" if is_served else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def script_json(value: object) -> str:
    """JSON that can stand in a script element: none of its text ends the element or the line."""
    # NaN is no JSON: a defect shows here, and not as a page that stays empty.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    # Half a character of a provider's text cannot be written in UTF-8; as a backslash, u and its code it is JSON again.
    return text.encode("utf-8", "backslashreplace").decode()


def data_address(content: bytes, kind: str) -> str:
    """A small file as an address of its own."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _style() -> str:
    return _read("page.css")


@cache
def _script() -> str:
    return '"use strict";\n' + "".join(_read(f"script/{name}") for name in _SCRIPTS)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(_read("page.html.j2"))


def _read(name: str) -> str:
    return resources.files("runner.show.dailies").joinpath(name).read_text("utf-8")
