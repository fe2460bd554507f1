"""What decisions go by: the most that today's suite found, and what an older one did."""

import pytest

from cipherset.app.assess.finding import suite_digest
from cipherset.app.assets.measured import measured
from cipherset.app.workspace import Session, open_workspace
from cipherset.custody.ledger import Outcome
from cipherset.custody.policy import Verdict
from cipherset.interfaces.cli.output import TerminalProgress

EXPORT = "sha256:" + "e" * 64


@pytest.mark.parametrize("suite", [{}, {"suite": "sha256:older"}])
def test_an_assessment_by_no_suite_of_today_is_not_fresh(tmp_path, suite):
    with open_workspace(Session(tmp_path, "ada", tmp_path, TerminalProgress())) as workspace:
        _assessed(workspace, reid=0.3, verdict="not protective", **suite)
        found = measured(workspace, EXPORT)
        assert (found.reid, found.verdict, found.is_fresh) == (0.3, Verdict.NOT_PROTECTIVE, False)
        _assessed(workspace, reid=0.01, verdict="within limit", suite=suite_digest())
        found = measured(workspace, EXPORT)
        assert (found.reid, found.verdict, found.is_fresh) == (0.01, Verdict.WITHIN_LIMIT, True)


def _assessed(workspace, **facts):
    told = {"actor": "rev", "action": "assess", "subject": "rows"}
    workspace.gate.ledger.append(**told, outcome=Outcome.DONE, body={"manifest": EXPORT, **facts})
