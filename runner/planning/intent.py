"""The intent of an attempt: what the plan orders for a step, as the ledger records it before the order."""

from collections.abc import Mapping
from decimal import Decimal

from runner.attempts.events import Intent
from runner.planning.plan import Plan, Step
from runner.requests.request import JsonValue, canonical_json


def intent_of(
    plan: Plan,
    step: Step,
    body: Mapping[str, JsonValue],
    *,
    key_id: str = "",
    webhook_token: str = "",
    run: str = "",
    saved_plan: str | None = None,
) -> Intent:
    """The intent to order a step with a request's body; key, token, run and saved plan are those of the run."""
    return Intent(
        storyboard=step.shot.storyboard,
        shot=step.shot.id,
        take=step.take,
        fingerprint=step.fingerprint or "",
        # The neutral form, too: a later edition spells the body in another way, and the fingerprint must not depend on
        # that.
        request=step.neutral_request(),
        # As it is sent: the record of what was paid for, should the provider's answer be disputed.
        body=canonical_json(body),
        quoted=step.price.credits or Decimal(0),
        edition=plan.edition.name,
        key_id=key_id,
        webhook_token=webhook_token,
        run=run,
        profile=step.shot.profile,
        scene=step.shot.scene,
        tags=step.shot.tags,
        drawing=plan.drawing,
        saved_plan=saved_plan,
    )
