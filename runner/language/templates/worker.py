"""The process in which templates are rendered that could run away: no files, little memory, little time."""

import json
import os
import resource
import signal
import sys
from typing import Any

from runner.language.templates.environment import MAX_OUTPUT, NotRenderable, environment, where

CPU_SECONDS = 0.75
_MEMORY = 512 << 20
_LINE = 32 << 20


def serve() -> None:
    """Answers one line of JSON for each on standard input, until it ends. Never returns by an exception."""
    made = environment(_ask)
    made.from_string("{% for x in range(1) %}{{ x | slug }}{% endfor %}").render()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(600)
    _say({"ready": os.getpid()})
    while line := sys.stdin.readline(_LINE):
        job = json.loads(line)
        # A signal that nobody handles ends the process: the limit holds inside of C code too.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _render(made, job["text"], job["values"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        _say(answer)


def _render(made: Any, text: str, values: dict[str, Any]) -> dict[str, Any]:
    from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

    try:
        return _written(made.from_string(text), values)
    except TemplateNotFound as error:
        return {"error": "not-found", "words": error.name or "", "line": where(error)[1]}
    except TemplateSyntaxError as error:
        return {"error": "syntax", "words": error.message or "", "file": error.name, "line": error.lineno}
    except UndefinedError as error:
        return _told("undefined", error)
    except NotRenderable as error:
        return _told("not-text", error)
    except MemoryError:
        return {"error": "runaway", "words": "it needs too much memory", "line": 1}
    except Exception as error:  # noqa: BLE001 - a template can raise whatever it reaches; all of it is its author's to read
        return _told("other", error)


def _written(template: Any, values: dict[str, Any]) -> dict[str, Any]:
    parts: list[str] = []
    size = 0
    for part in template.generate(values):
        parts.append(part)
        size += len(part)
        if size > MAX_OUTPUT:
            return {"error": "runaway", "words": f"it comes to more than {MAX_OUTPUT:,} characters", "line": 1}
    return {"text": "".join(parts)}


def _told(kind: str, error: Exception) -> dict[str, Any]:
    name, line = where(error)
    words = str(error)[:300] or type(error).__name__
    return {"error": kind, "words": words, "file": name, "line": line}


def _ask(name: str) -> str | None:
    """The text of a prompt file: the parent reads it, since this process opens no file."""
    _say({"need": name})
    answer = json.loads(sys.stdin.readline(_LINE))
    text: str | None = answer["text"]
    return text


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
