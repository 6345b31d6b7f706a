"""Texts of a host without links: what opens a material is removed, the host stays."""

import pytest

from runner.providers.transport.redaction import without_links


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read https://a.example/refs/ab.png?X-Amz-Signature=12.", "cannot read https://a.example/…."),
        ('"HTTPS://user:pass@a.example/x", (http://b.example?t=1)', '"HTTPS://a.example/…", (http://b.example/…)'),
        ("see https://a.example, or 4/5 of it", "see https://a.example, or 4/5 of it"),
        ("", ""),
    ],
)
def test_an_address_ends_after_its_host(text: str, shown: str) -> None:
    assert without_links(text) == shown
