"""Who may read plain rows holds no grant on their encrypted rows: at a change of role, at use."""

from cipherset.custody.ledger import Ledger, Outcome


def held(team):
    """A scientist with a grant on an export's encrypted rows."""
    team.granted_protect()
    assert team.protect().code == 0
    return team.granted("sci", "export", team.target, by=("ada", "rev"))


def test_a_role_that_reads_plain_rows_is_not_given_to_who_reads_their_ciphertexts(team):
    grant = held(team)
    team.granted("root", "principal.change", "principal:sci=data-owner")
    told = team.refused("root", "principal", "change", "sci", "--role", "data-owner")
    assert told["code"] == "exposure_join"
    assert grant in told["message"]
    team.ok("rev", "grant", "revoke", grant)
    team.ok("root", "principal", "change", "sci", "--role", "data-owner")


def assessed(team, cap):
    """What an assessment of the export writes of its cap; None where pairs do not bind."""
    with Ledger(f"sqlite:///{team.home / 'ledger.sqlite'}") as ledger:
        (run,) = [run for run in ledger.runs() if run.kind == "protect" and run.outputs]
        found = {"suite": "an older one", "reid": 0.01, "verdict": "within limit"}
        body = {"manifest": run.outputs[0], "pair_cap": cap, **found}
        told = {"actor": "rev", "action": "assess", "subject": "rows.cipherset"}
        ledger.append(**told, outcome=Outcome.DONE, body=body)


def test_a_cap_that_fell_since_is_seen_at_the_next_use(team):
    team.granted_protect()
    assert team.protect().code == 0
    assessed(team, None)
    grant = team.granted("ada", "export", team.target, by=("amy", "rev"))
    team.ok("ada", "scan", team.source)
    assessed(team, 5)
    told = team.refused("ada", "scan", team.source)
    assert told["code"] == "exposure_join"
    assert grant in told["message"]
    assert "scan of rows.parquet" not in told["message"]
    team.ok("amy", "scan", team.source)
    team.ok("rev", "grant", "revoke", grant)
    team.ok("ada", "scan", team.source)
    assert [e.outcome for e in team.events() if (e.actor, e.action) == ("ada", "scan")] == [
        *("intended", "done"),
        "refused",
        *("intended", "done"),
    ]
