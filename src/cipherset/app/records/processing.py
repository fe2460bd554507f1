"""The record of processing activities: one for each key, for a key stands for a purpose.

Source: Regulation (EU) 2016/679 (GDPR), article 30(1)(a) to (g).
"""

from typing import Any, Final

from cipherset.app.assets.measured import measured
from cipherset.app.gate import Action
from cipherset.app.labels.record import known_label
from cipherset.app.records.uses import Use, uses
from cipherset.app.workspace import Workspace
from cipherset.core.labels import joined
from cipherset.custody.keys import KeyInfo
from cipherset.custody.ledger import Asset, Run
from cipherset.custody.policy import Policies
from cipherset.evidence.views.lineage import downstream, upstream

_GAP: Final = None  # what only people know
# What hands somebody what was made of the rows.
RECEIVING: Final = frozenset(
    {
        Action.TRAIN_AT_GATE,
        Action.TRAIN_TOGETHER,
        Action.EVALUATE,
        Action.PREDICT,
        Action.PREDICT_SCORES,
        Action.QUERY,
        Action.DEPLOY,
    }
)


def record_of_processing(workspace: Workspace) -> dict[str, Any]:
    """The record as JSON; null where only people know."""
    ledger = workspace.gate.ledger
    policies = ledger.transact(workspace.gate.policies)
    assets, runs, acts = ledger.assets(), ledger.runs(), uses(ledger.events())
    return {
        "record": "GDPR article 30(1)",
        "controller": _GAP,
        "representative": _GAP,
        "data_protection_officer": _GAP,
        "activities": [
            _activity(workspace, key, _exports(assets, key), runs, acts, policies)
            for key in workspace.ring.list()
        ],
        "time_limits": {
            "datasets_days": policies.limits.retention.dataset_days,
            "models_days": policies.limits.retention.model_days,
            "events_days_at_least": policies.limits.retention.events_days,
        },
        "organizational_measures": {
            "policies": policies.digest,
            "one_person_may_do_everything": policies.limits.grants.self_approval,
            "roles_never_together": [sorted(each.roles) for each in policies.limits.conflicts],
        },
    }


def _exports(assets: tuple[Asset, ...], key: KeyInfo) -> list[Asset]:
    return [
        each
        for each in assets
        if "cipherset_id" in each.attributes and each.attributes["key_id"] == key.key_id
    ]


def _activity(
    workspace: Workspace,
    key: KeyInfo,
    exports: list[Asset],
    runs: tuple[Run, ...],
    acts: list[Use],
    policies: Policies,
) -> dict[str, Any]:
    ids = {each.id for each in exports}
    sources, made = upstream(ids, runs), downstream(ids, runs)
    label = joined(known_label(workspace, each) for each in sorted(sources | ids))
    return {
        "purpose": key.purpose or _GAP,
        "key": key.key_id,
        "key_status": key.status.value,
        "categories_of_data_subjects": _GAP,
        "categories_of_personal_data": None
        if label is None
        else {"level": label.level.value, "found": [tag.value for tag in label.tags]},
        "recipients": sorted(
            {
                act.actor
                for act in acts
                if act.action in RECEIVING and {act.facts.get("asset")} & (ids | made)
            }
        ),
        "transfers_to_third_countries": _GAP,
        "rows": sum(int(each.attributes["rows"]) for each in exports),
        "sources": sorted(sources),
        "safeguards": [_safeguard(workspace, each, policies) for each in exports],
    }


def _safeguard(workspace: Workspace, export: Asset, policies: Policies) -> dict[str, Any]:
    """What protects one export, and what of that was measured."""
    found = measured(workspace, export.id)
    return {
        "export": export.id,
        "made": export.created,
        "reidentification_up_to": found.reid,
        "verdict": None if found.verdict is None else found.verdict.value,
        "measured_with_the_attacks_of_today": found.is_fresh,
        "limit": policies.limits.max_reid,
    }
