"""What the sandbox tells of itself, and lets be set: counters, the clock, an account's credits and cap."""

from collections.abc import Mapping
from datetime import UTC, datetime

from runner.clock import format_utc
from runner.requests.request import JsonValue
from runner.sandbox.api.service import Service, account_of
from runner.sandbox.faults import fault_rules
from runner.sandbox.http.reply import EarlyReply, Reply
from runner.sandbox.state.task import Task, status

FAR = 100 * 366 * 86400
"""A clock is set no further than this away from the machine's."""


def state(service: Service, answers: Mapping[str, int]) -> Reply:
    """Everything that was counted, over all servers of the state folder; `answers` are this server's own."""
    service.world.refresh()
    now = service.now()
    tasks = list(service.world.tasks.values())
    return Reply(
        200,
        {
            "sandbox": 1,
            "edition": service.pages.name,
            "now": _moment(now),
            "creates": len(tasks),
            "charged": sum(_charge(task, now) for task in tasks),
            "tasks": [_task(task, now) for task in tasks],
            "accounts": [_account(service, account, now) for account in sorted(service.world.balances)],
            "uploads": sum(upload.stored for upload in service.world.uploads.values()),
            "misplaced": [dict(item) for item in service.world.misplaced],
            "answers": dict(sorted(answers.items())),
            "faults": service.faults.told(),
            "trouble": list(service.backstage.trouble),
        },
    )


def _task(task: Task, now: float) -> dict[str, JsonValue]:
    return {
        "taskId": task.id,
        "account": task.account,
        "model": task.model,
        "status": status(task, now),
        "reserved": task.credits,
        "charged": _charge(task, now),
        "number": task.number,
        "prompt": task.prompt[:200],
        "callback": task.called or None,
    }


def _charge(task: Task, now: float) -> int:
    return task.credits if status(task, now) == "success" else 0


def _account(service: Service, account: str, now: float) -> dict[str, JsonValue]:
    purse = service.world.close_finished(account, now)
    reserved = service.world.reserved(purse)
    return {
        "account": account,
        "cap": purse.cap,
        "inProgress": len(purse.open),
        "peak": purse.peak,
        "reserved": reserved,
        "charged": purse.settled,
        "available": None if purse.credits is None else purse.credits - purse.settled - reserved,
    }


def clock(service: Service) -> Reply:
    """The time here, and how far it is from the machine's."""
    service.world.refresh()
    return Reply(200, {"now": _moment(service.now()), "offset": service.world.offset})


def set_clock(service: Service, body: JsonValue) -> Reply:
    """`{"advance": seconds}`, `{"now": "2026-01-31T12:00:00Z"}` or `{"offset": seconds}`."""
    offset = _offset(service, body)
    if offset is None or not abs(offset) <= FAR:
        words = 'say one of {"advance": seconds}, {"offset": seconds}, {"now": "2026-01-31T12:00:00Z"}'
        raise EarlyReply(Reply(400, {"message": words}))
    service.world.write({"event": "clock", "offset": offset})
    return clock(service)


def _offset(service: Service, body: JsonValue) -> float | None:
    if not isinstance(body, dict) or len(body) != 1:
        return None
    ((name, value),) = body.items()
    if name == "now" and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.timestamp() - (service.now() - service.world.offset)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    service.world.refresh()
    return {"advance": service.world.offset + value, "offset": float(value)}.get(name)


def set_account(service: Service, key: str, body: JsonValue) -> Reply:
    """`{"credits": 500, "cap": 3}`: what the key's account, or that of `"key"`, has from now on; null is no limit."""
    if not isinstance(body, dict) or set(body) - {"key", "credits", "cap"}:
        raise EarlyReply(Reply(400, {"message": 'say {"credits": 500, "cap": 3}, and "key" for another account'}))
    whose = body.get("key", key)
    limits = [body.get(name) for name in ("credits", "cap")]
    fits = all(
        value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0) for value in limits
    )
    if not isinstance(whose, str) or not fits:
        raise EarlyReply(Reply(400, {"message": "credits and cap are whole numbers from 0, or null"}))
    service.world.refresh()
    account, now = account_of(whose), service.now()
    purse = service.world.close_finished(account, now)
    used = purse.settled + service.world.reserved(purse)
    credits = purse.credits if "credits" not in body else _granted(limits[0], used)
    cap = purse.cap if "cap" not in body else limits[1]
    service.world.write({"event": "purse", "account": account, "credits": credits, "cap": cap})
    return Reply(200, _account(service, account, now))


def set_faults(service: Service, body: JsonValue) -> None:
    """Other rules from now on, in the form of the faults file; counting begins anew."""
    found = fault_rules.from_json(body, service.options.seed)
    if isinstance(found, list):
        errors: list[JsonValue] = [{"path": path, "message": words} for path, words in found[:50]]
        raise EarlyReply(Reply(400, {"message": f"the faults are not fit: {found[0][1]}", "errors": errors}))
    service.faults = service.backstage.faults = found


def _granted(credits: JsonValue, used: int) -> int | None:
    return credits + used if isinstance(credits, int) else None


def _moment(seconds: float) -> str:
    return format_utc(datetime.fromtimestamp(seconds, UTC))
