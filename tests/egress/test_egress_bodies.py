"""Texts out of logs of bodies: opened as far as they are text, and with who sent them where."""

import io
import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.evidence.discover.egress import Body, LogFile, read_bodies
from cipherset.evidence.discover.egress import bodies as module

ROW = "my parcel to the old mill is eleven days late"
CHAT = {"model": "m", "messages": [{"role": "user", "content": f"Look:\n{ROW}"}]}


def bodies(text, name=None):
    raw = text if isinstance(text, bytes) else text.encode()
    return list(read_bodies(LogFile("b", lambda: io.BytesIO(raw)), name))


def lines(*entries):
    return "".join(json.dumps(each) + "\n" for each in entries)


@pytest.mark.parametrize(
    "entry",
    [
        {"prompt": ROW},
        {"body": json.dumps(CHAT)},
        {"request_body": {"data": json.dumps(json.dumps(CHAT))}},
        {"body": CHAT},
        {"body": f"q={quote_plus(ROW)}"},
    ],
)
def test_text_is_found_however_it_is_packed(entry):
    (body,) = bodies(lines({**entry, "user": "anna", "url": "https://api.openai.com/v1"}))
    assert ROW in body.text
    assert (body.principal, body.host) == ("anna", "api.openai.com")
    assert ROW not in repr(body)
    assert "anna" not in repr(body)


def test_a_named_field_alone_is_looked_at():
    entry = {"a": {"b": ROW}, "c": "other words", "host": "claude.ai"}
    assert bodies(lines(entry), "a.b") == [Body(ROW, None, "claude.ai")]
    assert bodies(lines(entry, {"x": 1}), "a.c") == [None, None]


def test_of_a_har_what_was_posted():
    entries = [
        {
            "request": {
                "method": "POST",
                "url": "https://claude.ai/api",
                "postData": {"mimeType": "application/json", "text": json.dumps(CHAT)},
            },
            "response": {"content": {"text": "words of the answer"}},
        },
        {"request": {"method": "GET", "url": "https://claude.ai/x"}},
    ]
    text = json.dumps({"log": {"version": "1.2", "pages": [], "entries": entries}}, indent=2)
    posted, got = bodies(text)
    assert ROW in posted.text
    assert "answer" not in posted.text
    assert posted.host == "claude.ai"
    assert got.text == ""


def test_a_dump_is_read_in_blocks_that_overlap(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 200)
    monkeypatch.setattr(module, "_OVERLAP", 100)
    dump = "word\n" * 40 + ROW + "\n" + "word\n" * 40
    found = bodies(dump)
    assert len(found) > 1
    assert any(ROW in each.text for each in found)
    assert all(len(each.text) < 500 for each in found)


def test_a_dump_of_requests_says_where_they_went():
    dump = f"POST /v1 HTTP/1.1\nHost: api.openai.com\n\n{json.dumps(CHAT)}\nHost: b.example\n\nx\n"
    assert [(ROW in each.text, each.host) for each in bodies(dump)] == [
        (False, None),
        (True, "api.openai.com"),
        (False, "b.example"),
    ]


def test_entries_that_cannot_be_read_are_said():
    text = lines({"a": ROW}) + "{not json\n[1]\n" + "{" + '"a":' * 5000 + "\n" + lines({"a": "x"})
    found = bodies(text)
    assert [each is None for each in found] == [False, True, True, True, False]


@given(st.binary(max_size=400))
def test_any_bytes_are_bodies_or_none(raw):
    assert all(each is None or isinstance(each, Body) for each in bodies(raw))


JSONS = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6), JSONS, max_size=5))
def test_any_object_is_a_body(entry):
    (body,) = bodies(lines(entry))
    assert isinstance(body, Body)
