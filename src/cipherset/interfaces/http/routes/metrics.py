"""``/metrics``: counts and times for Prometheus; no content, and nobody's name."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from cipherset.app.serving.budgets import BudgetUse, budgets_used
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.seen import Seen
from cipherset.interfaces.http.services import Caller, Services


def router(services: Services) -> APIRouter:
    """The route; whoever has a role may read it, and each reading is an event."""
    routes = APIRouter(tags=["health"])

    @routes.get(
        "/metrics",
        summary="Counts, times and budgets in the text form of Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        openapi_extra=performs(Action.VIEW),
    )
    def metrics(request: Request, session: Caller) -> Response:
        seen: Seen = request.app.state.seen
        text = generate_latest(seen.registry) + _budgets(budgets_used(session))
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return routes


def _budgets(uses: list[BudgetUse]) -> bytes:
    """In a registry of the moment: what the ledger has now."""
    registry = CollectorRegistry()
    labels = ("kind", "scope")
    told = "of a budget, for ever; of an epsilon in millionths."
    used = Gauge("cipherset_budget_used", f"Used {told}", labels, registry=registry)
    left = Gauge("cipherset_budget_left", f"Left {told}", labels, registry=registry)
    for one in uses:
        used.labels(one.kind, one.scope).set(one.used)
        if one.left is not None:
            left.labels(one.kind, one.scope).set(one.left)
    text: bytes = generate_latest(registry)
    return text
