"""The sandbox's own endpoints: counters, the clock, an account's credits and cap, the faults."""

from collections.abc import Mapping
from datetime import UTC, datetime

from runner.clock import format_utc
from runner.requests.request import JsonValue
from runner.sandbox.api.reply import EarlyReply, Reply
from runner.sandbox.api.service import Service, account_of
from runner.sandbox.faults import fault_rules
from runner.sandbox.state.task import Task, bill, status

MAX_CLOCK_OFFSET = 100 * 366 * 86400
"""Largest offset from the machine's clock, in seconds."""


def report_state(service: Service, answers: Mapping[str, int]) -> Reply:
    """All counters of the state folder; `answers` are those of this server alone."""
    service.state.refresh()
    now = service.now()
    tasks = list(service.state.tasks.values())
    return Reply(
        200,
        {
            "sandbox": 1,
            "edition": service.rules.name,
            "now": _utc_text(now),
            "creates": len(tasks),
            "charged": sum(_credits_charged(task, now) for task in tasks),
            "tasks": [_task_report(task, now) for task in tasks],
            "accounts": [_account_report(service, account, now) for account in sorted(service.state.balances)],
            "uploads": sum(upload.is_stored for upload in service.state.uploads.values()),
            "misplaced": [dict(item) for item in service.state.misplaced],
            "answers": dict(sorted(answers.items())),
            "faults": service.faults.report(),
            "trouble": list(service.jobs.errors),
        },
    )


def _task_report(task: Task, now: float) -> dict[str, JsonValue]:
    return {
        "taskId": task.id,
        "account": task.account,
        "model": task.model,
        "status": status(task, now),
        "reserved": task.credits,
        "charged": _credits_charged(task, now),
        "number": task.number,
        "prompt": task.prompt[:200],
        "callback": task.callback_result or None,
    }


def _credits_charged(task: Task, now: float) -> float:
    # What a task has reserved is no charge yet: the judge of a test adds up what was paid.
    return bill(task, now) if status(task, now) == "success" else 0


def _account_report(service: Service, account: str, now: float) -> dict[str, JsonValue]:
    balance = service.state.close_finished(account, now)
    reserved = service.state.reserved(balance)
    return {
        "account": account,
        "cap": balance.cap,
        "inProgress": len(balance.open_tasks),
        "peak": balance.peak_open_tasks,
        "reserved": reserved,
        "charged": balance.charged,
        "available": service.state.available(balance),
    }


def report_clock(service: Service) -> Reply:
    """The sandbox's time, and its offset from the machine's clock."""
    service.state.refresh()
    return Reply(200, {"now": _utc_text(service.now()), "offset": service.state.clock_offset})


def set_clock(service: Service, body: JsonValue) -> Reply:
    """Set the clock: `{"advance": seconds}`, `{"now": "2026-01-31T12:00:00Z"}` or `{"offset": seconds}`."""
    offset = _offset(service, body)
    if offset is None or not abs(offset) <= MAX_CLOCK_OFFSET:
        message = 'expected {"advance": seconds}, {"offset": seconds} or {"now": "2026-01-31T12:00:00Z"}'
        raise EarlyReply(Reply(400, {"message": message}))
    service.state.write({"event": "clock", "offset": offset})
    return report_clock(service)


def _offset(service: Service, body: JsonValue) -> float | None:
    if not isinstance(body, dict) or len(body) != 1:
        return None
    ((name, value),) = body.items()
    if name == "now" and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        # The offset is from the machine's clock, so that the sandbox's own time goes on from the moment that was set.
        return utc.timestamp() - (service.now() - service.state.clock_offset)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    service.state.refresh()
    return {"advance": service.state.clock_offset + value, "offset": float(value)}.get(name)


def set_account(service: Service, key: str, body: JsonValue) -> Reply:
    """Set an account's limits: `{"credits": 500, "cap": 3}`, `"key"` for another account; null is no limit."""
    if not isinstance(body, dict) or set(body) - {"key", "credits", "cap"}:
        raise EarlyReply(Reply(400, {"message": 'expected {"credits": 500, "cap": 3}, with "key" for another account'}))
    account_key = body.get("key", key)
    limits = [body.get(name) for name in ("credits", "cap")]
    is_valid = all(
        value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0) for value in limits
    )
    if not isinstance(account_key, str) or not is_valid:
        raise EarlyReply(Reply(400, {"message": "credits and cap must be whole numbers from 0, or null"}))
    service.state.refresh()
    account, now = account_of(account_key), service.now()
    balance = service.state.close_finished(account, now)
    used = balance.charged + service.state.reserved(balance)
    # `credits` is what can be spent from now on, and a balance counts from the account's beginning.
    credits = balance.credits if "credits" not in body else _credit_limit(limits[0], used)
    cap = balance.cap if "cap" not in body else limits[1]
    service.state.write({"event": "purse", "account": account, "credits": credits, "cap": cap})
    return Reply(200, _account_report(service, account, now))


def set_faults(service: Service, body: JsonValue) -> None:
    """Replace the fault rules by those of a JSON faults file; all counts begin anew."""
    faults = fault_rules.from_json(body, service.options.seed)
    if isinstance(faults, list):
        errors: list[JsonValue] = [{"path": path, "message": message} for path, message in faults[:50]]
        raise EarlyReply(Reply(400, {"message": f"invalid faults: {faults[0][1]}", "errors": errors}))
    # Callbacks are sent by the jobs, which pick their faults themselves.
    service.faults = service.jobs.faults = faults


def _credit_limit(credits: JsonValue, used: float) -> float | None:
    return credits + used if isinstance(credits, int) else None


def _utc_text(seconds: float) -> str:
    return format_utc(datetime.fromtimestamp(seconds, UTC))
