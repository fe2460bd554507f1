"""A report is taken back as it was written, and in no other form."""

import json

import pytest
from discover_planted import planted
from hypothesis import given
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.evidence.discover.code import (
    Found,
    Kind,
    NotRead,
    ReadFault,
    Report,
    read_report,
    scan,
)
from cipherset.evidence.discover.code.found import FIELDS, MOST_TEXT, shown

texts = st.text(min_size=1, max_size=40).map(shown).filter(bool)
counts = st.integers(0, 2**40)
founds = st.builds(
    Found,
    kind=st.sampled_from(Kind),
    what=texts,
    path=texts,
    line=counts,
    how=texts,
    service=texts,
    digest=st.sampled_from(["", "sha256:" + "ab" * 32]),
    bundle=st.sampled_from(["", "sha256:" + "cd" * 32]),
    size_bytes=counts,
    n_times=counts,
)
reports = st.builds(
    Report,
    roots=st.lists(texts, max_size=3).map(tuple),
    findings=st.lists(founds, max_size=4).map(tuple),
    not_read=st.lists(st.builds(NotRead, texts, st.sampled_from(ReadFault)), max_size=3).map(tuple),
    n_not_read=counts,
    n_files=counts,
    host=texts,
    started=st.sampled_from(["", "2026-11-26T18:00:00Z"]),
)


@given(reports)
def test_a_report_comes_back_as_it_was(report):
    assert read_report(json.dumps(report.as_json()).encode()) == report


def test_a_scan_comes_back_as_it_was(tmp_path):
    report = scan([planted(tmp_path)], host="web-1")
    assert read_report(json.dumps(report.as_json()).encode()) == report


def test_the_contract_sees_three_names():
    found = Found(Kind.SDK, "openai", "a/b.py", 3, "import openai", "OpenAI")
    assert found.as_json() == {"kind": "sdk", "where": "a/b.py:3", "what": "openai"}
    assert Found(Kind.AGENT, "x", "AGENTS.md").where == "AGENTS.md"


def whole() -> dict:
    found = Found(Kind.SDK, "openai", "a.py", 1)
    return Report(("r",), (found,), (NotRead("b", ReadFault.GONE),), 1, 2, "h").as_json()


def changed(**fields: object) -> bytes:
    return json.dumps({**whole(), **fields}).encode()


def finding(**fields: object) -> bytes:
    return changed(findings=[{**whole()["findings"][0], **fields}])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"[]",
        b"\xff\xfe\0",
        changed(extra=1),
        changed(schema="cipherset/discovery/2"),
        changed(host="two\nlines"),
        changed(host="x" * (MOST_TEXT + 1)),
        changed(host=3),
        changed(roots="r"),
        changed(roots=[3]),
        changed(n_files=-1),
        changed(n_files=True),
        changed(n_files=1.5),
        changed(n_files=2**60),
        changed(started="yesterday"),
        changed(catalog="sha256:xyz"),
        changed(findings={}),
        changed(findings=[3]),
        changed(findings=[{}]),
        changed(not_read=[{"path": "a", "fault": "made up"}]),
        changed(not_read=[{"path": "a"}]),
        changed(not_read=[{"path": "a", "fault": "gone, or the disk failed"}] * 1001),
        finding(kind="wish"),
        finding(kind=["sdk"]),
        finding(what=""),
        finding(path=""),
        finding(what="\x1b[2J"),
        finding(what="a\u202eb"),
        finding(line="1"),
        finding(digest="md5:1"),
        finding(bundle=None),
        finding(more=1),
    ],
)
def test_a_report_of_another_form_is_refused(raw):
    with pytest.raises(InputError) as refused:
        read_report(raw)
    assert refused.value.code == "discover_report"
    assert "two\nlines" not in str(refused.value)


def test_a_report_that_is_too_large_is_refused(monkeypatch):
    raw = b" " * 64_000_001
    with pytest.raises(InputError, match="larger"):
        read_report(raw)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*FIELDS, *whole()]), inner)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_anything_else_is_refused_by_the_same_code(raw):
    with pytest.raises(InputError) as refused:
        read_report(raw)
    assert refused.value.code == "discover_report"


@given(st.text(max_size=400))
def test_what_is_shown_is_one_short_line(text):
    line = shown(text)
    assert len(line) <= MOST_TEXT
    assert shown(line) == line
    assert "\n" not in line
    assert "\x1b" not in line
