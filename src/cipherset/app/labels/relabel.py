"""``relabel``: the owner says that something is more sensitive than was found, or less.

Raising a label is free to whoever may look through rows, and written down. Lowering one is an
act of its own, and takes a grant for it even where the policy lets one person do everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cipherset.app.gate import NOTHING, About, Action, Fact
from cipherset.app.gate.assets import PURPOSE
from cipherset.app.gate.facts import gather
from cipherset.app.gate.subjects import named
from cipherset.app.labels.record import (
    DATASET,
    known_home,
    known_label,
    known_purpose,
    record_label,
    recorded_run,
)
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError, PolicyError
from cipherset.core.labels import Label, Level, joined
from cipherset.evidence.views.labels import LABEL, RELABEL


@dataclass(frozen=True, slots=True)
class RelabelRequest:
    """What ``relabel`` is asked to do, and why.

    ``label`` is added to what is known, unless its level is lower or it is to hold ``exactly``.
    ``purpose`` is what the rows were collected for, ``home`` whose they are and where they are to
    stay; anything else than was said takes a grant too.
    """

    subject: str
    label: Label
    reason: str
    exactly: bool = False
    purpose: str | None = None
    home: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> dict[str, str]:
        """What is said of the rows, by what it is."""
        purpose = {} if self.purpose is None else {PURPOSE: self.purpose}
        return {**purpose, **self.home}


@dataclass(frozen=True, slots=True)
class Relabeled:
    """The label before, None where there was none, and now."""

    asset: str
    before: Label | None
    label: Label


def relabel(session: Session, request: RelabelRequest) -> Relabeled:
    """The label of a source, a cipherset or a model, raised, or lowered under a grant.

    Raises:
        PolicyError: ``label_lower``, ``purpose_known``, ``not_allowed``.
        InputError: ``label_unknown``: the ledger does not know it; or it cannot be read.
        IntegrityError: the cipherset or the model was changed.
        BackendError: the ledger cannot be written.
    """
    with open_workspace(session) as workspace:
        about = named(workspace, request.subject)
        before = known_label(workspace, about.id)
        wanted = _wanted(request, before)
        held = before or _unlabeled(workspace)
        other = _is_other(workspace, about, request)
        is_lower = other or (held is not None and wanted.is_lower_than(held))
        action = Action.RELABEL if is_lower else Action.SCAN
        facts: dict[str, Fact] = {"label": wanted.level.value, "reason": request.reason}
        with workspace.gate.act(action, request.subject, facts, about=about) as act:
            act.facts["asset"] = about.id
            _check_known(workspace, about, request.subject)
            if is_lower and not _is_granted(workspace, about):
                raise _lower(held, about) if held is not None and not other else _other(about)
            _record(workspace, about, request, wanted, is_lower=is_lower)
        return Relabeled(about.id, before, known_label(workspace, about.id) or wanted)


def _record(
    workspace: Workspace, about: About, request: RelabelRequest, wanted: Label, *, is_lower: bool
) -> None:
    told = {"reason": request.reason}
    if is_lower:
        with recorded_run(workspace, RELABEL, [about.id], {**told, LABEL: wanted.as_json()}):
            pass
    else:
        record_label(workspace, about.id, wanted, told)
    for what, value in request.said.items():
        with recorded_run(workspace, what, [about.id], {what: value}):
            pass


def _is_other(workspace: Workspace, about: About, request: RelabelRequest) -> bool:
    """Whether something else was said of the rows than is to be said now."""
    return any(
        known is not None and known != value
        for what, value in request.said.items()
        for known in [
            known_purpose(workspace, about.id)
            if what == PURPOSE
            else known_home(workspace, about.id, what)
        ]
    )


def _unlabeled(workspace: Workspace) -> Label | None:
    """What nobody labeled: restricted, but to one person who does everything."""
    gate = workspace.gate
    limits = gate.ledger.transact(gate.policies).limits
    return None if limits.grants.self_approval else Label(level=Level.RESTRICTED)


def _wanted(request: RelabelRequest, before: Label | None) -> Label:
    asked = request.label
    if before is None or request.exactly or asked.level.rank < before.level.rank:
        return asked
    return joined([before, asked]) or asked


def _is_granted(workspace: Workspace, about: About) -> bool:
    gate = workspace.gate
    asked = gate.ledger.transact(lambda work: gather(work, gate, Action.RELABEL, about, NOTHING))
    return asked.grant_id is not None


def _check_known(workspace: Workspace, about: About, subject: str) -> None:
    gate = workspace.gate
    if Path(subject).is_file():
        gate.ledger.record_asset(
            about.id, actor=gate.actor, kind=DATASET, name=about.name, attributes={}
        )
    elif gate.ledger.asset(about.id) is None:
        raise InputError(
            f"the ledger does not know {about.name}, so it has no label to change",
            code="label_unknown",
            hint="run this in the workspace (--home) that made it",
        )


def _other(about: About) -> PolicyError:
    return PolicyError(
        f"the rows of {about.name} were collected for something else, or are another's; another "
        "purpose, tenant or region is said under a grant only",
        code="purpose_known",
        hint=f"ask for one: cipherset grant request relabel {about.name} --for PURPOSE",
    )


def _lower(before: Label, about: About) -> PolicyError:
    what = " ".join([before.level, *before.tags])
    outside = f" of {', '.join(before.trusts)} rows" if before.trusts else ""
    return PolicyError(
        f"{about.name} is labeled {what}{outside}, and a label is lowered (its level, a tag or an "
        "outside trust taken away) under a grant only",
        code="label_lower",
        hint=f"ask for one: cipherset grant request relabel {about.name} --for PURPOSE; or take "
        "out what makes it so, and label the result",
    )
