"""The threat model as Markdown, for Threat Dragon and for pytm."""

import io
import json
import re
import uuid

import pytest
import pytm as tool
from evidence_pictures import grant, owned, person, picture

from cipherset.evidence.views.threats.formats.dragon import dragon
from cipherset.evidence.views.threats.formats.markdown import markdown, plain
from cipherset.evidence.views.threats.formats.pytm import pytm
from cipherset.evidence.views.threats.known import Known, Reading
from cipherset.evidence.views.threats.paths import paths

KNOWN = Known(Reading(frozenset({"scan"}), frozenset({"data-owner"}), frozenset({"export"})), {})
NOW = "2026-11-26T00:00:00+00:00"
HOSTILE = "ann | <script>alert(1)</script> [x](javascript:y) `z`\n# top"


@pytest.fixture(params=["ann", "lab", HOSTILE])
def found(request):
    """Paths with somebody of that name: also one who is called like a kind of attacker."""
    who = request.param
    held = owned(people=(person(who, "data-owner"),), grants=(grant("export", who, "sealed"),))
    return paths(held, KNOWN)


def test_the_page_has_each_path_once_with_links_to_what_is_said_elsewhere(found):
    page = markdown(found, NOW)
    for path in found:
        assert page.count(f"| {path.id} |") == 1
    assert "[AML.T0012](https://atlas.mitre.org/techniques/AML.T0012)" in page
    assert f"{len(found)} paths over what there is" in page


def test_a_name_makes_no_markup_and_no_further_cell(found):
    page = markdown(found, NOW)
    assert "<script" not in page
    assert "](javascript" not in page
    rows = [line for line in page.splitlines() if re.match(r"\| [0-9a-f]{16} \|", line)]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {7}
    assert plain("a\nb|c") == r"a b\|c"


def test_of_nothing_there_is_a_page_too():
    assert "0 paths" in markdown(paths(picture(), KNOWN), NOW)


# What threat-dragon-v2.schema.json (github.com/OWASP/threat-dragon) says is required: the schema
# itself is in no package that could be installed here.
MODEL = {"version", "summary", "detail"}
DETAIL = {"contributors", "diagrams", "diagramTop", "reviewer", "threatTop"}
DIAGRAM = {"diagramType", "id", "thumbnail", "title", "version"}
CELL = {"id", "shape", "zIndex"}
DATA = {"hasOpenThreats", "type"}
BODY = {"stroke", "strokeWidth", "strokeDasharray"}
THREAT = {"description", "mitigation", "severity", "status", "title", "type"}
STRIDE = {"Spoofing", "Tampering", "Information disclosure", "Elevation of privilege"}
SHAPES = {"actor": "tm.Actor", "store": "tm.Store", "process": "tm.Process", "flow": "tm.Flow"}


def test_the_model_for_threat_dragon_has_what_its_schema_requires(found):
    model = json.loads(json.dumps(dragon(found, NOW)))
    assert model.keys() >= MODEL
    assert len(model["version"]) <= 10
    assert model["summary"]["title"]
    assert model["detail"].keys() >= DETAIL
    (diagram,) = model["detail"]["diagrams"]
    assert diagram.keys() >= DIAGRAM
    for cell in diagram["cells"]:
        assert cell.keys() >= CELL
        assert cell["data"].keys() >= DATA
        assert cell["data"]["type"] == SHAPES[cell["shape"]]
        uuid.UUID(cell["id"])
        if cell["shape"] == "flow":
            assert cell["attrs"]["line"]["targetMarker"]["name"]
        else:
            assert cell["attrs"]["body"].keys() >= BODY
            assert min(cell["size"].values()) >= 10
            assert cell["position"].keys() == {"x", "y"}
        for threat in cell["data"]["threats"]:
            assert threat.keys() >= THREAT
            assert threat["type"] in STRIDE


def test_each_path_is_a_flow_between_two_components_with_its_threat(found):
    cells = dragon(found, NOW)["detail"]["diagrams"][0]["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    nodes = {cell["id"]: cell for cell in cells if cell["shape"] != "flow"}
    flows = [cell for cell in cells if cell["shape"] == "flow"]
    assert len(flows) == len(found)
    for flow, path in zip(flows, found, strict=True):
        (threat,) = flow["data"]["threats"]
        assert nodes[flow["source"]["cell"]]["shape"] == "actor"
        assert path.asset.name in nodes[flow["target"]["cell"]]["data"]["name"]
        assert threat["mitigation"] == path.says
        assert (threat["status"] == "Open") is path.is_open is flow["data"]["hasOpenThreats"]
    assert dragon(found, NOW) == dragon(found, NOW)


def test_pytm_loads_it_and_has_each_path_as_a_flow(found):
    tool.TM.reset()
    model = tool.load(io.StringIO(json.dumps(pytm(found, NOW))))
    assert model.check()
    flows = {flow.name: flow for flow in tool.TM._get_state().flows}
    assert len(flows) == len(found)
    for path in found:
        flow = flows[f"{path.attacker.goal} ({path.id})"]
        assert path.says in flow.note
        assert (path.principal or path.attacker.who) in flow.source.name
        assert path.asset.name in flow.sink.name
    tool.TM.reset()
