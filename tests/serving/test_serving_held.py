"""A workspace that is held while it, its ledger or its keys go away and come back."""

import json
import shutil

import pytest

from cipherset.app.gate import Action
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import BackendError


def code_of(work) -> str:
    with pytest.raises(BackendError) as caught:
        work()
    return caught.value.code


def acted(session, subject: str) -> None:
    with open_workspace(session) as workspace, workspace.gate.act(Action.VIEW, subject, {}):
        pass


def outcomes(session) -> list[tuple[str, str, bool]]:
    """Subject and outcome of each event, and whether it came late."""
    with open_workspace(session) as workspace:
        assert workspace.gate.ledger.verify().valid
        return [
            (event.subject, event.outcome, json.loads(event.body).get("late", False))
            for event in workspace.gate.ledger.events()
        ]


@pytest.mark.parametrize("what", ["", "keys", "workspace.json", "keys/_signer.json"])
def test_it_is_not_made_anew(session, what):
    with hold(session) as held:
        path = session.home / what
        away = session.home.parent / "away"
        path.rename(away)
        assert code_of(lambda: acted(held, "gone")) == "workspace_gone"
        assert not path.exists()
        away.rename(path)
        acted(held, "back")
    assert [subject for subject, *_ in outcomes(session)] == ["back", "back"]


def test_its_ledger_is_not_written_elsewhere(session):
    """Nor is another one that is put in its place, though it is a copy."""
    path = session.home / "ledger.sqlite"
    with hold(session) as held:
        acted(held, "before")
        away = path.rename(path.with_name("away"))
        assert code_of(lambda: acted(held, "gone")) == "ledger_unwritable"
        assert not path.exists()
        shutil.copy(away, path)
        assert code_of(lambda: acted(held, "other")) == "ledger_unwritable"
        away.rename(path)
        acted(held, "after")
    assert [subject for subject, *_ in outcomes(session)] == ["before"] * 2 + ["after"] * 2


@pytest.mark.parametrize("ends", ["done", "refused", "failed"])
def test_outcomes_that_could_not_be_written_come_first_when_they_can(session, ends):
    path = session.home / "ledger.sqlite"
    errors = {"refused": BackendError("x", code="busy", hint="y"), "failed": KeyError("x")}

    def lost(subject):
        with open_workspace(held) as workspace, workspace.gate.act(Action.VIEW, subject, {}):
            path.rename(path.with_name("away"))
            if ends in errors:
                raise errors[ends]

    with hold(session) as held:
        assert code_of(lambda: lost("owed")) == "ledger_unwritable"
        assert code_of(lambda: acted(held, "meanwhile")) == "ledger_unwritable"
        path.with_name("away").rename(path)
        acted(held, "next")
    assert outcomes(session) == [
        ("owed", "intended", False),
        ("owed", ends, True),
        ("next", "intended", False),
        ("next", "done", False),
    ]


def test_what_is_owed_is_written_at_the_end(session):
    path = session.home / "ledger.sqlite"
    with hold(session) as held:
        with (
            pytest.raises(BackendError),
            open_workspace(held) as workspace,
            workspace.gate.act(Action.VIEW, "owed", {}),
        ):
            path.rename(path.with_name("away"))
        path.with_name("away").rename(path)
    assert outcomes(session)[-1] == ("owed", "done", True)
