"""Hosts by their spelling alone: which get the key by http, and which the provider may be sent to."""

import pytest

from runner.hosts import is_https_or_local, is_loopback, is_public

LOOPBACK = [
    "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "[::1]",
    "::ffff:127.0.0.1", "::1%lo",
]  # fmt: skip
PUBLIC = ["example.com", "example.com.", "EXAMPLE.com", "93.184.216.34", "2606:2800:220:1::", "10.example.com"]
NEITHER = [
    "", "quay", "quay.local", "quay.local.", "db.internal", "nas.home.arpa", "evil.localhost",
    "10.0.0.1", "169.254.169.254", "224.0.0.1", "::", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "0X7F.1", "1.1.1",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine(host: str) -> None:
    assert (is_loopback(host), is_public(host)) == (True, False)


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_host(host: str) -> None:
    assert (is_loopback(host), is_public(host)) == (False, True)


@pytest.mark.parametrize("host", NEITHER)
def test_a_private_host_or_a_number_in_a_short_form_is_neither(host: str) -> None:
    assert (is_loopback(host), is_public(host)) == (False, False)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://10.0.0.1/a", "http://127.0.0.1:8080", "http://[::1]/a"]
)
def test_what_is_sent_by_https_or_to_this_machine_is_read_by_its_host_alone(url: str) -> None:
    assert is_https_or_local(url)


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "localhost:9000", "//localhost", ""])
def test_what_is_sent_by_http_to_another_host_is_not(url: str) -> None:
    assert not is_https_or_local(url)
