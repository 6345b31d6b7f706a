"""A saved plan beside the present one: what a run must not order, and what it leaves out. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from runner.attempts.film import TakeKey
from runner.attempts.history import History
from runner.planning.plan import Action, Plan, Step
from runner.planning.saved_plan import Order, SavedPlan
from runner.requests.decimals import decimal_text

BodyOf = Callable[[Step], Mapping[str, Any]]
"""The request body of a take as it will be sent, in the form of the document."""


class PlanDifference(NamedTuple):
    """One thing that a saved plan does not allow; nothing is sent while there is one."""

    code: str
    """A stable name: `account`, `edition`, `destination`, `request`, `take`, `price`, …"""
    text: str


class OmittedOrder(NamedTuple):
    """A listed take that a run does not order, and why."""

    order: Order
    reason: str


class Comparison(NamedTuple):
    """The present plan beside the saved one."""

    differences: tuple[PlanDifference, ...]
    left_out: tuple[OmittedOrder, ...]


def compare(
    saved: SavedPlan, plan: Plan, history: History, body_of: BodyOf, destinations: Iterable[tuple[str, str]] = ()
) -> Comparison:
    """Compare what the present plan orders with what the saved plan lists.

    Each order must be listed with its request and take, at a price that is not higher. `destinations` are the kinds of
    data and the addresses of the present settings.
    """
    differences = [*_of_account(saved, plan), *_of_destinations(saved, frozenset(destinations))]
    ordered = set[TakeKey]()
    listed = _Listed(saved, plan.is_free)
    for step in plan.steps:
        if not step.is_billable:
            continue
        order = listed.order_of(step)
        if order is None:
            differences.append(listed.why_not(step, body_of))
        else:
            ordered.add(order.key)
            differences += _of_price(step, order)
    left = tuple(
        OmittedOrder(order, _reason(order, plan, history)) for order in saved.orders if order.key not in ordered
    )
    return Comparison(tuple(differences), left)


def _of_account(saved: SavedPlan, plan: Plan) -> Iterator[PlanDifference]:
    account = plan.account
    if (saved.provider, saved.host) != (account.provider, account.host):
        text = f"it is for {saved.provider} at {saved.host}, and this is {account.provider} at {account.host}"
        yield PlanDifference("account", text)
    if saved.edition != plan.edition.name:
        yield PlanDifference("edition", f"it is for the edition {saved.edition}, and this is {plan.edition.name}")


def _of_destinations(saved: SavedPlan, present: frozenset[tuple[str, str]]) -> Iterator[PlanDifference]:
    # Only what is new: a place to which nothing goes any more needs no consent.
    for what, where in sorted(present - saved.destinations):
        yield PlanDifference("destination", f"{what} would go to {where}, which it does not name")


def _of_price(step: Step, order: Order) -> Iterator[PlanDifference]:
    if step.price.credits is None:
        yield PlanDifference("price", f"{_name(step.key)} has no price now, and {_amount(order.credits)} credits in it")
    elif step.price.credits > order.credits:
        # A lower price is within the consent.
        text = f"{_name(step.key)} costs {_amount(step.price.credits)} credits now, and {_amount(order.credits)} in it"
        yield PlanDifference("price", text)


class _Listed:
    """The orders of a saved plan, to be found by request, and by the name of their take."""

    def __init__(self, saved: SavedPlan, free: bool) -> None:
        self._by_request = {order.fingerprint: order for order in saved.orders if order.fingerprint is not None}
        self._by_name = {order.key: order for order in saved.orders}
        self._free = free

    def order_of(self, step: Step) -> Order | None:
        """The listed order of a step's very request."""
        if step.fingerprint is not None:
            order = self._by_request.get(step.fingerprint)
            return order if order is not None and order.take == step.take else None
        # By name on free plans alone: with money, another request of that name would pass on the consent for this one.
        order = self._by_name.get(step.key) if self._free else None
        return order if order is not None and order.fingerprint is None else None

    def why_not(self, step: Step, body_of: BodyOf) -> PlanDifference:
        """The difference of a step that is not listed."""
        name, order = _name(step.key), self._by_name.get(step.key)
        if order is None:
            text = f"{name} is to be made ({_amount(step.price.credits)} credits), and it does not list that take"
            return PlanDifference("take", text)
        changed = sorted(_changed(order.request, body_of(step)))
        if changed:
            return PlanDifference(
                "request", f"{name} asks for something else than it lists: {', '.join(changed)} changed"
            )
        return PlanDifference("request", f"{name} asks for something else than it lists: what it is made from changed")


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The fields of a request that differ, one level into `inputs`."""
    for name in before.keys() | now.keys():
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from (inner for inner in old.keys() | new.keys() if old.get(inner) != new.get(inner))
        else:
            yield name


def _reason(order: Order, plan: Plan, history: History) -> str:
    """The reason why a listed take is not ordered."""
    # By request first, since the shot may have another name now.
    steps = [step for step in plan.steps if order.fingerprint in (step.fingerprint, step.keep and step.keep.wanted)]
    if order.fingerprint is not None and steps:
        return _standing(steps[0])
    attempt = history.current_attempt(order.fingerprint) if order.fingerprint is not None else None
    if attempt is not None:
        return "made" if attempt.state.has_clip else attempt.state.value
    shots = {shot.key: shot for shot in plan.batch.shots}
    shot = shots.get(order.key[:2])
    if shot is None:
        return "no longer in the storyboard"
    if shot.skip:
        return "skipped now"
    named = [step for step in plan.steps if step.key == order.key]
    return _standing(named[0]) if named and order.fingerprint is None else "another request now"


_STANDING = {
    Action.KEEP: "made",
    Action.RESUME: "running",
    Action.UNSETTLED: "unsettled",
    Action.REFUSED: "refused",
    Action.BLOCKED: "blocked",
    Action.DOUBTFUL: "doubtful",
    Action.GONE: "gone",
}


def _standing(step: Step) -> str:
    if step.keep is not None:
        return "kept"
    if step.action is Action.WAIT:
        return "waits for a pick" if step.waits_for == "pick" else "running elsewhere"
    return _STANDING.get(step.action, "made by another take of the same request")


def summary(left_out: Iterable[OmittedOrder]) -> list[str]:
    """Lines such as `2 takes are left out, made: quay take 1, boats take 1`, one for each reason."""
    left = list(left_out)
    lines = []
    for reason, number in Counter(entry.reason for entry in left).items():
        names = [_name(entry.order.key) for entry in left if entry.reason == reason]
        more = f" and {number - _MOST_NAMES} more" if number > _MOST_NAMES else ""
        lines.append(f"left out, {reason}: {', '.join(names[:_MOST_NAMES])}{more}")
    return lines


# Names of one reason in a line of the terminal; the others are counted.
_MOST_NAMES = 6


def _name(key: TakeKey) -> str:
    film, shot, take = key
    return f"{shot} take {take}" + (f" ({film.profile})" if film.profile is not None else "")


def _amount(credits: Decimal | None) -> str:
    return "?" if credits is None else decimal_text(credits)
