"""The one door: in one transaction it gathers facts, decides, debits and writes; then the act runs.

An allowed act leaves an *intended* event before it and its outcome after; a refused one leaves a
*refused* event and costs nothing. If an event cannot be written the act does not happen. A key is
opened only while an act is under way, and only where it is bound to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from cipherset.app.gate import facts as gathering
from cipherset.app.gate.about import NOTHING, WORKSPACE, About, Moment, MomentOf, about_key
from cipherset.app.gate.exposure import check_use
from cipherset.app.gate.facts import Asked
from cipherset.app.gate.refusal import (
    NOT_ALLOWED,
    denied_from_afar,
    elsewhere,
    not_allowed,
    outside_act,
)
from cipherset.app.gate.who import Who
from cipherset.core.environment import NOWHERE, Environment, differing
from cipherset.core.errors import CiphersetError, PolicyError
from cipherset.custody.keys import KeyInfo
from cipherset.custody.ledger import Event, Ledger, Outcome, Transaction
from cipherset.custody.ledger.budgets import Debit, debit, rate_kind
from cipherset.custody.ledger.exposure import RowDebit, check_rows, spend_rows
from cipherset.custody.policy import Action, Decision, Kind, Policies, spoken

Fact = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Act:
    """An act under way; ``facts`` are added to its outcome event.

    ``grant_id``: the live grant that covers it, None where there is none.
    """

    gate: "Gate"
    action: Action
    subject: str
    facts: dict[str, Fact] = field(default_factory=dict)
    grant_id: str | None = None

    def spend(self, *debits: Debit, of_rows: Sequence[RowDebit] = ()) -> None:
        """Debit what only shows on the way, before it is spent.

        Raises:
            PolicyError: ``budget``; nothing is spent then.
        """
        self.gate.spend(self.action, self.subject, debits, of_rows)


class Settled(NamedTuple):
    """How a question was settled: denied, refused for another reason, or in an emergency.

    All None: it is allowed, and nothing more is to be said.
    """

    denied: Decision | None
    refusal: PolicyError | None
    broken: str | None

    @property
    def goes_on(self) -> bool:
        """Whether the act is to happen."""
        return self.denied is None and self.refusal is None


def unheard(_: str) -> None:
    """Tell nobody: the ledger has it, and there is no terminal."""


@dataclass(slots=True)
class KeptPolicies:
    """The policies as they were last parsed; which hold is asked in every transaction.

    ``parted``: the workspace was once under policies that part duties.
    """

    held: Policies | None = None
    parted: bool = False


class Gate:
    """Decides and records for one principal in one environment."""

    __slots__ = (
        "_opens",
        "_under_way",
        "_warn",
        "environment",
        "kept",
        "ledger",
        "signer_key",
        "who",
    )

    def __init__(
        self,
        ledger: Ledger,
        who: Who,
        environment: Environment = NOWHERE,
        *,
        signer_key: str = "",
        policies: KeptPolicies | None = None,
        warn: Callable[[str], None] = unheard,
    ) -> None:
        """For one caller's thread.

        Args:
            ledger: Where it is all written.
            who: The one who asks.
            environment: Where they ask.
            signer_key: The workspace's public key, which signs for who has none of their own.
            policies: Those that were parsed already, to be shared by gates on one ledger.
            warn: Is told what whoever asks must know, though it was allowed.
        """
        self.ledger = ledger
        self.signer_key = signer_key
        self.who = who
        self.environment = environment
        self.kept = policies or KeptPolicies()
        self._under_way = 0
        self._opens: tuple[About, ...] = ()
        self._warn = warn

    @property
    def actor(self) -> str:
        """The name of the one who asks."""
        return self.who.name

    def admit(self, key: KeyInfo, use: str) -> None:
        """Let the key be opened for ``use``, or record the refusal and raise it.

        Raises:
            PolicyError: ``key_environment``; ``outside_act``: no act is under way.
            BackendError: the refusal cannot be recorded.
        """
        unmet = differing(key.only_in, self.environment)
        if not unmet and self._under_way:
            self._judge_use(key, use)
            return
        refusal = elsewhere(key, unmet) if unmet else outside_act(key)
        body: dict[str, Fact] = {
            "code": refusal.code,
            "key_id": key.key_id,
            "unmet": ",".join(unmet),
            "use": use,
        }
        self._write(Action.KEY_USE, key.name, Outcome.REFUSED, body)
        raise refusal

    def _judge_use(self, key: KeyInfo, use: str) -> None:
        """Whether the policies let the key be opened, such as one that is not suspended.

        Asked in a transaction of its own, unless it was decided with the act under way.
        """
        about = about_key(key)
        if about in self._opens:
            return
        asked, decision = self.ledger.transact(lambda work: self._judged_use(work, about))
        if decision.is_allowed:
            return
        refusal = self._denial(asked, decision)
        body: dict[str, Fact] = {"code": refusal.code, "key_id": key.key_id, "use": use}
        self._write(Action.KEY_USE, key.name, Outcome.REFUSED, body)
        raise refusal

    def _judged_use(self, transaction: Transaction, about: About) -> tuple[Asked, Decision]:
        asked = gathering.gather(transaction, self, Action.KEY_USE, about, NOTHING)
        return asked, asked.policies.judge(asked.request)

    @contextmanager
    def act(
        self,
        action: Action,
        subject: str,
        facts: Mapping[str, Fact],
        *,
        about: About = WORKSPACE,
        moment: Moment | MomentOf = NOTHING,
    ) -> Iterator[Act]:
        """Decide, write the intent, let the body run, write the outcome.

        Raises:
            PolicyError: ``not_allowed``, ``budget``, ``exposure_join``, ``unproven``: written down,
                nothing done.
            BackendError: the intent cannot be written; then the body does not run.
        """
        asked = self.check(action, subject, facts, about=about, moment=moment)
        act = Act(self, action, subject, grant_id=asked.grant_id)
        before, self._opens = self._opens, (*self._opens, *asked.opens)
        self._under_way += 1
        try:
            yield act
        except CiphersetError as error:
            self._end(act, Outcome.REFUSED, {"code": error.code})
            raise
        except BaseException as error:
            self._end(act, Outcome.FAILED, {"type": type(error).__name__})
            raise
        finally:
            self._under_way -= 1
            self._opens = before
        self._end(act, Outcome.DONE, {})

    def check(
        self,
        action: Action,
        subject: str,
        facts: Mapping[str, Fact],
        *,
        about: About = WORKSPACE,
        moment: Moment | MomentOf = NOTHING,
    ) -> Asked:
        """What was asked, once it is decided, debited and written down as intended or refused.

        Raises: as ``act``.
        """

        def work(transaction: Transaction) -> tuple[Asked, Settled]:
            known = moment(transaction) if callable(moment) else moment
            asked = gathering.gather(transaction, self, action, about, known)
            settled = self._settle(transaction, subject, facts, asked, known)
            if settled.goes_on:
                asked = self._with_keys(transaction, asked, known.opens)
            return asked, settled

        asked, (denied, refusal, broken) = self.ledger.transact(work)
        if denied is not None:  # what would allow it takes a while to find: not in the transaction
            raise self._denial(asked, denied)
        if refusal is not None:
            raise refusal
        if broken is not None:
            self._warn(broken)
        return asked

    def _with_keys(self, transaction: Transaction, asked: Asked, keys: tuple[About, ...]) -> Asked:
        """With those of the keys that may be opened; one that may not is refused at its use."""
        may = tuple(key for key in keys if self._judged_use(transaction, key)[1].is_allowed)
        return replace(asked, opens=may)

    def spend(
        self,
        action: Action,
        subject: str,
        debits: tuple[Debit, ...],
        of_rows: Sequence[RowDebit] = (),
    ) -> None:
        """Debit, or write down that it was refused; see ``Act.spend``."""

        def work(transaction: Transaction) -> PolicyError | None:
            try:
                _spend(transaction, debits, of_rows)
            except PolicyError as refusal:
                _refused(transaction, self.actor, action, subject, {"code": refusal.code})
                return refusal
            return None

        refusal = self.ledger.transact(work)
        if refusal is not None:
            raise refusal

    def policies(self, transaction: Transaction) -> Policies:
        """The set that holds now; parsed again only when it is another."""
        self.kept.held = gathering.policies_now(
            transaction, self.kept.held, parted=self.kept.parted
        )
        return self.kept.held

    def _denial(self, asked: Asked, decision: Decision) -> PolicyError:
        """The refusal, with what would allow it for those who are here alone."""
        return not_allowed(asked, decision) if self.who.network is None else denied_from_afar()

    def _settle(
        self,
        transaction: Transaction,
        subject: str,
        facts: Mapping[str, Fact],
        asked: Asked,
        moment: Moment,
    ) -> "Settled":
        """Write what was decided: a denial of the policies, another refusal, or neither."""
        action = asked.request.action
        refusal = self.who.unproven(asked.public_key)
        decision = asked.policies.judge(asked.request) if refusal is None else _UNPROVEN
        told = {**facts, **_decided(decision, asked, self.who.emergency)}
        if refusal is None and not decision.is_allowed:
            _refused(transaction, self.actor, action, subject, {**told, "code": NOT_ALLOWED})
            return Settled(decision, None, None)
        if refusal is None:
            try:
                check_use(transaction, self, action, asked.about)
                rates = _rates(transaction, self.actor, asked)
                _spend(transaction, (*rates, *moment.debits), moment.row_debits)
            except PolicyError as error:
                refusal = error
        if refusal is not None:
            _refused(transaction, self.actor, action, subject, {**told, "code": refusal.code})
            return Settled(None, refusal, None)
        event = transaction.append(
            actor=self.actor, action=action, subject=subject, outcome=Outcome.INTENDED, body=told
        )
        return Settled(None, None, _broken_glass(event, decision, asked))

    def _end(self, act: Act, outcome: Outcome, told: Mapping[str, Fact]) -> None:
        """Write how it ended, as soon as it can be written."""
        self.ledger.append(
            actor=self.actor,
            action=act.action,
            subject=act.subject,
            outcome=outcome,
            body={**act.facts, **told},
            is_owed=True,
        )

    def _write(
        self, action: Action, subject: str, outcome: Outcome, body: Mapping[str, Fact]
    ) -> None:
        self.ledger.append(
            actor=self.actor, action=action, subject=subject, outcome=outcome, body=dict(body)
        )


_UNPROVEN: Final = Decision(is_allowed=False)


def _spend(
    transaction: Transaction, debits: tuple[Debit, ...], of_rows: Sequence[RowDebit]
) -> None:
    """All of it, or nothing.

    Raises:
        PolicyError: ``budget``.
    """
    check_rows(transaction, of_rows)
    debit(transaction, debits)
    spend_rows(transaction, of_rows)


def _refused(
    transaction: Transaction, actor: str, action: Action, subject: str, body: Mapping[str, Fact]
) -> None:
    transaction.append(
        actor=actor, action=action, subject=subject, outcome=Outcome.REFUSED, body=dict(body)
    )


def _decided(decision: Decision, asked: Asked, emergency: str | None) -> dict[str, Fact]:
    """Why, as the ledger keeps it."""
    told: dict[str, Fact] = {
        "kind": asked.about.kind.value,
        "policy": ",".join(decision.policies),
    }
    if asked.about.kind is not Kind.WORKSPACE:
        told["asset"] = asked.about.id
    if asked.grant_id is not None:
        told["grant"] = asked.grant_id
    if decision.is_break_glass:
        told["break_glass"] = emergency
        told["review_within_s"] = asked.policies.limits.break_glass.review_within_s
    return told


def _broken_glass(event: Event, decision: Decision, asked: Asked) -> str | None:
    """What whoever breaks glass is told."""
    if not decision.is_break_glass:
        return None
    within = spoken(asked.policies.limits.break_glass.review_within_s)
    return (
        f"glass was broken: {asked.request.action} is allowed in this emergency only, it is event "
        f"{event.seq} of the ledger, and a reviewer looks at it within {within}: cipherset audit "
        f"review {event.seq}"
    )


def _rates(transaction: Transaction, actor: str, asked: Asked) -> tuple[Debit, ...]:
    cap = asked.policies.limits.rates.get(asked.request.action)
    if cap is None:
        return ()
    scope = f"{actor}:{asked.request.action}"
    return (Debit(rate_kind(transaction.now), scope, 1, cap),)
