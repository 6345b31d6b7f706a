"""The document of a plan for programs, which a saved plan holds too."""

from runner.app.destinations import destinations
from runner.app.plan_report import warnings
from runner.app.session import Session
from runner.attempts.history import History
from runner.planning.outgoing import outgoing_materials, sent_contents
from runner.planning.plan import Plan
from runner.providers.api import provider_api
from runner.requests.placeholder import placeholder
from runner.show.json.plan import PlanFacts, plan_json
from runner.show.screens.missing_clips import as_made, find_missing_clips


def plan_document(session: Session, plan: Plan, history: History) -> dict[str, object]:
    """The document of `plan --json`, with the request of each take as it would be sent. To be written once."""
    encode = provider_api().encoder(session.edition, placeholder)
    facts = PlanFacts(
        session.settings.output_name,
        warnings(session, plan),
        outgoing_materials(plan, session.planner.routes, sent_contents(history)),
        destinations(session.planner, session.repository, history),
    )
    plan = as_made(plan, find_missing_clips(plan.steps, history), reason=None)
    return plan_json(plan, lambda step: encode(step.shot.request), facts)
