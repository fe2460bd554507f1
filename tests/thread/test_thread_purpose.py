"""What rows were collected for, and what they are wanted for."""

from thread_samples import QUICK, vector_rows, write_rows
from thread_team import COLUMNS

from cipherset.custody.ledger import Ledger


def test_rows_serve_the_purpose_they_were_collected_for(team):
    team.ok("bob", "scan", team.source, "--purpose", "support")
    team.granted_protect()  # for routing
    refused = team.protect()
    assert refused.code == 3
    assert "it is there for 'support', and this is for 'routing'" in refused.error["message"]
    assert "rows serve the purpose" in refused.error["message"]
    other = team.refused("bob", "scan", team.source, "--purpose", "routing")
    assert other["code"] == "purpose_known"
    lower = ("relabel", team.source, "--level", "restricted", "--reason", "asked again")
    assert team.refused("ada", *lower, "--purpose", "routing")["code"] == "not_allowed"
    team.granted("ada", "relabel", team.source, by=("amy", "rev"))
    team.ok("ada", *lower, "--purpose", "routing")
    assert team.protect().code == 0


def test_an_export_and_a_model_serve_the_purpose_of_their_key(team):
    team.ok("kim", "key", "create", "churn", "--purpose", "churn")
    columns = [*COLUMNS[:-1], "churn"]
    risk = ("--accept-risk", "a trial")
    team.granted("bob", "protect", team.source, "key:churn", options=risk)
    team.ok("bob", "protect", team.source, *columns, "--to", team.target, *QUICK, *risk)
    at_gate = ("train", team.target, "--to", team.folder / "own.bundle", "--at-gate")
    team.granted("sci", "train.at-gate", team.target, by=("ada",))
    told = team.refused("sci", *at_gate)
    assert "it is there for 'churn', and this is for 'routing'" in told["message"]
    asked = team.ok("sci", "grant", "request", "train.at-gate", team.target, "--for", "churn")
    team.ok("ada", "grant", "approve", asked["grant"])
    team.ok("sci", *at_gate, "--for", "churn")
    with Ledger(f"sqlite:///{team.home / 'ledger.sqlite'}") as ledger:
        said = {asset.kind: asset.attributes.get("purpose") for asset in ledger.assets()}
    assert said["dataset"] == "churn"


def test_one_person_says_another_purpose_under_a_grant_alone(owner):
    source = write_rows(owner.folder / "rows.parquet", vector_rows(60))
    owner.ok("scan", source, "--purpose", "support")
    owner.ok("scan", source, "--purpose", "support")
    lower = ("relabel", source, "--level", "restricted", "--reason", "x", "--purpose", "ads")
    assert owner.run(*lower).error["code"] == "purpose_known"
