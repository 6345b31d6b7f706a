"""Replies of the API as values, and the exception that ends a request early with one."""

from collections.abc import Mapping

from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, JSON, and headers beside the usual ones."""

    status: int
    body: Mapping[str, JsonValue]
    headers: Mapping[str, str] = field(default_factory=dict)


class EarlyReply(Exception):  # noqa: N818 - it ends a request, it is not always an error
    """The end of a request's processing, with a reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.get("message"))
        self.reply = reply
