"""The health checks of the provider for `doctor`: key, reachability, clock, proxy, sample tasks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest

from runner.diagnostics.problem import HealthCheck
from runner.editions.edition import load
from runner.providers import health
from runner.providers.kinovi.sample_tasks import DEMO
from runner.sandbox.embedded import embedded
from runner.settings.api_key import ApiKey, KeyVariable, read_key
from tests.double.server import Double
from tests.double.steps import POLL, Step, page, record, reply
from tests.providers.client_calls import KEY, ask
from tests.providers.test_create import unused_port

SAMPLES = partial(health.reach_with_samples, provider="kinovi")


def verdicts(checks: list[HealthCheck]) -> dict[str, str]:
    return {check.name: check.verdict for check in checks}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (None, "warning"),
        ("", "warning"),
        ("a-good-key-0123", "ok"),
        ("short", "error"),
        ('"a-good-key-0123"', "error"),
        ("a-good-key-0123\n", "error"),
        ("Bearer a-good-key", "error"),
        ("schlüssel-0123456", "error"),
    ],
)
def test_a_keys_shape_is_judged_without_showing_it(text: str | None, verdict: str) -> None:
    check = health.key_shape(KeyVariable("SEEDANCE_API_KEY", text))

    assert check.verdict == verdict
    assert not text or text.strip() not in check.message + check.hint


def test_the_variable_that_is_used_is_named_and_two_different_keys_are_an_error() -> None:
    used = health.key_shape(read_key({"KINOVI_API_KEY": "a-good-key-0123"}))
    both = health.key_shape(read_key({"KINOVI_API_KEY": "a-good-key-0123", "SEEDANCE_API_KEY": "a-good-key-4567"}))

    assert (used.verdict, used.message) == ("ok", "KINOVI_API_KEY is used and looks like a key (15 characters)")
    assert (both.verdict, both.hint) == ("error", "Keep one: unset KINOVI_API_KEY")
    assert "good-key" not in both.message


@pytest.mark.parametrize(
    ("url", "addresses", "message"),
    [
        ("https://kinovi.ai", {}, "none"),
        ("https://kinovi.ai", {"https": "http://user:secret@proxy.local:3128"}, "proxy.local"),
        ("https://kinovi.ai", {"all": "socks5://other.local:1080"}, "other.local"),
        ("http://127.0.0.1:8787", {"http": "http://proxy.local:3128"}, "none"),
    ],
)
def test_a_proxy_is_named_without_its_password(url: str, addresses: dict[str, str], message: str) -> None:
    check = health.proxy(url, addresses)

    assert message in check.message
    assert "secret" not in check.message


def answered(ahead: float, status: int = 404, message: str = "Task not found") -> Step:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead), usegmt=True)
    step = reply(status, {"message": message}, on=POLL)
    return Step(on=POLL, status=step.status, body=step.body, headers=(*step.headers, ("Date", date)))


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(0, "ok"), (90, "ok"), (-90, "ok"), (3600, "warning"), (-3600, "warning")]
)
def test_reach_key_and_clock_are_told_by_one_free_question(ahead: float, verdict: str) -> None:
    with Double([answered(ahead)]) as double:
        checks = ask(double.url, health.reach)
        assert len(double.requests("")) == 1

    assert verdicts(checks) == {"reach": "ok", "key at the provider": "ok", "clock": verdict}
    assert KEY.secret not in repr(checks)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (lambda: answered(0, 401, "Invalid API key"), {"reach": "ok", "key at the provider": "error", "clock": "ok"}),
        (lambda: page(200, on=POLL), {"reach": "error"}),
        (lambda: page(503, on=POLL), {"reach": "error"}),
        (lambda: Step(on=POLL, status=302, headers=(("Location", "https://www.example.com/"),)), {"reach": "error"}),
    ],
)
def test_what_is_wrong_is_said_with_a_way_out(step: Callable[[], Step], expected: dict[str, str]) -> None:
    with Double([step()]) as double:
        checks = ask(double.url, health.reach)

    assert verdicts(checks) == expected
    assert all(check.hint for check in checks if check.verdict == "error")


def test_nobody_there_is_said() -> None:
    [check] = ask(f"http://127.0.0.1:{unused_port()}", health.reach)

    assert check.verdict == "error"
    assert "nothing listens" in check.message


def test_the_five_sample_tasks_of_the_sandbox_are_as_documented(tmp_path: Any) -> None:
    with embedded(tmp_path, load("classic"), plain_clips=True) as address:
        checks = ask(address.base_url, SAMPLES, key=ApiKey("sandbox_demo_readonly"))

    assert set(verdicts(checks).values()) == {"ok"}
    assert verdicts(checks).keys() > DEMO.keys()


def test_sample_tasks_that_are_not_as_documented_are_told() -> None:
    task = next(iter(DEMO))
    with Double(
        [reply(404, {"message": "Task not found"}, on=POLL), reply(200, record(task, "waiting"), on=POLL)]
    ) as double:
        checks = ask(double.url, SAMPLES)

    assert [check.verdict for check in checks][2:] == ["warning", "error", "error", "error", "error"]
    assert "demo key" in checks[-1].hint


def test_without_reach_the_samples_are_not_asked_for() -> None:
    with Double([page(503, on=POLL, times=0)]) as double:
        assert verdicts(ask(double.url, SAMPLES)) == {"reach": "error"}
        assert len(double.requests("")) == 1
