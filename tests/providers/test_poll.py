"""Every outcome of recordInfo and the preflight on the wire: polls are free, and a failed poll proves nothing."""

import ssl
from pathlib import Path

import anyio
import pytest

from runner.attempts.events import KeyRefused, NotSent, Refused, Running, Succeeded
from runner.providers.kinovi.client import PROBE_TASK_ID, Client
from runner.providers.transport.http_result import MAX_ANSWER_BYTES
from tests.double.server import Double
from tests.double.steps import POLL, Step, dropped, page, record, reply
from tests.providers.client_calls import KEY, ask, create, poll, preflight
from tests.providers.test_create import serving, unused_port

NOTHING_TOLD: dict[str, Step] = {
    "reset": dropped(creates=False, on=POLL),
    "closed": dropped(creates=False, end="close", on=POLL),
    "silence": dropped(creates=False, end="stall", on=POLL),
    "500 in JSON": reply(500, {"message": "Internal error"}, on=POLL),
    "502": page(502, on=POLL),
    "429": reply(429, {"message": "slow down"}, on=POLL),
    "a page": page(200, on=POLL),
    "nothing": Step(on=POLL),
    "a redirect": Step(status=302, headers=(("Location", "https://login.example"),), on=POLL),
    "too long": Step(body=b" " * (MAX_ANSWER_BYTES + 1), on=POLL),
    "a record that breaks off": reply(200, record("task_1", "fail", error="x"), cut=120, end="reset", on=POLL),
    "another task's record": reply(200, record("task_2", "fail", error="x"), on=POLL),
    "a failure twice in one": Step(body=b'{"taskId":"task_1","status":"fail","status":"success"}', on=POLL),
    "endless headers": Step(raw=b"HTTP/1.1 200 OK\r\n", repeat=b"X-More: more\r\n", end="close", on=POLL),
}


@pytest.mark.parametrize("name", NOTHING_TOLD)
def test_a_question_that_failed_tells_nothing_and_is_asked_again_later(name: str) -> None:
    with Double([NOTHING_TOLD[name]]) as double:
        answer = poll(double.url)

    assert isinstance(answer, Running), answer
    assert not answer.answered
    assert answer.message


def test_nobody_there_tells_nothing() -> None:
    answer = poll(f"http://127.0.0.1:{unused_port()}")

    assert (answer.answered, answer.not_found, answer.key_refused) == (False, False, False)


def test_the_task_is_asked_for_by_its_id_with_the_key() -> None:
    with Double() as double:
        create(double.url)
        answer = poll(double.url)
        [entry] = double.requests(POLL)

    assert isinstance(answer, Succeeded)
    assert entry.target.endswith("recordInfo?taskId=task_1")
    assert entry.header("authorization") == f"Bearer {KEY.secret}"


@pytest.mark.parametrize("task", ["a&b=c", "../createTask", "a b", "ä", "x#y", "task:1.2-3"])
def test_an_id_cannot_change_where_the_question_goes(task: str) -> None:
    with Double() as double:
        poll(double.url, task)
        [entry] = double.requests("")

    assert entry.path == "/api/v1/jobs/recordInfo"
    assert entry.target.count("&") == 0


def test_questions_share_a_connection() -> None:
    async def thrice(client: Client) -> None:
        for _ in range(3):
            await client.poll("task_1", None)

    with Double() as double:
        ask(double.url, thrice)
        assert double.accepted == 1


def test_the_answer_with_what_the_record_says_of_itself_confirms_a_task() -> None:
    with Double() as double:
        create(double.url)
        answer, facts = ask(double.url, lambda client: client.fetch_record("task_1"))

    assert isinstance(answer, Succeeded)
    assert facts is not None
    assert (facts.task_id, facts.model) == ("task_1", "seedance-20")


@pytest.mark.parametrize(
    ("spelled", "model"),
    [("seedance2.0-pro", "seedance-20"), ("seedance2.0-fast", "seedance2-fast"), ("Seedance 2.0 (Pro)", None)],
)
def test_a_model_is_known_by_all_its_spellings_and_an_unknown_one_denies_nothing(
    spelled: str, model: str | None
) -> None:
    with Double([reply(200, record("task_1", "generating", model=spelled), on=POLL)]) as double:
        _, facts = ask(double.url, lambda client: client.fetch_record("task_1"))

    assert facts is not None
    assert facts.model == model


def test_an_answer_that_cannot_be_read_confirms_nothing() -> None:
    with Double([page(200, on=POLL)]) as double:
        answer, facts = ask(double.url, lambda client: client.fetch_record("task_1"))

    assert isinstance(answer, Running)
    assert facts is None


# -- preflight --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        reply(404, {"message": "Task not found"}, on=POLL),
        reply(400, {"message": "Invalid task id"}, on=POLL),
        reply(200, {"code": 404, "message": "Task not found"}, on=POLL),
        reply(200, {"data": None}, on=POLL),
        reply(429, {"message": "slow down"}, on=POLL),
        reply(403, {"message": "access not enabled"}, on=POLL),
    ],
)
def test_any_answer_of_the_api_itself_is_fit(step: Step) -> None:
    with Double([step]) as double:
        assert preflight(double.url) is None
        assert PROBE_TASK_ID in double.requests(POLL)[0].target


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step(status=301, headers=(("Location", "https://www.example.com/"),), on=POLL), "https://www.example.com/"),
        (Step(status=308, on=POLL), "nowhere"),
        (page(200, "nginx", on=POLL), "nginx"),
        (page(403, on=POLL), "cloudflare"),
        (page(404, on=POLL), "is not the API"),
        (Step(status=204, on=POLL), "is not the API"),
        (reply(200, ["a list"], on=POLL), "is not the API"),
    ],
)
def test_another_host_stops_before_anything_is_paid(step: Step, message: str) -> None:
    with Double([step]) as double:
        answer = preflight(double.url)

    assert isinstance(answer, Refused)
    assert answer.stop
    assert message in answer.message


@pytest.mark.parametrize("step", [reply(401, {"message": "Invalid API key"}, on=POLL), page(401, on=POLL)])
def test_a_refused_key_stops_before_anything_is_paid(step: Step) -> None:
    with Double([step]) as double:
        assert isinstance(preflight(double.url), KeyRefused)


@pytest.mark.parametrize("step", [page(502, on=POLL), page(503, on=POLL), dropped(creates=False, on=POLL)])
def test_a_host_that_does_not_answer_now_is_asked_again(step: Step) -> None:
    with Double([step]) as double:
        answer = preflight(double.url)

    assert isinstance(answer, NotSent)
    assert not answer.final


def test_a_certificate_that_is_not_trusted_stops_before_anything_is_paid(certificate: Path) -> None:
    with Double(tls=serving(certificate)) as double:
        answer = preflight(double.url)

    assert isinstance(answer, NotSent)
    assert answer.final


def test_one_context_serves_all_connections(certificate: Path) -> None:
    contexts: list[ssl.SSLContext] = []

    def trusted() -> ssl.SSLContext:
        contexts.append(ssl.create_default_context(cafile=str(certificate)))
        return contexts[-1]

    async def several(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(client.poll, "task_1", None)

    with Double(tls=serving(certificate)) as double:
        ask(double.url, several, tls_context=trusted)
        assert len(double.requests(POLL)) == 5

    assert len(contexts) == 1
