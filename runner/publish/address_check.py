"""Verdict on what a fetch of an address returned: the planned bytes, something else, or no proof either way. Pure."""

from runner.engine.ports import TransferFailed
from runner.lazy_dataclass import dataclass
from runner.media.files import UnsupportedMedia, kind_of_head
from runner.requests.fetched import Fetched, NotFetched
from runner.requests.request import Kind


@dataclass(frozen=True, slots=True)
class Expected:
    """The content that an address has to return."""

    kind: Kind
    length: int | None = None
    """Bytes; None where only the kind is known."""
    head: bytes | None = None
    """The first bytes of the file; None where they are unknown."""


Finding = TransferFailed | str
"""A definite failure; or a text about a doubt, empty when there is none."""


def judge_remote(answer: Fetched | NotFetched, expected: Expected) -> Finding:
    """The finding for an address of the storyboard: only a missing file, a wrong kind and a web page are definite."""
    if isinstance(answer, NotFetched):
        return TransferFailed(answer.message, final=True) if answer.forbidden else _doubt(answer.message)
    if answer.status in (404, 410):
        return TransferFailed(f"{_status_text(answer.status)}: correct the address", final=True)
    if not 200 <= answer.status < 300:
        return _doubt(_status_text(answer.status))
    if (message := _wrong_kind(answer.head, expected.kind)) is not None:
        return TransferFailed(message, final=True)
    return ""


def judge_published(answer: Fetched | NotFetched, expected: Expected, way: str) -> Finding:
    """The finding for an address that was published here: every answer but the planned bytes is a failure."""
    if isinstance(answer, NotFetched):
        return TransferFailed(f"its address ({way}) could not be fetched: {answer.message}", final=answer.forbidden)
    status, subject = answer.status, f"its address ({way})"
    if status == 429 or status >= 500:
        advice = "" if status != 429 else "; an upload or a store of your own ([publish]) has no such limit"
        # Not final: hosts that serve too much at once, or are just down, answer again.
        return TransferFailed(f"{subject} answered {_status_text(status)}{advice}", wait=answer.wait)
    if not 200 <= status < 300:
        return TransferFailed(f"{subject} answered {_status_text(status)}{_ADVICE.get((way, status), '')}", final=True)
    if (message := _wrong_kind(answer.head, expected.kind)) is not None:
        return TransferFailed(f"{subject} {message}{_private_hint(way, message)}", final=True)
    if expected.length is not None and answer.length is not None and answer.length != expected.length:
        return TransferFailed(
            f"{subject} serves {answer.length:,} bytes instead of {expected.length:,}: another file", final=True
        )
    # An empty answer begins like every file: against a zero byte it is none of them.
    if expected.head is not None and not answer.head.startswith(expected.head[: len(answer.head)] or b"\0"):
        return TransferFailed(f"{subject} serves other bytes than the planned file", final=True)
    return ""


_GIT_PRIVATE = ": a private repository cannot be fetched; leave git out of `[publish] ways`, or make it public"
_UPLOAD = ": the provider's uploads do not work now; a `store` or `git_url` of your own takes their place"
_ADVICE = {
    **{("upload", status): _UPLOAD for status in (401, 403, 404, 410)},
    ("git", 401): _GIT_PRIVATE,
    ("git", 403): _GIT_PRIVATE,
    ("git", 404): ": is the repository private, or `git_url` wrong?",
    ("store", 403): ": the store does not let everybody read it; leave `base_url` out for signed links",
    ("store", 404): ": the object is not there; does `base_url` lead to the folder of `store`?",
}


def _private_hint(way: str, message: str) -> str:
    return _GIT_PRIVATE if way == "git" and "web page" in message else ""


def _doubt(message: str) -> str:
    return f"its address could not be checked ({message})"


_STATUS_TEXTS = {
    401: "401 (it asks for a login)",
    403: "403 (access denied)",
    404: "404 (there is no such file)",
    410: "410 (the file is gone)",
    429: "429 (too many requests)",
}


def _status_text(status: int) -> str:
    return _STATUS_TEXTS.get(status, str(status))


def _wrong_kind(head: bytes, kind: Kind) -> str | None:
    """The reason why the first bytes are not those of the kind; None when they are."""
    try:
        actual = kind_of_head(head)
    except UnsupportedMedia as error:
        text = "a web page" if "a web page" in error.message else error.message.partition(";")[0].removeprefix("is ")
        login = " (a login?)" if text == "a web page" else ""
        return f"serves {text}{login}, not {_LABELS[kind]}"
    is_same = actual == kind or {actual, kind} == {"video", "audio"}  # MP4 and M4A begin alike
    return None if is_same else f"serves {_LABELS[actual]}, not {_LABELS[kind]}"


_LABELS = {"image": "an image", "video": "a video", "audio": "audio"}
