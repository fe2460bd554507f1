"""What callers of Python may ask, which the command line would not let through."""

from pathlib import Path

import pytest

from cipherset.app.exports.private.release import release_synthetic
from cipherset.app.exports.request import ProtectRequest
from cipherset.app.gate import Action, Gate, Who
from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.scanning.request import ScanRequest
from cipherset.app.training.filters import filters_named
from cipherset.app.workspace import Session
from cipherset.core.errors import PolicyError, UsageError
from cipherset.core.values import ColumnRoles
from cipherset.custody.ledger import Ledger
from cipherset.custody.ledger.budgets import QUERIES, Debit
from cipherset.interfaces.cli.output import TerminalProgress


def test_what_is_spent_on_the_way_is_refused_and_written_down(tmp_path):
    with Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        gate = Gate(ledger, Who("ada"))
        with gate.act(Action.AUDIT, "a test", {}) as act:
            act.spend(Debit(QUERIES, "m", 1, 1))
            with pytest.raises(PolicyError) as caught:
                act.spend(Debit(QUERIES, "m", 1, 1))
        assert caught.value.code == "budget"
        assert [event.outcome for event in ledger.events()] == ["intended", "refused", "done"]


def test_requests_that_make_no_sense(tmp_path):
    with pytest.raises(UsageError):
        ScanRequest("rows.csv", sample=0)
    with pytest.raises(UsageError):
        SanitizeRequest("rows.csv", ("body",), Path(tmp_path / "out.csv"), canaries=-1)
    asked = ProtectRequest("rows.csv", ColumnRoles((), "vec", "topic"), "key", tmp_path / "out")
    with pytest.raises(UsageError) as caught:
        release_synthetic(Session(tmp_path, "ada", tmp_path, TerminalProgress()), asked)
    assert caught.value.code == "usage"
    with pytest.raises(UsageError) as caught:
        filters_named(["nothing"])
    assert caught.value.code == "row_filter"
