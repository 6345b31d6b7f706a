"""A take as a manifest lists it: its checked fields, and the attempt that they tell of, which few readers need."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, Intent
from runner.requests.request import JsonValue, fingerprint


class TakeFields(NamedTuple):
    """The checked fields of a take's entry."""

    created_at: str
    """As the file has it: without a task it is part of the attempt's id."""
    created: datetime
    task_id: str | None
    state: AttemptState
    request: Mapping[str, JsonValue]
    fingerprint: str | None
    """As the file has it, where it has no request; None where it is computed from that."""
    take: int
    quoted: Decimal
    drawing: int | None
    clip: Clip | None
    used: Decimal | None
    ended: datetime | None
    message: str
    doubt: str
    kept_for: str | None


class ListedTake(NamedTuple):
    """A take of a manifest, with the name of its shot."""

    storyboard: str
    shot: str
    fields: TakeFields
    identity: tuple[str | None, ...]
    """The output that the manifest belongs to; its profile comes last."""

    @property
    def task_id(self) -> str | None:
        return self.fields.task_id

    @property
    def kept_for(self) -> str | None:
        return self.fields.kept_for

    def attempt(self) -> Attempt:
        """The attempt that the entry tells of; its fingerprint is computed from the request, whatever the file says."""
        entry = self.fields
        request_fingerprint = entry.fingerprint or fingerprint(entry.request)
        intent = Intent(
            storyboard=self.storyboard,
            shot=self.shot,
            take=entry.take,
            fingerprint=request_fingerprint,
            request=entry.request,
            body="",
            quoted=entry.quoted,
            edition="",
            key_id="",
            webhook_token="",
            run="manifest",
            profile=self.identity[-1],
            drawing=entry.drawing,
        )
        is_stored = entry.clip is not None and entry.state is AttemptState.SUCCEEDED
        return Attempt(
            id=_attempt_id(*self.identity, request_fingerprint, entry.task_id or entry.created_at),
            intent=intent,
            state=AttemptState.STORED if is_stored else entry.state,
            intended_at=entry.created,
            sent_at=entry.created,
            task_id=entry.task_id,
            accepted_at=entry.created if entry.task_id is not None else None,
            ended_at=entry.ended,
            message=entry.message,
            credits_used=entry.used,
            clip=entry.clip,
            doubt=entry.doubt,
            from_manifest=True,
            kept_for=entry.kept_for,
        )


def _attempt_id(*parts: object) -> str:
    """An id from an attempt's identity: the same on every machine, and different for different attempts."""
    identity = (
        f"[{','.join([encode_basestring_ascii(str(part)) for part in parts])}]"  # canonical JSON, in half the time
    )
    return f"m-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
