"""A picture has all that the ledger says, and to take one is written down."""

import pytest
import sight_thread

from cipherset.app.access.grants import Wish, request
from cipherset.app.gate import Action
from cipherset.app.sight.desk.exports import read_report
from cipherset.app.sight.gather import picture
from cipherset.app.sight.look import looked
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import PolicyError, UsageError
from cipherset.custody.keys import KeyUse


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return sight_thread.owner(tmp_path_factory.mktemp("sight"))


@pytest.fixture
def session(owner, tmp_path):
    return sight_thread.copied(owner, tmp_path / "copy").session


def taken(session):
    with looked(session, "a test") as (workspace, _):
        return picture(workspace)


def test_every_asset_and_every_version_of_a_key_is_there(session):
    found = taken(session)
    assert sorted(each.kind for each in found.things.values()) == [
        "dataset",
        "dataset",
        "key",
        "model",
    ]
    (key,) = found.keys
    assert found.things[key.id].name == key.name == "support"
    assert {each.kind for each in found.steps} == {"protect", "train", "deploy"}
    assert found.alone


def test_standings_grants_and_budgets(session):
    model = next(each for each in taken(session).things.values() if each.kind == "model")
    request(session, Wish(Action.APPROVE, (model.id,), "to serve"))
    waiting = taken(session)
    assert [each.state for each in waiting.grants] == ["pending"]
    assert waiting.things[model.id].standing == "proposed"
    assert [each.kind for each in waiting.spent] == ["rows"]


def test_a_refusal_is_noticed(session):
    with open_workspace(session) as workspace, pytest.raises(PolicyError):
        workspace.ring.open("support", purpose=KeyUse.QUERY)
    found = taken(session)
    (notice,) = found.notices
    assert (notice.action, notice.outcome) == ("key.use", "refused")
    assert notice.facts["code"] == "outside_act"


def test_to_look_is_written_down(session):
    before = taken(session)
    with open_workspace(session) as workspace:
        last = list(workspace.gate.ledger.events())[-2:]
    assert [(each.action, each.subject, each.outcome) for each in last] == [
        ("view", "a test", "intended"),
        ("view", "a test", "done"),
    ]
    assert before.events == last[0].seq


def test_an_export_that_was_never_assessed_has_no_page_of_it(session):
    export = next(e for e in taken(session).things.values() if "cipherset_id" in e.attributes)
    with pytest.raises(UsageError) as caught:
        read_report(session, export.id)
    assert caught.value.code == "asset_unknown"
