"""The worker process that renders costly templates with limits: nothing written, little memory, little time."""

import json
import os
import resource
import signal
import sys
from typing import Any

from runner.language.templates.environment import MAX_OUTPUT, NotRenderable, environment, error_location

CPU_SECONDS = 0.75
"""For each template; a prompt renders in milliseconds."""
# Address space, of which the interpreter with Jinja takes most.
_MEMORY_BYTES = 512 << 20
# Bytes of a job: the values of a file of 16 MiB, with quotes and escapes.
_MAX_LINE = 32 << 20


def serve() -> None:
    """Answer each line of JSON on standard input with one line, until the input ends."""
    jinja = environment(_request_prompt_file)
    # What a template may import is loaded first: an import that the limits end would look like its fault.
    jinja.from_string("{% for x in range(1) %}{{ x | slug }}{% endfor %}").render()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # Nothing is written, whatever a template finds in Jinja.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    # A worker that is killed leaves no core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _send({"ready": os.getpid()})
    while line := sys.stdin.readline(_MAX_LINE):
        job = json.loads(line)
        # Without a handler the signal ends the process, so the limit holds inside C code too.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _render(jinja, job["text"], job["values"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answer)


def _render(jinja: Any, text: str, values: dict[str, Any]) -> dict[str, Any]:
    from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

    try:
        return _render_bounded(jinja.from_string(text), values)
    except TemplateNotFound as error:
        return {"error": "not-found", "message": error.name or "", "line": error_location(error)[1]}
    except TemplateSyntaxError as error:
        return {"error": "syntax", "message": error.message or "", "file": error.name, "line": error.lineno}
    except UndefinedError as error:
        return _error_answer("undefined", error)
    except NotRenderable as error:
        return _error_answer("not-text", error)
    except MemoryError:
        return {"error": "runaway", "message": "it needs too much memory", "line": 1}
    except Exception as error:  # noqa: BLE001 - a template can raise anything, and its author must read the reason
        return _error_answer("other", error)


def _render_bounded(template: Any, values: dict[str, Any]) -> dict[str, Any]:
    parts: list[str] = []
    size = 0
    for part in template.generate(values):
        parts.append(part)
        size += len(part)
        if size > MAX_OUTPUT:
            return {"error": "runaway", "message": f"it renders more than {MAX_OUTPUT:,} characters", "line": 1}
    return {"text": "".join(parts)}


def _error_answer(kind: str, error: Exception) -> dict[str, Any]:
    name, line = error_location(error)
    # An exception may quote a value of a megabyte.
    message = str(error)[:300] or type(error).__name__
    return {"error": kind, "message": message, "file": name, "line": line}


def _request_prompt_file(name: str) -> str | None:
    """The text of a prompt file, read by the parent, whose reader keeps to the prompt folders."""
    _send({"need": name})
    answer = json.loads(sys.stdin.readline(_MAX_LINE))
    text: str | None = answer["text"]
    return text


def _send(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
