"""The document of a plan for programs, which a saved plan holds too."""

from runner.app.plan_report import PlanReporter
from runner.attempts.history import History
from runner.planning.plan import Plan
from runner.providers.api import provider_api
from runner.requests.placeholder import placeholder
from runner.show.json.plan import PlanFacts, plan_json
from runner.show.screens.missing_clips import as_made, find_missing_clips


def plan_document(report: PlanReporter, plan: Plan, history: History) -> dict[str, object]:
    """The document of `plan --json`, with the request of each take as it would be sent. To be written once."""
    planner = report.planner
    encode = provider_api(planner.settings.provider).encoder(planner.edition, placeholder)
    facts = PlanFacts(
        planner.settings.output_name,
        report.warnings(plan),
        report.outgoing(plan, history),
        report.destinations(history),
    )
    plan = as_made(plan, find_missing_clips(plan.steps, history), reason=None)
    return plan_json(plan, lambda step: encode(step.shot.request), facts)
