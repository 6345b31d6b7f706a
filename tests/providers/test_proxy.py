"""The proxy that the environment names: which hosts go without it, and orders through a SOCKS proxy."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.attempts.events import Created, NotSent
from runner.providers.transport.proxy import proxy_for
from tests.double.server import Double
from tests.providers.client_calls import create
from tests.providers.test_create import MarkCounter, serving

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "https://kinovi.ai", False),
        ("kinovi.ai", "https://kinovi.ai", True),
        (".kinovi.ai", "https://api.kinovi.ai", True),
        ("*.kinovi.ai, other", "https://api.kinovi.ai", True),
        ("kinovi.ai", "https://api.kinovi.ai", True),
        ("novi.ai", "https://kinovi.ai", False),
        ("*", "https://kinovi.ai", True),
        ("kinovi.ai:443", "https://kinovi.ai", True),
        ("kinovi.ai:8443", "https://kinovi.ai", False),
        ("https://kinovi.ai", "https://kinovi.ai", True),
        ("[2001:db8::1]", "https://[2001:db8::1]", True),
        ("2001:db8::1", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:443", "https://[2001:db8::1]", True),
        ("2001:db8::/32", "https://[2001:db8::1]", True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://kinovi.ai", False),
        ("[::1]", "https://kinovi.ai", False),
        ("[,:,::,//,x:y,*.,.", "https://kinovi.ai", False),
    ],
)
def test_no_proxy_names_hosts_as_other_tools_have_it(no_proxy: str, url: str, direct: bool) -> None:
    proxy = proxy_for(url, {"https": PROXY, "no": no_proxy})
    assert (proxy is None) is direct


@pytest.mark.parametrize(
    "address", ["proxy.example:3128", PROXY, "https://proxy.example", "socks5h://a:b@proxy.example"]
)
def test_the_address_of_a_proxy_is_used(address: str) -> None:
    for name in ("https", "all"):
        proxy = proxy_for("https://kinovi.ai", {name: address})
        assert proxy is not None
        assert proxy.url.host == "proxy.example"


@contextmanager
def socks_proxy(target: str, greeting: bytes = b"\x05\x00") -> Iterator[tuple[str, list[str]]]:
    """A SOCKS proxy on loopback that connects each host to one target; the second value has the hosts asked for."""
    listener = socket.create_server(("127.0.0.1", 0))
    hosts: list[str] = []
    address = (urlsplit(target).hostname or "", urlsplit(target).port or 0)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=relay, args=(client, address, greeting, hosts), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"socks5://127.0.0.1:{listener.getsockname()[1]}", hosts
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def relay(client: socket.socket, address: tuple[str, int], greeting: bytes, hosts: list[str]) -> None:
    with contextlib.suppress(OSError), client, socket.create_connection(address) as server:
        client.recv(262)
        client.sendall(greeting)
        order = client.recv(262)
        if len(order) < 5:
            return
        hosts.append(order[5 : 5 + order[4]].decode())
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        back = threading.Thread(target=copy, args=(server, client), daemon=True)
        back.start()
        copy(client, server)
        back.join(5)


def copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    return context


def test_an_order_goes_through_a_socks_proxy(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    counter = MarkCounter()
    with Double(tls=serving(certificate)) as double, socks_proxy(double.url) as (proxy, hosts):
        monkeypatch.setenv("ALL_PROXY", proxy)
        answer = create("https://api.example.invalid", counter, tls_context=lambda: trusting(certificate))
        assert len(double.requests("")) == 1

    assert (answer, counter.count, hosts) == (Created("task_1"), 1, ["api.example.invalid"])


@pytest.mark.parametrize("greeting", [b"\x05\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05"])
def test_a_socks_proxy_that_refuses_or_is_none_means_not_sent(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, greeting: bytes
) -> None:
    counter = MarkCounter()
    with Double(tls=serving(certificate)) as double, socks_proxy(double.url, greeting) as (proxy, _):
        monkeypatch.setenv("ALL_PROXY", proxy)
        answer = create("https://api.example.invalid", counter, tls_context=lambda: trusting(certificate))
        assert double.requests("") == []

    assert isinstance(answer, NotSent)
    assert counter.count == 0
    assert f"(through the proxy {proxy.removeprefix('socks5://')} of ALL_PROXY)" in answer.message
