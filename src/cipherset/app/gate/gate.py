"""The one door: what is about to happen is written down first, then done, then its outcome.

Today's policy is ``solo``: one person may do everything, and every act says so. What is decided
today is where a key may be used: the key ring asks ``Gate.admit`` before it opens any secret, and
``decide`` answers, so that a policy engine replaces that one function.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cipherset.core.environment import NOWHERE, Environment, differing
from cipherset.core.errors import CiphersetError, PolicyError
from cipherset.custody.keys import KeyInfo
from cipherset.custody.ledger import Ledger, Outcome

SOLO: Final = "solo"
Fact = str | int | float | bool | None


class Action(StrEnum):
    """What can be asked of the gate; the same word as the command."""

    KEY_BIND = "key.bind"
    KEY_CREATE = "key.create"
    KEY_ROTATE = "key.rotate"
    KEY_RETIRE = "key.retire"
    KEY_DESTROY = "key.destroy"
    KEY_USE = "key.use"
    PROTECT = "protect"
    ASSESS = "assess"
    CALIBRATE = "calibrate"
    TRAIN_AT_GATE = "train.at-gate"
    EVALUATE = "evaluate"
    PREDICT = "predict"
    SCAN = "scan"
    RELABEL = "relabel"
    AUDIT = "audit"
    AUDIT_ACCEPT = "audit.accept"


@dataclass(frozen=True, slots=True)
class Act:
    """An act under way; ``facts`` are added to its outcome event."""

    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision on the use of a key depends on."""

    actor: str
    use: str
    key: KeyInfo
    environment: Environment


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may be; ``because`` names the kinds of conditions that are not met."""

    is_allowed: bool
    because: tuple[str, ...] = ()


def decide(facts: Facts) -> Decision:
    """Allow the use of a key where every kind of condition it is bound by is met."""
    unmet = differing(facts.key.only_in, facts.environment)
    return Decision(not unmet, unmet)


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides and records for one actor in one environment."""

    ledger: Ledger
    actor: str
    environment: Environment = NOWHERE

    def admit(self, key: KeyInfo, use: str) -> None:
        """Let the key be opened for ``use``, or record the refusal and raise it.

        Raises:
            PolicyError: ``key_environment``.
            BackendError: the refusal cannot be recorded.
        """
        decision = decide(Facts(self.actor, use, key, self.environment))
        if decision.is_allowed:
            return
        refusal = _elsewhere(key, decision)
        facts: dict[str, Fact] = {
            "code": refusal.code,
            "key_id": key.key_id,
            "policy": SOLO,
            "unmet": ",".join(decision.because),
            "use": use,
        }
        self._write(Action.KEY_USE, key.name, Outcome.REFUSED, facts)
        raise refusal

    @contextmanager
    def act(self, action: Action, subject: str, facts: Mapping[str, Fact]) -> Iterator[Act]:
        """Write the intent, let the body run, write the outcome.

        Raises:
            BackendError: the intent cannot be written; then the body does not run.
        """
        self._write(action, subject, Outcome.INTENDED, {**facts, "policy": SOLO})
        act = Act()
        try:
            yield act
        except CiphersetError as error:
            self._write(action, subject, Outcome.REFUSED, {**act.facts, "code": error.code})
            raise
        except BaseException as error:
            self._write(
                action, subject, Outcome.FAILED, {**act.facts, "type": type(error).__name__}
            )
            raise
        self._write(action, subject, Outcome.DONE, act.facts)

    def _write(
        self, action: Action, subject: str, outcome: Outcome, body: Mapping[str, Fact]
    ) -> None:
        self.ledger.append(
            actor=self.actor, action=action, subject=subject, outcome=outcome, body=dict(body)
        )


def _elsewhere(key: KeyInfo, decision: Decision) -> PolicyError:
    kinds = ", ".join(decision.because)
    why = (
        "; an identity is known of a verified connection only, never on the command line"
        if "identity" in decision.because
        else ""
    )
    return PolicyError(
        f"key {key.name} is not to be used here: this environment does not match the {kinds} that "
        f"it is bound to{why}",
        code="key_environment",
        hint=f"use it where it belongs: cipherset key show {key.name} says where that is, "
        "cipherset key environment what is known of this place",
    )
