"""A saved plan: the values that a run takes from the document, its canonical form and its digest. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import FilmName, ShotKey, TakeKey
from runner.attempts.history import History
from runner.clock import format_utc
from runner.diagnostics.failures import SelectionError
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern
from runner.planning.plan import Action, Plan
from runner.planning.selection import select
from runner.requests.decimals import decimal_text
from runner.requests.request import canonical_json, credits_json

VERSION = 1
"""The version of the document that this program reads and writes."""
# Far beyond any film: a larger number was written by hand.
_TAKE_LIMIT = 10_000
# As `plan -o` writes them: a plan may come with a pull request, and its id goes into the ledger.
_FINGERPRINT = lazy_pattern(r"[0-9a-f]{64}")
_ID = lazy_pattern(r"[A-Za-z0-9_-]{1,64}")
# An order that is taken from a plan, and not from a document, is compared without its body.
_UNDECIDED: Mapping[str, Any] = {}


class NotASavedPlan(Exception):  # noqa: N818 - a reason that becomes a message, always caught
    """A document that is no saved plan, or not a whole one; the message continues the file's name."""


class Order(NamedTuple):
    """One take that a saved plan lists to be ordered, at most at this price."""

    film: FilmName
    shot: str
    take: int
    fingerprint: str | None
    """None in a free plan only, where the first take that succeeds decides the request."""
    credits: Decimal
    request: Mapping[str, Any] = _UNDECIDED
    """The body as it was to be sent: it names what changed, and is never sent."""

    @property
    def key(self) -> TakeKey:
        return (self.film, self.shot, self.take)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """The values of a saved plan that a run compares with the storyboards, or takes over."""

    id: str
    provider: str
    host: str
    edition: str
    created_at: datetime
    expires_at: datetime
    ceiling: Decimal
    """Credits; play money in a free plan."""
    films: tuple[FilmName, ...]
    """The films in the order of the plan: each storyboard, for each combination of profiles."""
    shots: frozenset[ShotKey]
    """The shots of the plan, also those that it orders nothing of."""
    select: tuple[str, ...]
    exclude: tuple[str, ...]
    retake: tuple[str, ...]
    again: tuple[str, ...]
    first_take: bool
    orders: tuple[Order, ...]
    destinations: frozenset[tuple[str, str]]
    """Kinds of data with the address from the settings that each was to be sent to."""
    stated_digest: str = ""
    """The digest in the document; empty in a plan that has none yet."""

    @property
    def canonical_form(self) -> str:
        """The text that the digest is taken of: JSON with sorted keys, no blanks, prices as decimals."""
        # Sorted, and without names: a shot that was renamed or moved is the same order.
        orders = sorted([order.fingerprint or "", order.take, decimal_text(order.credits)] for order in self.orders)
        return canonical_json(
            {
                "account": {"host": self.host, "provider": self.provider},
                "ceiling": decimal_text(self.ceiling),
                "edition": self.edition,
                "expires_at": format_utc(self.expires_at),
                "orders": orders,
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, as hex digits."""
        return hashlib.sha256(self.canonical_form.encode()).hexdigest()

    # -- the takes that the plan may still order ---------------------------------------------------------------

    def selected(self, batch: Batch) -> frozenset[ShotKey] | None:
        """The shots that the plan's selection names now.

        Where it names states, or a shot that is gone, it means the shots of then that are left.
        """
        return _named(batch, self.select, self.exclude, self.shots)

    def named(self, batch: Batch, expressions: Sequence[str]) -> frozenset[ShotKey]:
        """The shots that expressions of the plan's `--retake` or `--again` name now, as `selected` does."""
        return _named(batch, expressions, (), frozenset(order.key[:2] for order in self.orders)) or frozenset()

    def open_retakes(self, history: History, shots: frozenset[ShotKey]) -> frozenset[ShotKey]:
        """The shots whose listed retake has no result yet: once it has one, the plan orders no further retake."""
        done = {
            order.key[:2]
            for order in self.orders
            if any(_has_ended(attempt) for attempt in history.attempts_of(order.fingerprint or ""))
        }
        return shots - done

    def may_repeat(self, attempt: Attempt) -> bool:
        """Whether the plan's `--again` means an attempt: one of a listed take that ended before the plan was saved."""
        intent = attempt.intent
        is_listed = any(order.fingerprint == intent.fingerprint for order in self.orders)
        is_own = intent.saved_plan == self.id
        return is_listed and (not attempt.state.has_used_take or (not is_own and attempt.intended_at < self.created_at))


def _named(
    batch: Batch, chosen: Sequence[str], excluded: Sequence[str], earlier: frozenset[ShotKey]
) -> frozenset[ShotKey] | None:
    """The shots that expressions name; of `earlier` those that are left, where the expressions depend on more."""
    try:
        if not any("state:" in expression for expression in (*chosen, *excluded)):
            return select(batch, chosen, excluded)
    # A shot of then is gone: the rest of the plan is still the user's consent.
    except SelectionError:
        pass
    return earlier.intersection(shot.key for shot in batch.shots)


def _has_ended(attempt: Attempt) -> bool:
    return attempt.state.has_used_take and attempt.state is not AttemptState.SUCCEEDED


def orders_of(plan: Plan) -> tuple[Order, ...]:
    """The takes that a run of the plan orders, as a saved plan lists them; their prices are known."""
    return tuple(
        Order(step.shot.film, step.shot.id, step.take, step.fingerprint, exact(step.price.credits))
        for step in plan.steps
        if step.is_billable
    )


def exact(credits: Decimal | None) -> Decimal:
    """Credits as a program reads them from the document."""
    return Decimal(str(credits_json(credits or Decimal(0))))


# -- reading the document ---------------------------------------------------------------------------------------


def read_saved_plan(document: Any) -> SavedPlan:
    """The saved plan in a parsed document; raise `NotASavedPlan`. The digest is not compared."""
    if not isinstance(document, dict) or "plan" not in document:
        raise NotASavedPlan("is no plan: `storyboard plan -o FILE` writes one")
    version = document["plan"]
    if type(version) is not int or version < 1:
        raise NotASavedPlan("is no plan: its version is not a number")
    if version > VERSION:
        raise NotASavedPlan(f"was written by a newer version of storyboard (plan {version}): install that version")
    if "digest" not in document:
        raise NotASavedPlan("is the output of `plan --json`, and no saved plan: `storyboard plan -o FILE` writes one")
    try:
        return _saved_plan(document)
    except _WrongField as wrong:
        raise NotASavedPlan(
            f"was edited by hand or cut off: {wrong} is missing or not what `plan -o` writes; save the plan again"
        ) from None


class _WrongField(Exception):  # noqa: N818 - becomes the message of `NotASavedPlan`
    """The name of a field of the wrong type."""


def _saved_plan(document: Mapping[str, Any]) -> SavedPlan:
    account, command = _field(document, "account", dict), _field(document, "command", dict)
    storyboards = _list(document, "storyboards", dict)
    if not storyboards:
        raise _WrongField("storyboards")
    return SavedPlan(
        id=_matching(document, "id", _ID),
        provider=_field(account, "provider", str),
        host=_field(account, "host", str),
        edition=_field(document, "edition", str),
        created_at=_time(document, "created_at"),
        expires_at=_time(document, "expires_at"),
        ceiling=_credits(document, "ceiling"),
        films=tuple(map(_film, storyboards)),
        shots=frozenset(
            (_film(storyboard), _field(shot, "id", str))
            for storyboard in storyboards
            for shot in _list(storyboard, "shots", dict)
        ),
        select=tuple(_list(command, "select", str)),
        exclude=tuple(_list(command, "exclude", str)),
        retake=tuple(_list(command, "retake", str)),
        again=tuple(_list(command, "again", str)),
        first_take=_field(command, "first_take", bool),
        orders=tuple(_orders(storyboards)),
        destinations=frozenset(
            (_field(place, "what", str), _field(place, "where", str))
            for place in (_list(document, "destinations", dict) if "destinations" in document else ())
        ),
        stated_digest=_matching(document, "digest", _FINGERPRINT),
    )


def _film(storyboard: Mapping[str, Any]) -> FilmName:
    return FilmName(_field(storyboard, "path", str), _optional_text(storyboard, "profile"))


def _orders(storyboards: Sequence[Mapping[str, Any]]) -> Iterable[Order]:
    """The takes to be ordered, each request once: one clip serves all takes of a request."""
    seen: set[str] = set()
    for storyboard in storyboards:
        for shot in _list(storyboard, "shots", dict):
            for take in _list(shot, "takes", dict):
                order = _order(_film(storyboard), _field(shot, "id", str), take)
                if order is not None and order.fingerprint not in seen:
                    seen |= {order.fingerprint} if order.fingerprint is not None else set()
                    yield order


def _order(film: FilmName, shot: str, take: Mapping[str, Any]) -> Order | None:
    action, waits_for = _field(take, "action", str), take.get("waits_for")
    if action not in (Action.MAKE.value, Action.WAIT.value) or waits_for not in (None, "shot"):
        return None
    number = _field(take, "take", int)
    if not 1 <= number <= _TAKE_LIMIT:
        raise _WrongField("take")
    fingerprint = None if take.get("fingerprint") is None else _matching(take, "fingerprint", _FINGERPRINT)
    return Order(film, shot, number, fingerprint, _credits(take, "credits"), _field(take, "request", dict))


def _field(holder: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    value = holder.get(name)
    if type(value) is not kind:  # a bool is no number here
        raise _WrongField(name)
    return value


def _list(holder: Mapping[str, Any], name: str, kind: type[Any]) -> list[Any]:
    values: list[Any] = _field(holder, name, list)
    if any(type(value) is not kind for value in values):
        raise _WrongField(name)
    return values


def _optional_text(holder: Mapping[str, Any], name: str) -> str | None:
    return None if name in holder and holder[name] is None else _field(holder, name, str)


def _matching(holder: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    text: str = _field(holder, name, str)
    if pattern.fullmatch(text) is None:
        raise _WrongField(name)
    return text


def _time(holder: Mapping[str, Any], name: str) -> datetime:
    """A moment exactly as the document writes it."""
    text: str = _field(holder, name, str)
    try:
        moment = datetime.fromisoformat(text)
        # As it was written and no other way: the digest is taken of this text.
        if moment.tzinfo is not None and format_utc(moment) == text:
            return moment
    except (ValueError, OverflowError):
        pass
    raise _WrongField(name)


def _credits(holder: Mapping[str, Any], name: str) -> Decimal:
    value = holder.get(name)
    if not isinstance(value, int | Decimal) or isinstance(value, bool) or value < 0:
        raise _WrongField(name)
    return Decimal(value)
