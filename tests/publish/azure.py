"""Azurite, Microsoft's own server of Azure's storage, on loopback: it checks the signature of every request."""

import base64
import hashlib
import hmac
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import httpx

from tests.publish.servers import free_port, listens
from tests.requirements import azurite
from tests.waiting import wait_until

ACCOUNT, CONTAINER = "devstoreaccount1", "film"
KEY = base64.b64encode(b"a made-up key of the tests, which opens nothing").decode()
_VERSION = "2021-08-06"


@dataclass(frozen=True)
class Azure:
    """A server with one empty container."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            "AZURE_STORAGE_ENDPOINT": self.endpoint,
        }


@contextmanager
def azure_server(folder: Path) -> Iterator[Azure]:
    """A server with one container."""
    program, port = azurite(), free_port()
    words = [program, "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    words += ["--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "Azurite listens")
        server = Azure(f"http://127.0.0.1:{port}/{ACCOUNT}")
        _create_container(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


def _create_container(server: Azure) -> None:
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION, "Content-Length": "0"}
    lines = [
        *("PUT", "", "", "", "", "", "", "", "", "", "", ""),
        f"x-ms-date:{headers['x-ms-date']}",
        f"x-ms-version:{_VERSION}",
        f"/{ACCOUNT}/{ACCOUNT}/{CONTAINER}",
        "restype:container",
    ]
    digest = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    answer = httpx.put(f"{server.endpoint}/{CONTAINER}?restype=container", headers=headers)
    assert answer.status_code == 201, answer.text
