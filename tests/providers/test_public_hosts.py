"""The addresses that may be connected to: every IP of a host must be public."""

import pytest

from runner.providers.transport.public_hosts import ForbiddenAddress, checked_ips


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "2001:db8::1",
    ],
)
def test_no_private_address_is_fetched_from_however_it_is_written(number: str) -> None:
    with pytest.raises(ForbiddenAddress):
        checked_ips(
            "https://media.example.com/a.mp4", local=False, resolve=lambda host, port: ["93.184.216.34", number]
        )


@pytest.mark.parametrize("number", ["93.184.216.34", "2606:4700::6810:84e5", "64:ff9b::5db8:d822"])
def test_public_addresses_are(number: str) -> None:
    assert checked_ips("https://media.example.com/a", local=False, resolve=lambda host, port: [number]) == [number]


@pytest.mark.parametrize("number", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_where_the_api_is_on_this_machine(number: str) -> None:
    assert checked_ips("http://localhost:8787/a", local=True, resolve=lambda host, port: [number]) == [number]


def test_a_private_network_is_not_even_then() -> None:
    with pytest.raises(ForbiddenAddress):
        checked_ips("http://nas.local/a", local=True, resolve=lambda host, port: ["192.168.1.4"])


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a",
        "javascript:alert(1)",
        "//example.com/a",
        "https:///a",
        "https://user:pass@example.com/a",
        "https://user@example.com/a",
        "https://[::1/a",
        "https://example.com:99999/a",
        "",
    ],
)
def test_what_is_no_plain_address_by_http_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        checked_ips(url, local=True, resolve=lambda host, port: ["93.184.216.34"])


def test_the_port_is_the_schemes_own_where_none_is_said() -> None:
    lookups: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        lookups.append((host, port))
        return ["93.184.216.34"]

    for url in ("https://a.example/x", "http://a.example/x", "https://a.example:8443/x"):
        checked_ips(url, local=False, resolve=resolve)

    assert lookups == [("a.example", 443), ("a.example", 80), ("a.example", 8443)]
