"""Policies explained: why something was refused, and what would come of an act that nobody does."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from cipherset.app.assets.measured import measured
from cipherset.app.gate import Action, Gate, Who
from cipherset.app.gate.about import WORKSPACE, About, Moment, about_key, key_digest
from cipherset.app.gate.facts import Asked, gather
from cipherset.app.sight.desk.assets import asset_unknown
from cipherset.app.sight.gather import LATELY
from cipherset.app.sight.look import looked
from cipherset.app.sight.may import may
from cipherset.app.workspace import Session, Workspace
from cipherset.core.errors import UsageError
from cipherset.custody.ledger import Event, Outcome, Transaction
from cipherset.custody.ledger.records import find_asset, notices_since
from cipherset.custody.policy import Decision, Kind, Policies
from cipherset.custody.policy.texts import Rule

_KEY: Final = "key:"
_REFUSALS: Final = 20


@dataclass(frozen=True, slots=True)
class Question:
    """Whether ``principal`` may do ``action`` with ``asset``: an id, ``key:NAME``, or all of it."""

    principal: str
    action: Action
    asset: str = WORKSPACE.name
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision as of now, the policies that made it, and what it was made from.

    ``approvals`` are how many of each role a grant for it takes.
    """

    question: Question
    asset: str
    roles: tuple[str, ...]
    label: str
    standing: str
    decision: Decision
    rules: tuple[Rule, ...]
    approvals: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An act that was refused, and by what: the policies of that time by their ids, or a code."""

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    code: str
    policies: tuple[str, ...]
    asset: str
    kind: Kind = Kind.WORKSPACE


@dataclass(frozen=True, slots=True)
class Explored:
    """All of it. ``refusals`` are None where the one who looks may not see events."""

    digest: str
    rules: tuple[Rule, ...]
    refusals: tuple[Refusal, ...] | None
    refusal: Refusal | None
    answer: Answer | None


def explore(session: Session, question: Question | None, event: int | None) -> Explored:
    """The policies that hold, and the answer to a question, or to that of a refused event.

    Raises:
        PolicyError: ``not_allowed``: such as an event, for who may not see any.
        UsageError: ``asset_unknown``; ``refusal_unknown``: the event is none.
        BackendError: the ledger cannot be read, or written: to look is an act too.
    """
    with looked(session, "policies") as (workspace, _):
        refusals, refusal = None, None
        if event is not None or may(workspace, Action.AUDIT):
            with workspace.gate.act(Action.AUDIT, "events", {"what": "refusals"}):
                refusals = tuple(_refusals(workspace))
                refusal = None if event is None else _refused(workspace, event)
        policies = workspace.gate.ledger.look(workspace.gate.policies)
        if refusal is not None:
            answer = _answer_again(workspace, refusal)
        else:
            answer = None if question is None else _answer(workspace, question)
    return Explored(policies.digest, policies.rules, refusals, refusal, answer)


def _answer_again(workspace: Workspace, refusal: Refusal) -> Answer | None:
    """What would come of the same today; None of an action that is none any more."""
    if refusal.action not in set(Action):
        return None
    about = WORKSPACE
    if refusal.asset:
        about = About(refusal.kind, refusal.asset, refusal.subject)
    question = Question(refusal.actor, Action(refusal.action), about.id)
    return _answered(workspace, question, about)


def _answer(workspace: Workspace, question: Question) -> Answer:
    return _answered(workspace, question, _about(workspace, question.asset))


def _answered(workspace: Workspace, question: Question, about: About) -> Answer:
    known = measured(workspace, about.id)
    moment = Moment(
        purpose=question.purpose or None,
        reid=known.reid,
        verdict=known.verdict,
        is_fresh=known.is_fresh,
    )
    asked = workspace.gate.ledger.look(
        lambda work: gather(work, _as(workspace, question), question.action, about, moment)
    )
    return _told(question, about, asked)


def _told(question: Question, about: About, asked: Asked) -> Answer:
    request, policies = asked.request, asked.policies
    decision = policies.decide(request)
    needed = policies.limits.approvals_for(request.action, request.resource.label)
    return Answer(
        question=question,
        asset=about.name,
        roles=tuple(sorted(request.principal.roles)),
        label=request.resource.label.value,
        standing=request.resource.status.value,
        decision=decision,
        rules=_rules(policies, decision.policies),
        approvals=tuple(sorted((role.value, count) for role, count in needed.items())),
    )


def _rules(policies: Policies, ids: Iterable[str]) -> tuple[Rule, ...]:
    wanted = frozenset(ids)
    return tuple(rule for rule in policies.rules if rule.id in wanted)


def _as(workspace: Workspace, question: Question) -> Gate:
    """A gate that somebody else would ask; nothing passes it, it only gathers what it would."""
    gate = workspace.gate
    who = Who(question.principal, gate.who.authenticated, network=gate.who.network)
    return Gate(gate.ledger, who, gate.environment, signer_key=gate.signer_key, policies=gate.kept)


def _about(workspace: Workspace, text: str) -> About:
    """By what the ledger and the key ring have; never a place on a disk."""
    if text in {"", WORKSPACE.name}:
        return WORKSPACE
    for key in workspace.ring.list():
        ids = {key_digest(key.key_id, each.version) for each in key.versions}
        if text == f"{_KEY}{key.name}" or text in ids:
            return about_key(key)
    found = workspace.gate.ledger.look(lambda work: find_asset(work.connection, text))
    if found is None:
        raise asset_unknown()
    return About(Kind(found.kind), found.id, found.name)


def _refusals(workspace: Workspace) -> list[Refusal]:
    def work(transaction: Transaction) -> list[Event]:
        since = (transaction.now - LATELY).isoformat(timespec="microseconds")
        return list(notices_since(transaction.connection, since))

    events = reversed(workspace.gate.ledger.look(work))
    return [_refusal(each) for each in events if each.outcome == Outcome.REFUSED][:_REFUSALS]


def _refused(workspace: Workspace, number: int) -> Refusal:
    event = next(workspace.gate.ledger.events(number - 1), None)
    if event is None or event.outcome != Outcome.REFUSED:
        raise UsageError(
            "there is no refusal of that number",
            code="refusal_unknown",
            hint="take its number from the audit trail: cipherset audit list",
        )
    return _refusal(event)


def _refusal(event: Event) -> Refusal:
    facts: dict[str, Any] = json.loads(event.body)
    policies = str(facts.get("policy") or "")
    return Refusal(
        seq=event.seq,
        time=event.time,
        actor=event.actor,
        action=event.action,
        subject=event.subject,
        code=str(facts.get("code", "")),
        policies=tuple(policies.split(",")) if policies else (),
        asset=str(facts.get("asset", "")),
        kind=Kind(facts.get("kind", Kind.WORKSPACE)),
    )
