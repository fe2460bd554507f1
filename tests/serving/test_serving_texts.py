"""Texts are sanitized by the export's own rules, encoded and answered; what cannot be says so."""

import json

import pytest
import serving_thread

from cipherset.app.models import predict_value
from cipherset.app.serving.models.answer import MOST_CHARACTERS, Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import CiphersetError

TEXTS = ("where is the box you sent to 7, 9 days?", "please refund 30 euros for order 12")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    owner = serving_thread.text_owner(tmp_path_factory.mktemp("texts"))
    with hold(owner.session) as session, open_models(session) as models:
        yield owner, session, models


def test_texts_are_answered_as_the_command_does(served):
    owner, session, models = served
    found = models.predict(session, "router", Question(texts=TEXTS)).predictions
    assert [each.label for each in found] == ["parcel", "refund"]
    assert [each.label for each in found] == [
        predict_value(owner.session, owner.bundle, text)[0].label for text in TEXTS
    ]


def test_a_text_that_cannot_be_answered_fails_no_other(served):
    _, session, models = served
    texts = (TEXTS[0], "\ud800", "x" * (MOST_CHARACTERS + 1), TEXTS[1])
    found = models.predict(session, "router", Question(texts=texts)).predictions
    assert [each.error for each in found] == [None, "text_not_unicode", "text_too_long", None]
    assert [each.label for each in found] == ["parcel", None, None, "refund"]
    alone = models.predict(session, "router", Question(texts=texts[1:2])).predictions
    assert [each.as_json() for each in alone] == [{"label": None, "error": "text_not_unicode"}]


def test_vectors_are_not_taken_for_texts(served):
    _, session, models = served
    x, _ = serving_thread.vectors(2)
    with pytest.raises(CiphersetError) as refused:
        models.predict(session, "router", Question(vectors=x))
    assert refused.value.code == "value_is_vector"


def test_no_text_is_in_the_ledger_and_whoever_holds_it_finds_it(served):
    _, session, models = served
    canary = "canary-7c1f where is the box of jo@example.com"
    models.predict(session, "router", Question(texts=(canary,)))
    with open_workspace(session) as workspace:
        bodies = [event.body for event in workspace.gate.ledger.events()]
    assert not any("canary" in body or "jo@" in body for body in bodies)
    body = json.loads(bodies[-1])
    assert body["inputs"] == models.digests.of(canary.encode())
    assert body["lengths"] == str(len(canary))
