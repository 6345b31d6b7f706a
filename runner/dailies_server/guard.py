"""The guard of the served page: lets in this machine's browser with the cookie, and nobody else. Pure."""

import hmac
from collections.abc import Mapping

from runner.hosts import LOOPBACK
from runner.lazy_dataclass import dataclass

SECURITY_HEADERS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of every answer."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The secrets of one server, and its checks."""

    port: int
    token: str
    """Stands in the printed address only."""
    session: str
    """Stands in the cookie only, so that neither gives the other away."""

    @property
    def cookie_name(self) -> str:
        """A name of this port: browsers give the cookies of a host to all of its ports."""
        return f"storyboard-dailies-{self.port}"

    @property
    def cookie(self) -> str:
        """The header `Set-Cookie`."""
        # No `Secure`: the server speaks http, and some browsers keep no such cookie even from loopback.
        return f"{self.cookie_name}={self.session}; HttpOnly; SameSite=Strict; Path=/"

    def is_own_host(self, headers: Mapping[str, str]) -> bool:
        """Whether the browser asked for this machine by its own name: a foreign name that leads here is refused."""
        return headers.get("host", "") in self._hosts

    def is_own_origin(self, headers: Mapping[str, str], *, required: bool) -> bool:
        """Whether the question comes from a page of this server; a question that writes must say so."""
        # Browsers without `Sec-Fetch-Site` are judged by their Origin alone.
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        if origin is None:
            return not required and site in ("same-origin", "none")
        return origin == f"http://{headers.get('host', '')}" and site == "same-origin"

    def is_token(self, text: str) -> bool:
        # The time of a comparison must not tell how much of a guess is right.
        return hmac.compare_digest(text.encode("utf-8", "replace"), self.token.encode())

    def has_cookie(self, cookies: Mapping[str, str]) -> bool:
        value = cookies.get(self.cookie_name, "")
        return hmac.compare_digest(value.encode("utf-8", "replace"), self.session.encode())

    @property
    def _hosts(self) -> tuple[str, ...]:
        return f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"
