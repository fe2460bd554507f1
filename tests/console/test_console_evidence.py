"""Risk, threats, lineage, red team and calibration: what the commands compute, as pages."""

import re
from itertools import pairwise

import pytest
from console_samples import of, session_of, team_with

from cipherset.app.calibration.kept import read_calibration
from cipherset.app.sight.risk.run import view_risk
from cipherset.app.sight.threats import threats
from cipherset.core.errors import IntegrityError
from cipherset.interfaces.console import layered, plotted


def test_scores_are_those_of_the_command(team):
    page = team.get("/console/risk?top=50").text
    found = view_risk(session_of(team.home)).as_json(None)
    for one in found["assets"]:
        assert f"{one['score']:.1f}" in page
    assert "What would lower it" in page


def test_what_is_supposed_is_shown_and_changes_nothing(team):
    before = view_risk(session_of(team.home)).as_json(None)["assets"]
    address = f"/console/risk?who=sam&action=scan&asset={of('tickets')}"
    assert "Scores that would be others" in team.get(address).text
    assert "what is supposed is not clear" in team.get("/console/risk?who=sam").text
    assert "/console/risk?top=50" not in team.get("/console/risk?top=50").text
    role = team.get("/console/risk?who=sam&role=ingester").text
    assert "Scores that would be others" in role or "No score would be another" in role
    assert view_risk(session_of(team.home)).as_json(None)["assets"] == before


def test_paths_are_those_of_the_command_and_are_filtered(team):
    found = threats(session_of(team.home)).as_json()["paths"]
    page = team.get("/console/threats").text
    assert all(path["says"].replace("'", "&#39;") in page for path in found[:50])
    only = {path["attacker"] for path in found}.pop()
    some = team.get(f"/console/threats?attacker={only}").text
    n = sum(path["attacker"] == only for path in found)
    assert re.search(rf"{n} paths?\. ATLAS", some)
    n_open = sum(path["open"] for path in found)
    assert re.search(rf"{n_open} paths?\. ATLAS", team.get("/console/threats?open=1").text)
    assert "No path is like that" in team.get("/console/threats?attacker=nobody").text


def test_a_lineage_is_drawn_and_listed(team):
    page = team.get(f"/console/lineage?asset={of('export')}").text
    assert page.count("<rect ") == page.count('class="node ')
    for name in ("tickets.csv", "ticket router", "support"):
        assert page.count(name) >= 2  # in the drawing, and in the list
    assert team.get("/console/lineage?asset=key:support").status_code == 400


def test_from_afar_no_path_of_this_machine_is_looked_at(team, tmp_path):
    (tmp_path / "rows.csv").write_text("body\nhello\n")
    for page in ("lineage?asset=", "risk?who=sam&action=scan&asset="):
        there = team.get(f"/console/{page}{tmp_path / 'rows.csv'}")
        absent = team.get(f"/console/{page}{tmp_path / 'none.csv'}")
        assert "there is no asset of this id" in there.text
        assert there.status_code == absent.status_code


def test_runs_of_the_red_team_and_their_trend(team):
    page = team.get("/console/red-team").text
    assert "0.310" in page
    assert "over limit" in page
    assert "None was accepted yet" in page


def test_a_point_of_the_frontier_gives_its_command(team):
    address = re.search(r"/console/frontier/[0-9a-f]{64}", team.get("/console/frontier").text)[0]
    page = team.get(address).text
    assert "--minimize bottleneck:6 --approximation-factor 12" in page
    assert "recommended" in page
    assert "it is not offered" in team.get(f"{address}?point=1").text
    assert "it is not offered" not in team.get(f"{address}?point=99").text
    assert team.get(f"/console/frontier/{'0' * 64}").status_code == 404


def test_figures_that_were_changed_are_not_shown(tmp_path):
    home = tmp_path / "workspace"
    team_with(home)
    (path,) = (home / "calibrations").iterdir()
    path.write_bytes(path.read_bytes().replace(b"0.93", b"0.99"))
    with pytest.raises(IntegrityError) as caught:
        read_calibration(session_of(home, "eve"), path.stem)
    assert caught.value.code == "calibration_changed"
    path.unlink()
    with pytest.raises(IntegrityError):
        read_calibration(session_of(home, "eve"), path.stem)


def test_columns_are_sorted_by_what_they_are_joined_to():
    nodes = [
        {"id": name, "level": level} for name, level in (("a", 0), ("b", 0), ("x", 1), ("y", 1))
    ]
    edges = [{"from": "a", "to": "y", "kind": "train"}, {"from": "b", "to": "x", "kind": "train"}]
    found = layered.drawn({"nodes": nodes, "edges": edges})
    at = {box.node["id"]: (box.x, box.y) for box in found.boxes}
    assert (at["a"][1] < at["b"][1]) == (at["y"][1] < at["x"][1])
    assert at["a"][0] < at["x"][0]
    assert layered.drawn({"nodes": [], "edges": []}).boxes == ()


def test_leakage_is_drawn_by_its_logarithm():
    places = [plotted.across(each) for each in (0, 0.001, 0.01, 0.1, 1.0)]
    assert places[0] == places[1] == plotted.LEFT
    steps = [b - a for a, b in pairwise(places[1:])]
    assert max(steps) - min(steps) < 0.2
    assert places[-1] == plotted.WIDTH - plotted.RIGHT
