"""A team that did a little of everything, and its report."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "thread"))

import thread_team

from cipherset.app.assess.finding import suite_digest
from cipherset.core import canonical
from cipherset.custody.ledger import Ledger, Outcome, RunStatus

EXPORT = canonical.digest({"an": "export"})
BAD_EXPORT = canonical.digest({"another": "export"})
SOURCE = canonical.digest({"a": "source"})
LOOSE = canonical.digest({"another": "model"})
MODEL = canonical.digest({"a": "model"})
SINCE = ("--since", "2020-01-01")
# A name that a page must show and neither page nor PDF may obey.
HOSTILE = '<script>alert(1)</script><font color="red">x</font> & "y"'


def team(folder):
    """Acts, refusals, an emergency, an alert, exports with and without evidence, a model."""
    made = thread_team.Team(folder)
    made.refused("sci", "scan", made.source)
    made.refused("sci", "scan", made.source)
    made.granted("sci", "evaluate", made.source, by=("ada", "rev"))
    made.ok("kim", "key", "rotate", "support")
    made.ok("kim", "key", "retire", "support", "--version", "1")
    leaked = ("--version", "1", "--yes", "--force", "--break-glass", "it leaked")
    made.ok("kim", "key", "destroy", "support", *leaked)
    with Ledger(f"sqlite:///{made.home / 'ledger.sqlite'}") as ledger:
        _record(ledger, made.ok("kim", "key", "list")["keys"][0]["key_id"])
    return made


def _record(ledger, key_id):
    told = {"key_id": key_id, "key_version": 2, "rows": 9}
    ledger.record_asset(SOURCE, actor="bob", kind="dataset", name="rows", attributes={})
    for id, name in ((EXPORT, "good"), (BAD_EXPORT, HOSTILE)):
        attributes = {"cipherset_id": name, **told}
        run = ledger.start_run("protect", actor="bob", inputs=[SOURCE], parameters=told)
        ledger.record_asset(id, actor="bob", kind="dataset", name=name, attributes=attributes)
        ledger.finish_run(run.id, status=RunStatus.DONE, outputs=[id])
    told = {"at_gate": False, "brought": True}
    run = ledger.start_run("train", actor="sci", inputs=[BAD_EXPORT], parameters=told)
    ledger.record_asset(LOOSE, actor="sci", kind="model", name="loose", attributes={})
    ledger.record_asset(MODEL, actor="sci", kind="model", name="brought", attributes={})
    ledger.finish_run(run.id, status=RunStatus.DONE, outputs=[MODEL])

    def happened(actor, action, outcome, body):
        ledger.append(actor=actor, action=action, subject="something", outcome=outcome, body=body)

    found = {"manifest": EXPORT, "reid": 0.012, "verdict": "within limit", "pair_cap": None}
    happened("rev", "assess", Outcome.DONE, {**found, "n_star": None, "suite": suite_digest()})
    stale = {**found, "manifest": BAD_EXPORT, "verdict": "not protective", "suite": "older"}
    happened("rev", "assess", Outcome.DONE, {**stale, "n_star": 7})
    happened("dora", "deploy", Outcome.INTENDED, {"accepted_risk": "for a week", "asset": MODEL})
    happened("dora", "deploy", Outcome.DONE, {"bundle": MODEL})
    happened("svc", "predict", Outcome.INTENDED, {"asset": MODEL, "kind": "model"})
    happened("svc", "predict", Outcome.DONE, {"rows": 5})
    happened("svc", "predict", Outcome.INTENDED, {"asset": MODEL, "kind": "model"})
    alert = {"kind": "bulk", "of": "predict", "found": 99, "usual": 3, "stopped": "grant-1"}
    happened("eve", "alert", Outcome.DONE, alert)
