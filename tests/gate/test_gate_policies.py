"""What the gate makes of the policies that are stored."""

import pytest
from sqlalchemy import delete, update

from cipherset.app.access.init import init
from cipherset.app.gate import Action
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger.tables import policies
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.interfaces.cli.output import TerminalProgress


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path / "workspace", "ada", tmp_path, TerminalProgress())
    init(made, BuiltIn.TEAM)
    return made


def _alter(session, change):
    with open_workspace(session) as workspace:
        workspace.gate.ledger.transact(lambda work: work.connection.execute(change))


def _code(session):
    with open_workspace(session) as workspace, pytest.raises(IntegrityError) as caught:
        workspace.gate.check(Action.AUDIT, "a test", {})
    return caught.value.code


def test_policies_that_were_taken_away_leave_nobody_with_everything(session):
    _alter(session, delete(policies))
    assert _code(session) == "policy_lost"


def test_policies_that_parted_no_duties_are_missed_too(tmp_path):
    """By the event of their activation, where no mark in the workspace says that there were any."""
    made = Session(tmp_path / "workspace", "ada", tmp_path, TerminalProgress())
    init(made, BuiltIn.SOLO)
    _alter(made, delete(policies))
    assert _code(made) == "policy_lost"


def test_changed_policies_do_not_hold(session):
    solo = builtin.load(BuiltIn.SOLO)
    _alter(session, update(policies).values(text=solo.source))
    assert _code(session) == "policy_changed"


def test_policies_are_asked_again_when_they_are_others(session):
    """A process that runs on sees at once what another one activated."""
    with open_workspace(session) as workspace:
        gate = workspace.gate
        before = gate.ledger.transact(gate.policies)
        assert gate.ledger.transact(gate.policies) is before
        texts = {"own.cedar": '@id("own") @why("own") permit (principal, action, resource);'}
        from cipherset.app.access.activation import hold
        from cipherset.custody.policy import Policies

        own = Policies.load(texts, builtin.limits(BuiltIn.SOLO))
        gate.ledger.transact(lambda work: hold(work, own, author="ada"))
        assert gate.ledger.transact(gate.policies).digest == own.digest
