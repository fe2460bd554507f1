"""The table of an assessment: no two of its lines are alike that say different things."""

from pathlib import Path
from types import SimpleNamespace

from cipherset.interfaces.cli.commands.rows.assess import _rows


def line(name, given, metric="reid_rank1_in_class", **more):
    told = {"knowledge": "K2", "value": 0.5, "chance": 0.1}
    return {"name": name, "given": given, "metric": metric} | told | more


def excess(name, given):
    return line(name, given, excess=0.25, excess_ci=[-0.1, 0.5])


def test_what_was_tried_in_several_ways_says_in_which():
    attacks = (
        excess("map learned from pairs", "10 known pairs"),
        excess("map learned from pairs", "100 known pairs; own objective 0.1"),
        line("map learned from pairs", "10 known pairs", "reid_mrr"),
        excess("nearest and joint candidate", "file, key, minimizer"),
        line("membership", "query: stored; answers: labels", "tpr_at_fpr_0.01"),
    )
    finding = SimpleNamespace(
        reasons=(), attacks=attacks, n_star=None, pairs_tested=100, not_run=()
    )
    rows = _rows(SimpleNamespace(finding=finding, folder=Path("there")))
    assert [name for name, _ in rows[:2]] == ["figures", "attackers hold"]
    assert rows[2:6] == [
        ("K2 map learned from pairs, 10 known pairs", "0.2500 (0.0000 to 0.5000)"),
        ("K2 map learned from pairs, 100 known pairs", "0.2500 (0.0000 to 0.5000)"),
        ("K2 nearest and joint candidate", "0.2500 (0.0000 to 0.5000)"),
        ("K2 membership", "0.5000, chance 0.1000  (tpr_at_fpr_0.01)"),
    ]
