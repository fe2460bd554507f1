"""``discover --egress``: planted calls alert, approved ones do not; rows that left are counted."""

import csv
import gzip
import json
import shutil

import pytest
from thread_samples import Owner, bytes_below, cipherset, opened

from cipherset.app.discovery.egress import EgressRequest, sightings
from cipherset.app.discovery.egress import kept as module
from cipherset.app.discovery.egress.kept import keeping
from cipherset.app.workspace import Session, open_workspace
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign
from cipherset.core.errors import IntegrityError, UsageError
from cipherset.custody.keys import sightings_sealer
from cipherset.interfaces.cli.output import TerminalProgress

ANNA, BERT = "anna.canary@corp.example", "bert-canary-7"
ROWS = [
    "my parcel to the old mill at number seventy two is eleven days late and nobody answers me",
    "please refund forty four euros for the order of the blue kettle with the broken lid at last",
    "the green bicycle was stolen from the yard last tuesday night and the lock was cut in two",
    "our contract of march says nothing of a second invoice for the northern warehouse at all",
]
LOG = [
    ("2026-11-26T08:00:00Z", ANNA, "claude.ai", 700),
    ("2026-11-25T08:00:00Z", ANNA, "claude.ai", 500),
    ("2026-11-26T09:00:00Z", BERT, "chatgpt.com", 90),
    ("2026-11-26T09:30:00Z", ANNA, "api.openai.com", 10),
    ("2026-11-26T10:00:00Z", BERT, "openai.com.evil.example", 10),
    ("2026-11-26T10:00:00Z", BERT, "notopenai.com", 10),
    ("2026-11-26T10:00:00Z", BERT, "cdn.auth0.com", 10),
    ("2026-11-26T10:00:00Z", BERT, "unpkg.com", 10),
    ("2026-11-26T10:00:00Z", BERT, "news.example", 10),
]


def write_log(path, rows=LOG):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("time", "user", "host", "bytes_sent"), *rows])
    return path


@pytest.fixture
def owner(tmp_path):
    made = Owner(tmp_path)
    made.ok("init")
    return made


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "proxy.csv")


def session(owner):
    return Session(owner.home, "tester", owner.folder / "cache", TerminalProgress())


def alerts(owner):
    return [json.loads(event.body) | {"subject": event.subject} for event in owner.events("alert")]


def by_service(told):
    return {each["service"]: each for each in told["findings"]}


def test_a_call_whose_bytes_are_none_is_told_and_so_is_its_line(owner, tmp_path):
    odd = write_log(
        tmp_path / "odd.csv", [*LOG, ("2026-11-26T11:00:00Z", BERT, "groq.com", "1 KB")]
    )
    told = owner.ok("discover", "--egress", odd)
    assert by_service(told)["groq"]["bytes_up"] is None
    (read,) = told["logs"]
    assert (read["told"], read["unreadable"], read["partly"]) == (len(LOG) + 1, 0, 1)
    shown = cipherset("discover", "--egress", odd, "--home", owner.home)
    assert "1 of 11 lines" in shown.out


def test_every_planted_call_alerts_with_who_how_much_and_since_when(owner, log):
    told = owner.ok("discover", "--egress", log)
    found = by_service(told)
    assert set(found) == {"claude", "chatgpt", "openai-api"}
    claude = found["claude"]
    assert claude["kind"] == "shadow-ai"
    assert claude["status"] == "unreviewed"
    assert (claude["what"], claude["where"]) == ("Claude", str(log))
    assert (claude["principal"], claude["count"], claude["bytes_up"]) == (ANNA, 2, 1200)
    assert claude["first_seen"] == "2026-11-25T08:00:00+00:00"
    assert (found["chatgpt"]["principal"], found["chatgpt"]["bytes_up"]) == (BERT, 90)
    assert told["alerts"] == 3
    of_claude = next(each for each in alerts(owner) if each["subject"] == "claude")
    assert of_claude["kind"] == "shadow-ai"
    assert (of_claude["count"], of_claude["bytes_up"], of_claude["principals"]) == (2, 1200, 1)
    assert of_claude["first_seen"].startswith("2026-11-25T08:00:00")
    watched = owner.ok("audit", "watch")["alerts"]
    assert {each["principal"] for each in watched} == {"claude", "chatgpt", "openai-api"}


def test_look_alikes_and_shared_hosts_are_not_accused(owner, log):
    told = owner.ok("discover", "--egress", log)
    assert told["look_alikes"] == [
        {"host": "notopenai.com", "looks_like": "openai", "count": 1},
        {"host": "openai.com.evil.example", "looks_like": "openai.com", "count": 1},
    ]
    hosts = {host for each in told["findings"] for host in each["hosts"]}
    assert hosts == {"claude.ai", "chatgpt.com", "api.openai.com"}


def test_the_same_log_alerts_once_and_another_again(owner, log, tmp_path):
    assert owner.ok("discover", "--egress", log)["alerts"] == 3
    assert owner.ok("discover", "--egress", log)["alerts"] == 0
    more = write_log(tmp_path / "next.csv", [("2026-11-27T08:00:00Z", BERT, "claude.ai", 1)])
    assert owner.ok("discover", "--egress", more)["alerts"] == 1


def test_a_service_goes_through_its_review(owner, log):
    first = by_service(owner.ok("discover", "--egress", log, "--review"))
    assert {each["status"] for each in first.values()} == {"in review"}
    claude, chatgpt, api = (first[name] for name in ("claude", "chatgpt", "openai-api"))
    owner.ok("grant", "approve", claude["grant"])
    owner.ok("asset", "approve", claude["asset"])
    owner.ok("grant", "deny", chatgpt["grant"])
    owner.ok("asset", "suspend", api["asset"])
    told = owner.ok("discover", "--egress", log)
    found = by_service(told)
    assert found["claude"]["status"] == "approved"
    assert found["claude"]["kind"] == "ai-service"
    assert found["chatgpt"]["status"] == "unapproved"
    assert found["openai-api"]["status"] == "unapproved"
    assert told["statuses"] == {"unreviewed": 0, "in review": 0, "approved": 1, "unapproved": 2}


def test_what_is_approved_does_not_alert(owner, log):
    first = by_service(owner.ok("discover", "--egress", log))
    owner.ok("asset", "approve", first["claude"]["asset"])
    before = len(alerts(owner))
    more = write_log(log, [*LOG, ("2026-11-27T08:00:00Z", BERT, "claude.ai", 1)])
    assert owner.ok("discover", "--egress", more)["alerts"] == 0
    assert len(alerts(owner)) == before
    assert owner.run("discover", "--egress", log, "--fail-on", "unreviewed").code == 3


def test_a_service_that_was_added_and_approved_covers_what_is_seen_of_it(owner, log):
    owner.ok("service", "add", "llm", "--url", "https://api.openai.com/v1", "--model", "m")
    assert by_service(owner.ok("discover", "--egress", log))["openai-api"]["status"] == "unreviewed"
    added = owner.ok("asset", "approve", "service:llm")["asset"]
    found = by_service(owner.ok("discover", "--egress", log))
    assert (found["openai-api"]["status"], found["openai-api"]["asset"]) == ("approved", added)
    assert found["chatgpt"]["status"] == "unreviewed"
    owner.ok("asset", "suspend", "service:llm")
    found = by_service(owner.ok("discover", "--egress", log))
    assert found["openai-api"]["status"] == "unapproved"
    assert found["openai-api"]["asset"] != added


def test_a_list_of_ones_own_names_more(owner, log, tmp_path):
    mine = tmp_path / "mine.toml"
    row = 'id = "news", name = "News AI", vendor = "We", is = "chat", source = "wiki"'
    mine.write_text(
        f'schema = "cipherset/ai-services/1"\nservice = [{{ {row}, domains = ["news.example"] }}]\n'
    )
    assert "news" in by_service(owner.ok("discover", "--egress", log, "--services", mine))
    mine.write_text("service = 1")
    assert (
        owner.run("discover", "--egress", log, "--services", mine).error["code"]
        == "egress_services"
    )


def test_dns_names_the_addresses_of_flows_whatever_the_order(owner, tmp_path):
    flows, dns = tmp_path / "flows.log", tmp_path / "dns.log.gz"
    flows.write_text(
        "2 1 eni-1 10.0.0.5 104.18.7.192 1 443 6 10 8400 1795716001 1795716061 ACCEPT OK\n"
    )
    dns.write_bytes(gzip.compress(b"Nov 26 08:00:01 dnsmasq[7]: reply claude.ai is 104.18.7.192\n"))
    told = owner.ok("discover", "--egress", flows, "--egress", dns)
    assert [(each["service"], each["bytes_up"]) for each in told["findings"]] == [("claude", 8400)]
    assert [each["format"] for each in told["logs"]] == ["aws-flow", "dnsmasq"]
    alone = owner.ok("discover", "--egress", flows)
    assert (alone["findings"], alone["unresolved"]) == ([], 1)


@pytest.fixture
def indexed(owner, tmp_path):
    for name, rows in (("tickets", ROWS), ("open", ROWS)):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("body",), *([f"{row} ({name})"] for row in rows)])
    owner.ok("key", "create", "support")
    source = tmp_path / "tickets.csv"
    owner.ok("copies", "index", "tickets", source, "--text", "body", "--key", "support")
    return owner


def chat(*texts):
    said = "Summarize these:\n" + "\n".join(texts)
    return json.dumps({"messages": [{"role": "user", "content": said}]})


@pytest.fixture
def bodies(tmp_path):
    url = "https://api.openai.com/v1/chat/completions"
    entries = [
        {"user": ANNA, "url": url, "body": chat(ROWS[0], ROWS[1])},
        {"user": ANNA, "url": url, "body": chat(ROWS[1].upper())},
        {"user": BERT, "url": "https://intranet.example/x", "body": ROWS[2]},
        {
            "user": BERT,
            "url": "https://claude.ai/x",
            "body": "tell me how to reset a router at home",
        },
        {"user": BERT, "prompt": ROWS[3]},
    ]
    path = tmp_path / "bodies.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in entries) + "{broken\n")
    return path


def test_rows_that_were_sent_are_named_by_data_set_and_count(indexed, bodies):
    told = indexed.ok("discover", "--bodies", bodies)
    sent = [
        (each["what"], each["rows"], each["count"], each["service"], each["status"])
        for each in told["findings"]
    ]
    assert sorted(sent, key=str) == [
        ("tickets", 1, 1, None, "no AI service"),
        ("tickets", 1, 1, None, "unreviewed"),
        ("tickets", 2, 2, "openai-api", "unreviewed"),
    ]
    assert {each["level"] for each in told["findings"]} == {"restricted"}
    (log,) = told["logs"]
    assert (log["told"], log["unreadable"], log["first_unreadable"]) == (5, 1, [6])
    assert told["compared"] == ["tickets"]
    assert told["statuses"]["unreviewed"] == 2
    rows = {(each["subject"], each["service"]): each["rows"] for each in alerts(indexed)}
    assert rows == {("tickets", "openai-api"): 2, ("tickets", None): 1}


def test_rows_that_went_to_an_approved_service_are_told_and_do_not_alert(indexed, bodies, log):
    first = by_service(indexed.ok("discover", "--egress", log))
    indexed.ok("asset", "approve", first["openai-api"]["asset"])
    told = indexed.ok("discover", "--bodies", bodies)
    sent = next(each for each in told["findings"] if each["service"] == "openai-api")
    assert (sent["status"], sent["rows"]) == ("approved", 2)
    assert all(each["service"] != "openai-api" or "rows" not in each for each in alerts(indexed))


def test_data_sets_that_are_not_looked_for_are_said(indexed, bodies, tmp_path):
    source = tmp_path / "open.csv"
    indexed.ok("copies", "index", "open", source, "--text", "body", "--key", "support")
    indexed.ok("relabel", source, "--level", "public", "--reason", "it is published")
    shutil.copytree(indexed.home / "training" / "tickets", indexed.home / "training" / "older")
    told = indexed.ok("discover", "--bodies", bodies)
    assert told["compared"] == ["tickets"]
    assert "labeled public" in told["not_compared"]["open"]
    assert "index it again" in told["not_compared"]["older"]
    indexed.ok("key", "rotate", "support")
    indexed.ok(
        "copies", "index", "tickets", tmp_path / "tickets.csv", "--text", "body", "--key", "support"
    )
    shutil.rmtree(indexed.home / "training" / "tickets" / "shingles.2")
    told = indexed.ok("discover", "--bodies", bodies)
    assert "another version" in told["not_compared"]["tickets"]


def test_one_field_alone_is_looked_at(indexed, bodies):
    told = indexed.ok("discover", "--bodies", bodies, "--field", "prompt")
    assert [each["rows"] for each in told["findings"]] == [1]
    done = indexed.run("discover", "--bodies", bodies, "--field", "none.such")
    assert (done.code, done.error["code"]) == (4, "egress_format")


def test_nothing_said_and_nobody_seen_is_in_the_ledger_or_in_the_clear(indexed, bodies, log):
    done = indexed.run("discover", "--egress", log, "--bodies", bodies)
    assert done.code == 0
    words = ["seventy two", "blue kettle", "green bicycle", "northern warehouse", "router at home"]
    assert not [word for word in words if word in (done.out + done.err).lower()]
    assert ANNA not in done.err
    there = b"".join(bytes_below(indexed.home).values())
    assert not [each for each in (ANNA, BERT, *words) if each.encode() in there.lower()]
    for event in indexed.events():
        assert ANNA not in event.body + event.subject
        assert BERT not in event.body + event.subject


def test_the_inventory_and_the_run_know_the_services(owner, log):
    told = owner.ok("discover", "--egress", log)
    runs = [json.loads(e.body) for e in owner.events("run.start") if e.subject == told["run"]]
    (run,) = runs
    assert run["kind"] == "discover"
    said = run["parameters"]
    assert (said["source"], said["sightings"], said["principals"]) == (
        "egress",
        told["sightings"],
        2,
    )
    assets = {each["asset"] for each in told["findings"]}
    assert set(said["services"]) == set(run["inputs"]) == assets
    known = {each["id"]: each for each in owner.ok("view", "inventory")["assets"]}
    assert assets <= set(known)


def test_sightings_are_read_back_until_their_folder_is_removed(owner, log):
    told = owner.ok("discover", "--egress", log)
    with opened(session(owner)) as workspace:
        (kept,) = sightings(workspace)
        assert kept.id == told["sightings"]
        assert list(kept.findings) == told["findings"]
        assert list(kept.look_alikes) == told["look_alikes"]
        assert ANNA not in repr(kept)
        shutil.rmtree(owner.home / "sightings" / kept.id)
        assert sightings(workspace) == []


def test_sightings_that_were_changed_are_refused(owner, log):
    kept = owner.ok("discover", "--egress", log)["sightings"]
    path = owner.home / "sightings" / kept / "sightings"
    raw = path.read_bytes()
    with opened(session(owner)) as workspace:
        path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        with pytest.raises(IntegrityError) as refused:
            sightings(workspace)
        assert refused.value.code == "unseal"
        signer = workspace.ring.signer()
        other = {"schema": "other/1", "signer": {"public_key": public_key_of(signer)}}
        envelope = sign(canonical.encode(other), module.SIGHTINGS_TYPE, signer)
        path.write_bytes(sightings_sealer(signer).seal(envelope, context=f"sightings/{kept}"))
        with pytest.raises(IntegrityError) as refused:
            sightings(workspace)
        assert refused.value.code == "sightings_schema"


def test_sightings_are_not_kept_of_a_look_that_fails(owner):
    told = {"findings": [], "look_alikes": []}
    with open_workspace(session(owner)) as workspace:
        with pytest.raises(KeyboardInterrupt), keeping(workspace, "2026-11-26", told):
            raise KeyboardInterrupt
        assert list((owner.home / "sightings").iterdir()) == []


def test_a_log_that_is_cut_off_or_none_is_refused(owner, tmp_path):
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(("time,user,host\n" + "1,a,b.example\n" * 9999).encode())[:200])
    done = owner.run("discover", "--egress", cut)
    assert (done.code, done.error["code"]) == (4, "egress_gzip")
    other = tmp_path / "other.txt"
    other.write_text("nothing of the kind\n" * 9)
    done = owner.run("discover", "--egress", other)
    assert (done.code, done.error["code"]) == (4, "egress_format")
    assert owner.run("discover", "--egress", tmp_path / "none").code == 6
    assert not (owner.home / "sightings").exists()
    assert [event.outcome for event in owner.events("discover")][-1] == "refused"


def test_what_cannot_be_asked_is_refused(owner, log):
    for request in ({"form": "x"}, {"columns": {"x": "y"}}, {"logs": ()}):
        with pytest.raises(UsageError) as refused:
            EgressRequest(**{"logs": (log,), **request})
        assert refused.value.code == "egress_asked"
    done = owner.run("discover", "--egress", log, "--column", "host")
    assert (done.code, done.error["code"]) == (2, "egress_asked")
    assert owner.run("discover", "--egress", log, "--format", "x").code == 2


def test_for_people(owner, log):
    done = cipherset("discover", "--egress", log, "--home", owner.home)
    assert f"Claude: {ANNA}, 2 calls, 1200 bytes up since 2026-11-25T08:00:00+00:00" in done.out
    assert "notopenai.com looks like openai, and is not accused" in done.out


def test_in_a_team_auditors_look_and_nobody_else(team, log, bodies, tmp_path):
    source = tmp_path / "tickets.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("body",), *([row] for row in ROWS)])
    team.ok("bob", "copies", "index", "tickets", source, "--text", "body", "--key", "support")
    told = team.ok("eve", "discover", "--egress", log, "--bodies", bodies, "--review")
    assert {each["status"] for each in told["findings"]} == {
        "in review",
        "no AI service",
        "unreviewed",
    }
    assert told["compared"] == ["tickets"]
    for who in ("sci", "bob", "ada", "dora", "kim"):
        assert team.refused(who, "discover", "--egress", log)["code"] == "not_allowed"
    assert len(list((team.home / "sightings").iterdir())) == 1
