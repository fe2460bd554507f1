"""What is not there and what is not allowed are the same: the words, the work, the events."""

import json
import math
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from http_samples import error_of
from sqlalchemy import Engine, event

import cipherset
from cipherset.app.access.grants import Wish, request
from cipherset.app.serving import grants
from cipherset.app.serving.sanitizing import Sanitizer
from cipherset.app.workspace import Session, hold
from cipherset.core.errors import CiphersetError
from cipherset.custody.policy import Action, Authenticated, VoteKind
from cipherset.interfaces.cli.output import TerminalProgress

PACKAGE = str(Path(cipherset.__file__).parent)
MISSING = "grant-0123456789ab"


@pytest.fixture(scope="module")
def held(team):
    """Sessions on the team's workspace, and a grant that is there."""
    session = Session(team.home, "kim", team.home.parent, TerminalProgress())
    asked = request(session, Wish(Action.DETOKENIZE, ("key:support",), "a test")).request.id
    with hold(session) as found:
        # Once a second the ledger's end is kept, whoever it is that acts just then.
        found.held.ledger._heads._next_s = math.inf
        yield replace(found, authenticated=Authenticated.CERTIFICATE, network="127.0.0.1"), asked


@pytest.mark.parametrize("vote", ["approve", "deny", "revoke"])
@pytest.mark.parametrize("who", ["nobody", "sam"])
def test_the_words_are_the_same(team, held, vote, who):
    """To somebody without a role, and to one whose role has no vote."""
    _, there = held
    answers = [
        team.client.post(f"/v1/grants/{one}/{vote}", json={}, headers=team.as_(who))
        for one in (there, MISSING)
    ]
    assert error_of(answers[0]) == (403, "not_allowed")
    assert answers[0].content == answers[1].content
    ours = ("x-request-id", "date")
    told = [{k: v for k, v in each.headers.items() if k not in ours} for each in answers]
    assert told[0] == told[1]


def test_a_key_that_is_not_there_reads_like_one_that_is_not_ours(team):
    asked = [{"texts": ["a"], "key": name} for name in ("support", "nothing")]
    answers = [team.client.post("/v1/sanitize", json=one, headers=team.as_("sam")) for one in asked]
    assert error_of(answers[0]) == (403, "not_allowed")
    assert answers[0].content == answers[1].content
    named = [
        {"action": "detokenize", "assets": [f"key:{name}"], "purpose": "a look"}
        for name in ("support", "nothing")
    ]
    answers = [team.client.post("/v1/grants", json=one, headers=team.as_("eve")) for one in named]
    assert error_of(answers[0]) == (403, "not_allowed")
    assert answers[0].content == answers[1].content


def test_who_may_ask_is_told_what_is_not_there(team):
    missing = team.client.post(f"/v1/grants/{MISSING}/approve", json={}, headers=team.as_("rita"))
    assert error_of(missing) == (404, "grant_unknown")
    body = {"action": "detokenize", "assets": ["key:nothing"], "purpose": "a look"}
    missing = team.client.post("/v1/grants", json=body, headers=team.as_("rita"))
    assert error_of(missing) == (409, "key_unknown")


# A row's columns turned to text, how many fields are hashed of it, and what names a key: some
# microseconds of milliseconds.
SMALL = Counter({"_text": 5, "about_key": 1, "about_key_named": 1})
SMALL |= Counter({"look_at_any": 1, "region_of": 1})
SMALL |= Counter({"region_of.<locals>.<setcomp>": 1, "region_of.<locals>.<genexpr>": 1})
SMALL |= Counter({"_is_simple": 8, "_is_simple.<locals>.<genexpr>": 8})


def work_of(call):
    """Which functions of ours ran how often, and what was asked of the database, in its order."""
    called, asked = Counter(), []

    def note(frame, kind, _argument):
        if kind == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            called[frame.f_code.co_qualname] += 1

    def statement(_connection, _cursor, text, *_):
        asked.append(text)

    event.listen(Engine, "before_cursor_execute", statement)
    sys.setprofile(note)
    try:
        with pytest.raises(CiphersetError) as caught:
            call()
    finally:
        sys.setprofile(None)
        event.remove(Engine, "before_cursor_execute", statement)
    assert caught.value.code == "not_allowed"
    return called, asked


def refusal(call):
    def refused():
        with pytest.raises(CiphersetError):
            call()

    return refused


@pytest.mark.parametrize("kind", VoteKind)
def test_the_work_of_a_vote_is_the_same(held, kind):
    session, there = held
    nobody = replace(session, actor="nobody")

    def vote(grant_id):
        return lambda: grants.vote(nobody, grant_id, kind, "", None)

    refusal(vote(there))(), refusal(vote(MISSING))()
    assert difference(vote(there), vote(MISSING)) <= SMALL


def test_the_work_of_sanitizing_is_the_same(held):
    session, _ = held
    nobody = replace(session, actor="nobody")
    sanitizer = Sanitizer(session.home)

    def clean(key):
        return lambda: sanitizer.sanitize(nobody, ["a text"], key)

    refusal(clean("support"))(), refusal(clean("nothing"))()
    assert difference(clean("support"), clean("nothing")) <= SMALL


def difference(first, second):
    (one, asked_one), (two, asked_two) = work_of(first), work_of(second)
    assert asked_one == asked_two
    return (one - two) + (two - one)


def test_the_events_are_the_same(team, held):
    session, there = held
    nobody = replace(session, actor="nobody")
    shapes = []
    for one in (there, MISSING):
        before = len(team.events())
        refusal(lambda one=one: grants.vote(nobody, one, VoteKind.DENY, "", None))()
        (found,) = team.events()[before:]
        body = json.loads(found.body)
        shapes.append((found.action, found.outcome, sorted(body), body["code"]))
    assert shapes[0] == shapes[1]
