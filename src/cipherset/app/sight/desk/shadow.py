"""Shadow AI for people: services for whoever has a role, who used them for auditors alone."""

from cipherset.app.discovery.egress import sightings
from cipherset.app.discovery.status import reviews
from cipherset.app.gate import Action
from cipherset.app.sight.look import looked
from cipherset.app.sight.may import may
from cipherset.app.workspace import Session
from cipherset.evidence.views.desk.shadow import ShadowMap, shadow_map, without_names


def see_shadow(session: Session) -> ShadowMap:
    """The map of all sightings that are kept; to see names is an act of its own.

    Raises:
        PolicyError: ``not_allowed``.
        IntegrityError: ``unseal``, ``sightings_schema``: what is kept was changed.
        BackendError: the ledger or a file cannot be read, or the look not written down.
    """
    with looked(session, "sightings") as (workspace, act):
        looks = [each.findings for each in sightings(workspace)]
        assets = {each["asset"] for look in looks for each in look if each["asset"]}
        found = shadow_map(looks, reviews(workspace, assets))
        act.facts["services"] = len(found.lines)
        if not may(workspace, Action.AUDIT):
            return without_names(found)
        with workspace.gate.act(Action.AUDIT, "sightings", {"what": "principals"}):
            return found
