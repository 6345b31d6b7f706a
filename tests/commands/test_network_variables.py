"""Variables for proxies and certificates: used, or named with the way out, and never in the way of what is local."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import KEY, Host

BOARD = "storyboards/film.yaml"
UNUSABLE = {
    "HTTPS_PROXY, port": {"HTTPS_PROXY": "http://proxy.example:99999"},
    "https_proxy, port": {"https_proxy": "http://proxy.example:port"},
    "HTTPS_PROXY, scheme": {"HTTPS_PROXY": "ftp://name:secret@proxy.example:21"},
    "ALL_PROXY, socks4": {"ALL_PROXY": "socks4://name:secret@proxy.example:1080"},
    "ALL_PROXY, socks": {"ALL_PROXY": "socks://proxy.example:1080"},
    "ALL_PROXY, no host": {"ALL_PROXY": "socks5://"},
    "SSL_CERT_FILE, missing": {"SSL_CERT_FILE": "/no/such/file.pem"},
    "SSL_CERT_FILE, empty": {"SSL_CERT_FILE": "/dev/null"},
    "SSL_CERT_FILE, folder": {"SSL_CERT_FILE": "/"},
    "SSL_CERT_DIR, missing": {"SSL_CERT_DIR": "/no/such/folder"},
    "SSL_CERT_DIR, no certificates": {"SSL_CERT_DIR": "/"},
    "SSLKEYLOGFILE": {"SSLKEYLOGFILE": "/no/such/folder/keys"},
}
HARMLESS = {
    "NO_PROXY": {"NO_PROXY": "[::1],::1,*.example,10.0.0.0/8,[,:,x:y", "HTTPS_PROXY": "http://proxy.example:8"},
}
ELSEWHERE = {"SEEDANCE_BASE_URL": "https://api.example.invalid", "SEEDANCE_API_KEY": KEY}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_variable_that_cannot_be_used_is_named_with_the_way_out(paid_film: ContentRepo, case: str) -> None:
    env = ELSEWHERE | UNUSABLE[case]
    name = next(iter(UNUSABLE[case]))
    said = paid_film.storyboard("run", BOARD, "--provider", "kinovi", "--yes", **env)
    assert said.code == 3, said.err
    assert f"{name}=" in said.err
    doctor = paid_film.storyboard("doctor", **env)
    assert doctor.code == 3
    assert f"{name}=" in " ".join(doctor.out.split())
    for text in (said.out, said.err, doctor.out, doctor.err):
        assert "secret" not in text
        assert "Traceback" not in text
    assert "ledger" in doctor.out
    assert paid_film.storyboard("plan", "--provider", "kinovi", **env).code == 0


def test_a_host_where_nothing_listens_stops_the_run_and_the_next_line_is_doctor(paid_film: ContentRepo) -> None:
    env = {"SEEDANCE_BASE_URL": "http://127.0.0.1:9", "SEEDANCE_API_KEY": KEY}
    stopped = paid_film.storyboard("run", BOARD, "--provider", "kinovi", "--select", "quay", "--yes", **env)
    assert (stopped.code, "exit 3: the run could not go on" in stopped.out) == (3, True), stopped
    assert "no request was sent (nothing listens at that host and port); nothing was spent" in stopped.out
    assert "storyboard doctor    checks this machine, and its way to the provider" in stopped.out
    assert "manifest.json" not in stopped.out
    doctor = paid_film.storyboard("doctor", **env)
    assert (doctor.code, "127.0.0.1:9" in doctor.out) == (3, True), doctor.out


@pytest.mark.parametrize("userinfo", ["name:secret", "secret", ":secret", "name%40x:secret"])
def test_a_base_url_with_a_name_or_password_is_refused_and_never_shown(paid_film: ContentRepo, userinfo: str) -> None:
    env = {"SEEDANCE_BASE_URL": f"https://{userinfo}@api.example.invalid", "SEEDANCE_API_KEY": KEY}
    for words in (("run", BOARD, "--yes"), ("plan", BOARD), ("doctor",)):
        said = paid_film.storyboard(*words, STORYBOARD_PROVIDER="kinovi", **env)
        assert said.code == 3, said.out
        assert "SEEDANCE_BASE_URL" in said.out + said.err
        assert "secret" not in said.out + said.err


@pytest.mark.parametrize("case", [*UNUSABLE, *HARMLESS])
def test_what_is_on_this_machine_needs_neither_proxy_nor_certificates(
    paid_film: ContentRepo, host: Callable[..., Host], case: str
) -> None:
    variables = (UNUSABLE | HARMLESS)[case]
    there = host()
    assert paid_film.storyboard("run", BOARD, "--yes", "--select", "quay", **there.env, **variables).code == 0
    assert there.state["creates"] == 1


def test_the_free_sandbox_needs_neither_proxy_nor_certificates(paid_film: ContentRepo, tmp_path: Path) -> None:
    everything = {name: text for variables in UNUSABLE.values() for name, text in variables.items()}
    assert paid_film.storyboard("run", BOARD, "--select", "quay", **everything).code == 0
