"""The one door: what is about to happen is written down first, then done, then its outcome.

Today's policy is ``solo``: one person may do everything, and every act says so. The decision
has its place here, before the act, so that a policy engine changes this file and no other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cipherset.core.errors import CiphersetError
from cipherset.custody.ledger import Ledger, Outcome

SOLO: Final = "solo"
Fact = str | int | float | bool | None


class Action(StrEnum):
    """What can be asked of the gate; the same word as the command."""

    KEY_CREATE = "key.create"
    KEY_ROTATE = "key.rotate"
    KEY_RETIRE = "key.retire"
    KEY_DESTROY = "key.destroy"
    PROTECT = "protect"
    ASSESS = "assess"
    CALIBRATE = "calibrate"
    TRAIN_AT_GATE = "train.at-gate"
    EVALUATE = "evaluate"
    PREDICT = "predict"


@dataclass(frozen=True, slots=True)
class Act:
    """An act under way; ``facts`` are added to its outcome event."""

    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides and records for one actor."""

    ledger: Ledger
    actor: str

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
