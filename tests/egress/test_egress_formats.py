"""Each form of log: what a line tells, how a log is recognized, and that no line is lost unsaid."""

import gzip
import io
import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.evidence.discover.egress import (
    FORMATS,
    Answer,
    Call,
    Hints,
    How,
    LogFile,
    Tally,
    detected,
    read_log,
    shipped,
    visits_in,
)
from cipherset.evidence.discover.egress.formats.times import since_epoch, syslog_time, time_of
from cipherset.evidence.discover.egress.lines import lines_of, parts_of

NOW = datetime(2026, 11, 26, 20, tzinfo=UTC)
AT = datetime(2026, 11, 26, 18, 0, 1, tzinfo=UTC)
EPOCH = int(AT.timestamp())
HINTS = Hints(NOW, of_nobody="history of anna")
IP, OTHER = "104.18.7.192", "104.18.7.193"
ZEEK = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    "#path\t{}\n#fields\t{}\n"
)


def zeek(path, **row):
    names = [name.replace("__", ".") for name in row]
    return ZEEK.format(path, "\t".join(names)) + "\t".join(map(str, row.values())) + "\n#close\tx\n"


LOOKUP = [Call(How.LOOKUP, "10.0.0.5", "chatgpt.com", at=AT)]
# name: (form, text, what it tells)
LOGS = {
    "dnsmasq": (
        "dnsmasq",
        "Nov 26 18:00:01 dnsmasq[7]: query[A] chatgpt.com from 10.0.0.5\n"
        "Nov 26 18:00:01 dnsmasq[7]: forwarded chatgpt.com to 9.9.9.9\n"
        f"Nov 26 18:00:01 dnsmasq[7]: reply chatgpt.com is {IP}\n"
        "Nov 26 18:00:02 gw CRON[9]: (root) CMD (x)\n",
        [*LOOKUP, Answer("chatgpt.com", IP)],
    ),
    "dnsmasq with ids, by syslog, through an alias": (
        "dnsmasq",
        "2026-11-26T18:00:01+00:00 gw dnsmasq[7]: 12 10.0.0.5/4711 query[HTTPS] chatgpt.com from "
        "10.0.0.5\n"
        "2026-11-26T18:00:01+00:00 gw dnsmasq[7]: 12 10.0.0.5/4711 reply chatgpt.com is <CNAME>\n"
        f"2026-11-26T18:00:01+00:00 gw dnsmasq[7]: 12 10.0.0.5/4711 reply x.cdn.example is {IP}\n",
        [*LOOKUP, Answer("chatgpt.com", IP)],
    ),
    "bind": (
        "bind",
        "26-Nov-2026 18:00:01.000 queries: info: client @0x7f9c 10.0.0.5#4711 (chatgpt.com): "
        "view inside: query: chatgpt.com IN A +E(0)K (10.0.0.1)\n"
        "26-Nov-2026 18:00:01.500 general: info: all zones loaded\n",
        LOOKUP,
    ),
    "bind without pointers": (
        "bind",
        "26-Nov-2026 18:00:01.000 client 10.0.0.5#4711: query: chatgpt.com IN A +\n",
        LOOKUP,
    ),
    "zeek dns": (
        "zeek",
        zeek(
            "dns", ts=f"{EPOCH}.0", id__orig_h="10.0.0.5", query="chatgpt.com",
            answers=f"x.cdn.example,{IP},{OTHER}",
        ),
        [*LOOKUP, Answer("chatgpt.com", IP), Answer("chatgpt.com", OTHER)],
    ),
    "zeek http": (
        "zeek",
        zeek(
            "http", ts=f"{EPOCH}.0", id__orig_h="10.0.0.5", id__resp_h=IP, host="api.openai.com",
            uri="/v1", request_body_len=512, username="-",
        ),
        [Call(How.REQUEST, "10.0.0.5", "api.openai.com", at=AT, bytes_up=512)],
    ),
    "zeek ssl": (
        "zeek",
        zeek("ssl", ts=f"{EPOCH}.0", id__orig_h="10.0.0.5", id__resp_h=IP, server_name="claude.ai"),
        [Call(How.REQUEST, "10.0.0.5", "claude.ai", at=AT)],
    ),
    "zeek conn": (
        "zeek",
        zeek(
            "conn", ts=f"{EPOCH}.0", id__orig_h="10.0.0.5", id__resp_h=IP, service="ssl",
            orig_bytes=900, resp_bytes=7,
        ),
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=900)],
    ),
    "zeek as JSON": (
        "json",
        json.dumps({"ts": EPOCH, "id.orig_h": "10.0.0.5", "query": "chatgpt.com", "answers": [IP]}),
        [*LOOKUP, Answer("chatgpt.com", IP)],
    ),
    "squid": (
        "squid",
        f"{EPOCH}.000     90 10.0.0.5 TCP_TUNNEL/200 3920 CONNECT api.openai.com:443 anna "
        f"HIER_DIRECT/{IP} -\n"
        f"{EPOCH}.000      0 10.0.0.6 TCP_DENIED/403 3920 CONNECT claude.ai:443 - HIER_NONE/- "
        "text/html\n"
        f"{EPOCH}.000      1 10.0.0.6 NONE/400 4 NONE error:invalid-request - HIER_NONE/- -\n",
        [Call(How.REQUEST, "anna", "api.openai.com", at=AT)],
    ),
    "squid without a user": (
        "squid",
        f"{EPOCH}.000 90 10.0.0.5 TCP_MISS/200 3920 GET https://claude.ai/x - HIER_DIRECT/{IP} -\n",
        [Call(How.REQUEST, "10.0.0.5", "claude.ai", at=AT)],
    ),
    "combined": (
        "combined",
        '10.0.0.5 - anna [26/Nov/2026:19:00:01 +0100] "CONNECT chatgpt.com:443 HTTP/1.1" 200 39 '
        '"-" '
        '"Mozilla/5.0 (X11; \\"y\\")" TCP_TUNNEL:HIER_DIRECT\n'
        '10.0.0.5 - - [26/Nov/2026:18:00:01 +0000] "CONNECT claude.ai:443 HTTP/1.1" 407 39 "-" "-" '
        "TCP_DENIED:HIER_NONE\n",
        [Call(How.REQUEST, "anna", "chatgpt.com", at=AT)],
    ),
    "w3c": (
        "w3c",
        "#Software: proxy\n#Fields: date time c-ip cs-username cs-host cs-bytes sc-bytes\n"
        '2026-11-26 18:00:01 10.0.0.5 anna claude.ai 512 "9"\n',
        [Call(How.REQUEST, "anna", "claude.ai", at=AT, bytes_up=512)],
    ),
    "csv": (
        "csv",
        "Date Time;User Name;Client IP;Destination Host;Bytes Sent;Action\n"
        "2026-11-26T18:00:01Z;anna;10.0.0.5;claude.ai;1,024;allowed\n"
        "2026-11-26T18:00:01Z;bert;10.0.0.6;claude.ai;1,024;Blocked by policy\n",
        [Call(How.REQUEST, "anna", "claude.ai", at=AT, bytes_up=1024)],
    ),
    "csv of DNS": (
        "csv",
        f"timestamp,client_ip,query,answers\n{EPOCH},10.0.0.5,chatgpt.com,{IP}\n",
        [*LOOKUP, Answer("chatgpt.com", IP)],
    ),
    "flows as CSV": (
        "csv",
        f"srcaddr,dstaddr,bytes,start,action\n10.0.0.5,{IP},8400,{EPOCH},ACCEPT\n",
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=8400)],
    ),
    "history as CSV": (
        "csv",
        'url,title,visit_time\nhttps://claude.ai/chat,"a, ""b""",' + f"{EPOCH}000\n",
        [Call(How.VISIT, "history of anna", "claude.ai", at=AT)],
    ),
    "JSON lines": (
        "json",
        json.dumps(
            {
                "@timestamp": "2026-11-26T18:00:01.000Z",
                "user": {"name": "anna"},
                "source": {"ip": "10.0.0.5", "bytes": 77},
                "url": {"domain": "claude.ai"},
            }
        ),
        [Call(How.REQUEST, "anna", "claude.ai", bytes_up=77, at=AT)],
    ),
    "history of Takeout": (
        "json",
        json.dumps(
            {
                "Browser History": [
                    {"title": "x", "url": "https://claude.ai/", "time_usec": EPOCH * 10**6}
                ]
            },
            indent=1,
        ),
        [Call(How.VISIT, "history of anna", "claude.ai", at=AT)],
    ),
    "a JSON array": (
        "json",
        json.dumps([{"host": "claude.ai", "user": "anna", "time": EPOCH}] * 2),
        [Call(How.REQUEST, "anna", "claude.ai", at=AT)] * 2,
    ),
    "aws": (
        "aws-flow",
        f"2 123456789010 eni-1 10.0.0.5 {IP} 49152 443 6 10 8400 {EPOCH} {EPOCH + 60} ACCEPT OK\n"
        f"2 123456789010 eni-1 10.0.0.5 {IP} 49152 443 6 10 8400 {EPOCH} {EPOCH + 60} REJECT OK\n"
        f"2 123456789010 eni-1 - - - - - - - {EPOCH} {EPOCH + 60} - NODATA\n",
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=8400)],
    ),
    "aws with a header": (
        "aws-flow",
        "version srcaddr dstaddr pkt-srcaddr pkt-dstaddr bytes start action flow-direction\n"
        f"5 10.9.9.9 10.9.9.8 10.0.0.5 {IP} 8400 {EPOCH} ACCEPT egress\n",
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=8400)],
    ),
    "azure nsg": (
        "azure-flow",
        json.dumps(
            {
                "records": [
                    {
                        "time": "2026-11-26T18:01:00Z",
                        "properties": {
                            "Version": 2,
                            "flows": [
                                {
                                    "rule": "r",
                                    "flows": [
                                        {
                                            "mac": "0",
                                            "flowTuples": [
                                                f"{EPOCH},10.0.0.5,{IP},1,443,T,O,A,E,1,660,1,66",
                                                f"{EPOCH},10.0.0.5,{IP},1,443,T,O,D,B,,,,",
                                            ],
                                        }
                                    ],
                                }
                            ],
                        },
                    }
                ]
            }
        ),
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=660)],
    ),
    "azure vnet": (
        "azure-flow",
        json.dumps(
            {
                "records": [
                    {
                        "flowRecords": {
                            "flows": [
                                {
                                    "flowGroups": [
                                        {
                                            "flowTuples": [
                                                f"{EPOCH}000,10.0.0.5,{IP},1,443,6,O,E,NX,1,660,1,66"
                                            ]
                                        }
                                    ]
                                }
                            ]
                        }
                    }
                ]
            }
        ),
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=660)],
    ),
    "gcp": (
        "gcp-flow",
        json.dumps(
            {
                "jsonPayload": {
                    "connection": {"src_ip": "10.0.0.5", "dest_ip": IP},
                    "bytes_sent": "77",
                    "start_time": "2026-11-26T18:00:01Z",
                }
            }
        ),
        [Call(How.FLOW, "10.0.0.5", address=IP, at=AT, bytes_up=77)],
    ),
}  # fmt: skip


def log(text, name="x.log"):
    raw = text if isinstance(text, bytes) else text.encode()
    return LogFile(name, lambda: io.BytesIO(raw))


def told(text, form=None, hints=HINTS):
    found = []
    faults = read_log(log(text), form or detected(log(text), hints), hints, found.append)
    return found, faults


@pytest.mark.parametrize("name", LOGS)
def test_what_a_log_tells(name):
    form, text, expected = LOGS[name]
    assert detected(log(text), HINTS) == form
    found, faults = told(text)
    assert found == expected
    assert (faults.form, faults.unreadable, faults.calls) == (form, 0, len(expected))


@pytest.mark.parametrize("name", LOGS)
def test_principals_are_not_shown_by_a_repr(name):
    expected = LOGS[name][2]
    assert "10.0.0.5" not in repr(expected)
    assert "anna" not in repr(expected)


def test_every_form_is_recognized_in_some_log():
    assert {form for form, _, _ in LOGS.values()} == set(FORMATS)


def test_bad_lines_are_counted_and_named():
    good = "2026-11-26T18:00:01Z,anna,claude.ai\n"
    text = (
        "time,user,host\n"
        + good * 20
        + "one cell\n"
        + good
        + "never,anna,claude.ai\n"
        + "\xff"
        + good
    )
    found, faults = told(text)
    assert len(found) == 21
    assert (faults.lines, faults.unreadable, faults.first) == (25, 3, (22, 24, 25))


ODD = ("12 KB", "-1", "9223372036854775808", "nan", "1e400")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["csv", "zeek http", "w3c", "gcp", "azure nsg", "flows as CSV"])
def test_a_call_is_not_lost_for_its_bytes(name, odd):
    """Its bytes are not known, and the line counts as read in part."""
    form, text, (known,) = LOGS[name]
    word = {"csv": "1,024"}.get(name, str(known.bytes_up))
    written = f'"{odd}"' if name == "w3c" else odd
    found, faults = told(text.replace(word, written, 1))
    assert found == [replace(known, bytes_up=None, is_part=True)]
    assert (faults.form, faults.unreadable, faults.partly) == (form, 0, 1)


def test_a_log_of_another_form_is_refused_with_its_first_lines():
    text = "time,user,host\n" + "2026-11-26T18:00:01Z,anna,claude.ai\n" * 9 + "no\n" * 5
    with pytest.raises(InputError, match="5 of 15 lines") as refused:
        read_log(log(text), "csv", HINTS, print)
    assert refused.value.code == "egress_format"
    assert "lines 11, 12, 13, 14, 15" in refused.value.message
    assert "anna" not in refused.value.message
    with pytest.raises(InputError, match="1 of 1 lines"):
        read_log(log("nothing"), "aws-flow", HINTS, print)


@pytest.mark.parametrize(
    "text", ["hello\nworld\n", "a,b\n1,2\n", '{"a": 1}\n', "[1, 2]", '{"log": {}}']
)
def test_what_is_no_log_is_refused(text):
    with pytest.raises(InputError, match="no form that is known") as refused:
        detected(log(text), HINTS)
    assert refused.value.code == "egress_format"


def test_an_empty_log_tells_nothing():
    found, faults = told("")
    assert (found, faults.lines) == ([], 0)


def test_columns_are_taken_as_they_are_named():
    text = "when,who,to,out\n2026-11-26T18:00:01Z,anna,claude.ai,5\n"
    names = {"host": "to", "principal": "who", "time": "when", "bytes_up": "out"}
    found, _ = told(text, hints=Hints(NOW, names))
    assert found == [Call(How.REQUEST, "anna", "claude.ai", at=AT, bytes_up=5)]
    with pytest.raises(InputError, match="no form"):
        detected(log(text), Hints(NOW, {"host": "another"}))


def test_lines_of_any_length_are_read_in_bounded_memory():
    raw = b"short\n" + b"x" * 300 + b"\n" + b"after\r\n" + b"y" * 100
    assert list(lines_of(io.BytesIO(raw), longest=100)) == ["short", None, "after", "y" * 100]


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=9)), max_size=6)
)
def test_the_parts_of_a_document_are_those_that_json_sees(parts):
    for text in (json.dumps(parts), json.dumps({"records": parts}), json.dumps(parts, indent=2)):
        assert [json.loads(each) for each in parts_of(io.BytesIO(text.encode()))] == parts


def test_a_document_that_is_cut_off_says_so():
    text = json.dumps({"records": [{"a": 1}, {"b": 2}]})
    assert list(parts_of(io.BytesIO(text[:-8].encode()))) == ['{"a": 1}', None]
    assert list(parts_of(io.BytesIO(b'{"nothing": 1}'))) == [None]


@pytest.mark.parametrize("form", FORMATS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_line_crashes_a_reader(form, data):
    """Cuts, repeats and noise in logs of every form: read, or refused by name."""
    texts = [text for kind, text, _ in LOGS.values() if kind == form]
    text = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(0, len(text)))
    noise = data.draw(
        st.text(max_size=30) | st.sampled_from(["9" * 400, "\0", "[" * 3000, '"', "\t"])
    )
    try:
        told(text[:start] + noise + text[end:], form)
    except InputError as refused:
        assert refused.code == "egress_format"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw):
    try:
        told(raw)
    except InputError as refused:
        assert refused.code == "egress_format"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (str(EPOCH), AT),
        (f"{EPOCH}.000", AT),
        (f"{EPOCH}000", AT),
        (f"{EPOCH}000000", AT),
        (str((EPOCH + 11644473600) * 10**6), AT),  # seconds from 1601 to 1970: WebKit's epoch
        ("2026-11-26T18:00:01", AT),
        ("2026-11-26 18:00:01 UTC", AT),
        ("2026-11-26T19:00:01+01:00", AT),
        ("26/Nov/2026:18:00:01 +0000", AT),
        ("11/26/2026 06:00:01 PM", AT),
    ],
)
def test_times_of_every_form(text, time):
    assert time_of(text) == time


@pytest.mark.parametrize("text", ["", "never", "9" * 20 + "x", "2026-13-01T00:00:00", "9" * 19])
def test_what_is_no_time_is_none(text):
    with pytest.raises(ValueError, match=r"."):
        time_of(text)
    with pytest.raises(ValueError, match="no time"):
        since_epoch(1e22)


def test_a_time_without_a_year_is_the_last_such_time():
    assert syslog_time("Nov 26 18:00:01", NOW) == AT
    assert syslog_time("Dec 31 23:00:00", NOW).year == 2025
    assert syslog_time("Feb 29 01:00:00", NOW).year == 2024
    assert syslog_time("Jan  1 00:00:00", datetime(2026, 12, 31, 23, 59, tzinfo=UTC)).year == 2027
    with pytest.raises(ValueError, match="no time"):
        syslog_time("Feb 29 01:00:00", datetime(1903, 1, 1, tzinfo=UTC))


def browser(path, statements):
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()
    return path


def test_the_histories_of_browsers_are_read_as_they_lie(tmp_path):
    webkit = (EPOCH + 11644473600) * 10**6
    chromium = browser(
        tmp_path / "History",
        [
            "CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT, title TEXT)",
            "CREATE TABLE visits (id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER)",
            "INSERT INTO urls VALUES (1, 'https://claude.ai/', 'x'), (2, 'chrome://newtab', 'y')",
            f"INSERT INTO visits VALUES (1, 1, {webkit}), (2, 2, {webkit}), (3, 1, 'never')",
        ],
    )
    firefox = browser(
        tmp_path / "places.sqlite",
        [
            "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)",
            "CREATE TABLE moz_historyvisits (id INTEGER, place_id INTEGER, visit_date INTEGER)",
            "INSERT INTO moz_places VALUES (1, 'https://claude.ai/chat')",
            f"INSERT INTO moz_historyvisits VALUES (1, 1, {EPOCH * 10**6})",
        ],
    )
    visit = Call(How.VISIT, "anna", "claude.ai", at=AT)
    assert list(visits_in(chromium, "anna")) == [
        visit,
        Call(How.VISIT, "anna", "newtab", at=AT),
        None,
    ]
    assert list(visits_in(firefox, "anna")) == [visit]
    other = browser(tmp_path / "other", ["CREATE TABLE t (x)"])
    with pytest.raises(InputError, match="no history") as refused:
        list(visits_in(other, "anna"))
    assert refused.value.code == "egress_format"


def sightings(*logs):
    tally = Tally(shipped())
    for name, text in logs:
        read_log(
            log(text, name),
            detected(log(text), HINTS),
            HINTS,
            lambda each, n=name: tally.take(each, n),
        )
    return tally


def test_flows_are_named_by_the_answers_of_dns():
    tally = sightings(("dns", LOGS["dnsmasq"][1]), ("flows", LOGS["aws"][1]))
    (seen,) = tally.sightings()
    assert (seen.service.id, seen.principal, seen.bytes_up, seen.count) == (
        "chatgpt",
        "10.0.0.5",
        8400,
        1,
    )
    assert seen.logs == ("dns", "flows")
    alone = sightings(("flows", LOGS["aws"][1]))
    assert (alone.sightings(), alone.unresolved) == ([], 1)


def test_an_address_that_others_share_accuses_nobody():
    shared = f"Nov 26 18:00:01 dnsmasq[7]: reply blog.example is {IP}\n"
    tally = sightings(("dns", shared), ("dns2", LOGS["dnsmasq"][1]), ("flows", LOGS["aws"][1]))
    (seen,) = tally.sightings()
    assert (seen.bytes_up, tally.ambiguous) == (None, 1)


def test_the_same_call_in_several_logs_counts_once():
    ssl = zeek("ssl", ts=EPOCH, id__orig_h="10.0.0.5", server_name="chatgpt.com")
    dns, conn = LOGS["zeek dns"][1], LOGS["zeek conn"][1]
    (seen,) = sightings(("dns", dns), ("ssl", ssl), ("conn", conn)).sightings()
    assert (seen.count, seen.bytes_up) == (1, 900)


def test_first_and_last_count_and_bytes_are_added_up():
    rows = [
        (10, "anna", "claude.ai", 5),
        (8, "anna", "x.claude.ai", 7),
        (9, "bert", "claude.ai", 1),
    ]
    text = "time,user,host,bytes_out\n" + "".join(
        f"2026-11-26T{hour:02}:00:00Z,{user},{host},{sent}\n" for hour, user, host, sent in rows
    )
    anna, bert = sightings(("p", text)).sightings()
    assert (anna.principal, anna.count, anna.bytes_up) == ("anna", 2, 12)
    assert (anna.first_seen.hour, anna.last_seen.hour) == (8, 10)
    assert (bert.principal, bert.count, bert.bytes_up) == ("bert", 1, 1)
    assert anna.hosts == ("claude.ai", "x.claude.ai")
    assert "anna" not in repr(anna)


def test_what_is_kept_is_bounded_and_what_is_left_out_is_said(monkeypatch):
    from cipherset.evidence.discover.egress import tally as module

    monkeypatch.setattr(module, "MOST_SIGHTINGS", 2)
    monkeypatch.setattr(module, "_MOST_ALIKE", 1)
    monkeypatch.setattr(module, "MOST_ADDRESSES", 0)
    text = "user,host\n" + "".join(f"p{i},claude.ai\np{i},openai-{i}.example\n" for i in range(4))
    tally = sightings(("p", text))
    assert (len(tally.sightings()), tally.left_out, len(tally.look_alikes())) == (2, 2, 1)
    tally.take(Answer("claude.ai", IP), "d")
    tally.take(Call(How.FLOW, "anna", address=IP), "f")
    assert tally.unresolved == 1


def test_gzip_is_a_matter_of_how_a_log_is_opened():
    raw = gzip.compress(LOGS["csv"][1].encode())
    packed = LogFile("x.gz", lambda: gzip.GzipFile(fileobj=io.BytesIO(raw)))
    found = []
    read_log(packed, detected(packed, HINTS), HINTS, found.append)
    assert found == LOGS["csv"][2]
