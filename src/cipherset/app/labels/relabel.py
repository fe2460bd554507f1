"""``relabel``: the owner says that something is more sensitive than was found, or less.

Raising a label is anyone's right and is written down. Lowering one takes a grant.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cipherset.app.gate import Action, Fact
from cipherset.app.labels.record import known_label, record_label, record_source, recorded_run
from cipherset.app.places import Made
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError, PolicyError
from cipherset.core.labels import Label, joined
from cipherset.evidence.views.labels import LABEL, RELABEL
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.ingest import open_source


class MayLower(Protocol):
    """Whether a grant lets an actor lower the label of an asset."""

    def __call__(self, workspace: Workspace, asset: str, to: Label) -> bool: ...


def nobody_may_lower(workspace: Workspace, asset: str, to: Label) -> bool:
    """The answer where there are no grants."""
    return False


@dataclass(frozen=True, slots=True)
class RelabelRequest:
    """What ``relabel`` is asked to do, and why.

    ``label`` is added to what is known, unless its level is lower or it is to hold ``exactly``.
    """

    subject: str
    label: Label
    reason: str
    exactly: bool = False


@dataclass(frozen=True, slots=True)
class Relabeled:
    """The label before, None where there was none, and now."""

    asset: str
    before: Label | None
    label: Label


def relabel(
    session: Session, request: RelabelRequest, *, may_lower: MayLower = nobody_may_lower
) -> Relabeled:
    """The label of a source or a cipherset, raised, or lowered where ``may_lower`` allows it.

    Raises:
        PolicyError: ``label_lower``.
        InputError: ``label_unknown``: a cipherset that this workspace has not made; or the source
            is not fit.
        IntegrityError: the cipherset was changed.
        BackendError: the ledger cannot be written.
    """
    facts: dict[str, Fact] = {"label": request.label.level.value, "reason": request.reason}
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.RELABEL, request.subject, facts) as act,
    ):
        asset = _asset(workspace, request.subject)
        act.facts["asset"] = asset
        before = known_label(workspace, asset)
        wanted = _wanted(request, before)
        if before is not None and wanted.is_lower_than(before):
            if not may_lower(workspace, asset, wanted):
                raise _lower(before)
            told = {LABEL: wanted.as_json(), "reason": request.reason}
            with recorded_run(workspace, RELABEL, [asset], told):
                pass
        else:
            record_label(workspace, asset, wanted, {"reason": request.reason})
        after = known_label(workspace, asset) or wanted
    return Relabeled(asset, before, after)


def _wanted(request: RelabelRequest, before: Label | None) -> Label:
    asked = request.label
    if before is None or request.exactly or asked.level.rank < before.level.rank:
        return asked
    return joined([before, asked]) or asked


def _asset(workspace: Workspace, subject: str) -> str:
    if not (Path(subject) / Made.CIPHERSET).is_file():
        return record_source(workspace, open_source(subject))
    digest = open_cipherset(subject, signer=workspace.fingerprint).manifest_digest
    if workspace.gate.ledger.asset(digest) is None:
        raise InputError(
            "the ledger does not know this cipherset, so it has no label to change",
            code="label_unknown",
            hint="run this in the workspace (--home) that made it",
        )
    return digest


def _lower(before: Label) -> PolicyError:
    what = " ".join([before.level, *before.tags])
    outside = ", ".join(before.trusts)
    return PolicyError(
        f"it is labeled {what}{f' of {outside} rows' if outside else ''}, and a label is lowered "
        "(its level, a tag or an outside trust taken away) by a grant only",
        code="label_lower",
        hint="ask for a grant, or leave the label: take out what makes it so and label the result",
    )
