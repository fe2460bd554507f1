"""What agents report and people say lands in the inventory once, with its source and its review."""

import json
import sys

import inventory_samples as samples
import pytest

from cipherset.app.access.grants import Wish, request, vote
from cipherset.app.assets import standing
from cipherset.app.discovery.answers import QUESTIONS, Answer, read_answers, register, register_all
from cipherset.app.discovery.review import ask_for_reviews
from cipherset.app.discovery.scan import DiscoverRequest, discover
from cipherset.app.gate import Action
from cipherset.app.sight.inventory import see_inventory
from cipherset.app.workspace import open_workspace
from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.custody.policy import VoteKind, decode_request
from cipherset.evidence.views.inventory.rows import Wanted
from cipherset.evidence.views.inventory.status import Review

CANARY = "canary-5f1c"


@pytest.fixture
def session(tmp_path):
    return samples.fresh(tmp_path / "owner")


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return samples.owner(tmp_path_factory.mktemp("inventory"))


@pytest.fixture
def ours(owner, tmp_path):
    return samples.copied(owner, tmp_path / "copy")


def told(session, path, **more):
    return discover(session, DiscoverRequest(reports=(path,), **more))


def runs(session):
    with open_workspace(session) as workspace:
        return [run for run in workspace.gate.ledger.runs() if run.kind == "discover"]


def test_a_find_is_an_asset_and_the_look_a_run(session, tmp_path):
    found = told(session, samples.report(tmp_path, samples.seen()))
    (one,) = found.as_json()["findings"]
    assert (one["kind"], one["what"], one["where"]) == ("sdk", "openai", "/srv/app/chat.py:3")
    assert (one["status"], one["new"]) == ("unreviewed", True)
    (run,) = runs(session)
    assert run.inputs == (one["asset"],)
    assert run.outputs == ()
    assert (run.parameters["source"], run.parameters["label"]) == ("agent", "web-1:/srv/app")
    assert found.runs == (run.id,)
    (row,) = see_inventory(session)
    assert row.as_json()["sources"] == ["agent"]
    assert row.as_json()["name"] == "openai in web-1:/srv/app"
    assert row.as_json()["where"] == ["web-1:/srv/app/chat.py:3"]


def test_the_same_find_is_seen_again_and_not_twice(session, tmp_path):
    path = samples.report(tmp_path, samples.seen())
    first = told(session, path)
    again = told(session, path)
    assert [each.is_new for each in again.findings] == [False]
    assert [each.asset for each in again.findings] == [each.asset for each in first.findings]
    (row,) = see_inventory(session)
    one, other = runs(session)
    assert row.seen.first == one.started
    assert row.seen.last == other.started


def test_a_look_that_sees_the_same_tells_its_places_once(session, tmp_path):
    path = samples.report(tmp_path, samples.seen())
    moved = samples.report(tmp_path, samples.seen(line=9), name="moved.json")
    for each in (path, path, path, moved, path):
        told(session, each)
    first, again, third, other, back = (run.parameters for run in runs(session))
    (run, *_) = runs(session)
    assert again["as"] == third["as"] == run.id
    assert "places" in first and "places" in other and "places" in back
    (row,) = see_inventory(session)
    assert row.seen.where == ("web-1:/srv/app/chat.py:3",)


def test_a_library_is_reviewed_once_for_a_host_and_a_key_where_it_lies(session, tmp_path):
    twice = [
        samples.seen(kind, what, f"/srv/app/{name}")
        for kind, what in (("sdk", "openai"), ("key", "OpenAI"))
        for name in ("a.py", "b.py")
    ]
    found = told(session, samples.report(tmp_path, *twice))
    ids = [each.asset for each in found.findings]
    assert ids[0] == ids[1]
    assert ids[2] != ids[3]
    rows = {row.kind: row for row in see_inventory(session, Wanted(kind="sdk"))}
    assert rows["sdk"].seen.places == 2


def test_the_same_on_another_host_is_another(session, tmp_path):
    one = samples.report(tmp_path, samples.seen(), name="one.json")
    other = samples.report(tmp_path, samples.seen(), name="other.json", host="web-2")
    found = discover(session, DiscoverRequest(reports=(one, other)))
    assert len({each.asset for each in found.findings}) == 2
    assert len(found.runs) == 2


def test_what_the_last_look_did_not_see_is_gone_and_comes_back(session, tmp_path):
    with_it = samples.report(tmp_path, samples.seen(), name="with.json")
    without = samples.report(tmp_path, name="without.json")
    elsewhere = samples.report(tmp_path, name="elsewhere.json", host="web-2")
    told(session, with_it)
    told(session, elsewhere)
    assert [row.seen.is_gone for row in see_inventory(session)] == [False]
    told(session, without)
    assert [row.seen.is_gone for row in see_inventory(session)] == [True]
    told(session, with_it)
    assert [row.seen.is_gone for row in see_inventory(session)] == [False]


def grant(session, asset, *votes):
    made = request(session, Wish(Action.APPROVE, (asset,), "use"))
    for kind in votes:
        vote(session, made.request.id, kind, "")
    return made.request.id


def status(session, path):
    (found,) = told(session, path).findings
    (row,) = see_inventory(session)
    assert row.review == found.review
    return found.review.status


def test_a_status_follows_requests_votes_and_standings(session, tmp_path):
    path = samples.report(tmp_path, samples.seen())
    assert status(session, path) is Review.UNREVIEWED
    (asset,) = (each.asset for each in told(session, path).findings)
    grant(session, asset)
    assert status(session, path) is Review.IN_REVIEW
    grant(session, asset, VoteKind.DENY)
    assert status(session, path) is Review.IN_REVIEW  # the first is still open
    grant(session, asset, VoteKind.APPROVE)
    assert status(session, path) is Review.IN_REVIEW  # who has the grant has not said so yet
    standing.approve(session, asset)
    assert status(session, path) is Review.APPROVED
    standing.suspend(session, asset)
    assert status(session, path) is Review.UNAPPROVED
    standing.approve(session, asset)
    assert status(session, path) is Review.APPROVED


def test_what_was_denied_is_unapproved(session, tmp_path):
    path = samples.report(tmp_path, samples.seen())
    (found,) = told(session, path).findings
    grant_id = grant(session, found.asset, VoteKind.DENY)
    (denied,) = told(session, path).findings
    assert denied.review.status is Review.UNAPPROVED
    assert denied.review.grant == grant_id


def test_a_review_is_asked_for_once_for_what_nobody_reviewed(session, tmp_path):
    path = samples.report(tmp_path, samples.seen(), samples.seen(what="anthropic"))
    found = told(session, path)
    stand = ask_for_reviews(session, found.unreviewed())
    assert {each.status for each in stand.values()} == {Review.IN_REVIEW}
    assert found.reviewed(stand).counts()["in review"] == 2
    again = ask_for_reviews(session, {each.asset: "" for each in found.findings})
    assert {each.grant for each in again.values()} == {each.grant for each in stand.values()}


def test_our_own_model_is_known_by_its_bundle_and_by_its_file_alone(ours, tmp_path):
    bundle = canonical.digest_bytes((ours.bundle / "bundle.json").read_bytes())
    onnx = canonical.digest_bytes((ours.bundle / "model.onnx").read_bytes())
    files = [
        samples.seen(
            "model_file", "model.onnx", "/srv/app/m/model.onnx", digest=onnx, bundle=bundle
        ),
        samples.seen("model_file", "copy.onnx", "/srv/app/copy.onnx", digest=onnx),
        samples.seen("model_file", "x.gguf", "/srv/app/x.gguf", digest=samples.WEIGHTS),
    ]
    found = told(ours.session, samples.report(tmp_path, *files))
    assert [each.asset for each in found.findings] == [bundle, bundle, samples.WEIGHTS]
    rows = {row.thing.id: row for row in see_inventory(ours.session, Wanted(kind="model"))}
    assert rows[bundle].origin.run is not None
    assert [each.origin for each in found.findings] == [
        rows[bundle].origin,
        rows[bundle].origin,
        rows[samples.WEIGHTS].origin,
    ]
    assert rows[bundle].sources == ("run", "agent")
    assert rows[bundle].deployed == ("router",)
    assert rows[samples.WEIGHTS].origin.told == "unknown origin"
    assert rows[samples.WEIGHTS].origin.run is None


def test_who_reports_a_model_has_not_made_it(ours, tmp_path):
    bundle = canonical.digest_bytes((ours.bundle / "bundle.json").read_bytes())
    (before,) = (row for row in see_inventory(ours.session) if row.thing.id == bundle)
    seen = samples.seen("model_file", "model.onnx", "/srv/app/model.onnx", bundle=bundle)
    told(ours.session, samples.report(tmp_path, seen))
    (after,) = (row for row in see_inventory(ours.session) if row.thing.id == bundle)
    assert after.origin == before.origin


def test_a_report_without_a_host_needs_a_label(session, tmp_path):
    path = samples.report(tmp_path, samples.seen(), host="")
    with pytest.raises(InputError) as refused:
        told(session, path)
    assert refused.value.code == "report_host"
    told(session, path, label="laptop")
    assert see_inventory(session)[0].seen.where == ("laptop/chat.py:3",)


def test_a_report_that_is_none_is_refused_and_nothing_is_written(session, tmp_path):
    path = tmp_path / "report.json"
    path.write_text('{"schema": "cipherset/discovery/1", "findings": "' + CANARY + '"}')
    with pytest.raises(InputError) as refused:
        told(session, path)
    assert refused.value.code == "discover_report"
    assert CANARY not in str(refused.value)
    assert see_inventory(session) == ()


def test_the_questions_are_answers(session, tmp_path):
    path = tmp_path / "answers.toml"
    path.write_text(QUESTIONS)
    (answer,) = read_answers(path)
    done = register(session, answer)
    assert done.is_new
    assert done.review.status is Review.UNREVIEWED
    (row,) = see_inventory(session)
    told = row.as_json()
    assert told["sources"] == ["questionnaire"]
    assert told["where"] == ["https://notes.example"]
    assert (told["owner"], told["purpose"]) == ("sales", "minutes of meetings")
    assert told["told"]["people"] == 12


def test_an_answer_given_again_is_the_same_asset_and_the_last_one_holds(session):
    first = Answer(name="Notes", purpose="minutes", owner="sales", people=3)
    register_all(session, [first])
    done = register(session, first.model_copy(update={"people": 9}))
    assert not done.is_new
    (row,) = see_inventory(session)
    assert row.seen.answer["people"] == 9
    assert not row.seen.is_gone
    (other, _) = register_all(
        session, [first.model_copy(update={"vendor": "other"}), first]
    ).registered
    assert other.is_new


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "schema"),
        ("schema = 1", "schema"),
        ('schema = "cipherset/answers/1"', "use"),
        ('schema = "cipherset/answers/1"\nuse = []', "use"),
        ('schema = "cipherset/answers/1"\n[[use]]\nname = "x"\npurpose = "y"', "use.1.owner"),
        (QUESTIONS + "key = 1", "use.1.key"),
        (QUESTIONS.replace("people = 12", "people = -1"), "use.1.people"),
        (QUESTIONS.replace("people = 12", 'people = "many"'), "use.1.people"),
        (QUESTIONS.replace("people = 12", "people = 2026-01-01"), "use.1.people"),
        (QUESTIONS.replace("Meeting notes", r"a\u001b[31m"), "use.1.name"),
        (QUESTIONS.replace("Meeting notes", "x" * 300), "use.1.name"),
        (QUESTIONS.replace("//notes", f"//me:{CANARY}@notes"), "use.1.endpoints"),
        (QUESTIONS.replace("notes.example", f"n.example/?k={CANARY}"), "use.1.endpoints"),
        ('kind = "x', "not TOML"),
    ],
)
def test_answers_in_another_form_are_refused_with_the_place(tmp_path, text, place):
    path = tmp_path / "answers.toml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_answers(path)
    assert refused.value.code == "answers"
    assert place in refused.value.message
    assert CANARY not in refused.value.message


def test_what_is_no_file_is_no_answer(tmp_path):
    with pytest.raises(InputError) as refused:
        read_answers(tmp_path)
    assert refused.value.code == "answers"


def test_looking_for_ai_passes_the_gate(session, tmp_path):
    told(session, samples.report(tmp_path, samples.seen()))
    with open_workspace(session) as workspace:
        events = [e for e in workspace.gate.ledger.events() if e.action == "discover"]
    assert [event.outcome for event in events] == ["intended", "done"]
    assert json.loads(events[1].body)["findings"] == 1


def test_what_reviews_cost_grows_with_them_and_not_with_their_square(tmp_path):
    assert decoded(tmp_path / "more", 24) <= 2.5 * decoded(tmp_path / "few", 12)


def decoded(folder, n):
    """How often a request is read while ``n`` reviews are asked for."""
    session, n_read = samples.fresh(folder), 0
    places = [samples.seen(kind="key", path=f"/srv/{each}.py") for each in range(n)]
    found = told(session, samples.report(folder, *places))

    def count(frame, event, _):
        nonlocal n_read
        n_read += event == "call" and frame.f_code is decode_request.__code__

    sys.setprofile(count)
    try:
        stand = ask_for_reviews(session, found.unreviewed())
    finally:
        sys.setprofile(None)
    assert len(stand) == n
    assert n_read >= n
    return n_read
