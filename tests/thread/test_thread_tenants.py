"""Tenants: whose rows go under which key, where, and what the exports of two have in common."""

import numpy as np
import pytest
from thread_samples import QUICK, Owner, opened, vector_rows, write_rows
from thread_team import COLUMNS

import cipherset
from cipherset.app.erasure.sealed import open_exports
from cipherset.app.workspace import Session
from cipherset.custody.policy import BuiltIn, builtin
from cipherset.evidence.attack.linkage.tenants import link_tenants
from cipherset.interfaces.cli.output import TerminalProgress


def source_rows(owner):
    """The source row of each row of the tenant's export, as only its owner may see."""
    session = Session(owner.home, "ada", owner.folder, TerminalProgress())
    with opened(session) as workspace:
        (export,) = open_exports(workspace).exports
        rows = [row for table in export.rows.chunks() for row in table.to_pylist()]
    return {row["row"]: row["source"] for row in rows}


def protected(folder, rows):
    """A tenant's encrypted training rows, their labels and the source row of each."""
    owner = Owner(folder)
    folder.mkdir()
    owner.key("support")
    source = write_rows(folder / "rows.parquet", rows)
    owner.ok("protect", source, *COLUMNS, "--to", folder / "out", "--seed", "7")
    table = cipherset.open(folder / "out").to_arrow("train")
    of = source_rows(owner)
    x = np.stack(table["vector"].to_pylist())
    return x, np.array(table["label"].to_pylist()), [of[row] for row in table["row"].to_pylist()]


@pytest.mark.soak
def test_rows_of_a_tenant_go_under_another_key_by_a_grant_and_never_out_of_their_region(
    team, monkeypatch
):
    source, risk = team.source, ("--accept-risk", "a trial")
    monkeypatch.setenv("CIPHERSET_REGION", "eu")
    bound = ("--only-in", "region=current")
    assert team.ok("kim", "key", "create", "all", *bound)["only_in"] == ["region=eu"]
    assert team.ok("kim", "key", "create", "own", "--tenant", "acme")["tenant"] == "acme"
    team.ok("bob", "scan", source, "--tenant", "acme", "--region", "eu")
    team.ok("bob", "scan", source, "--tenant", "acme")  # said again
    other = team.refused("bob", "scan", source, "--region", "us")
    assert (other["code"], "region of these rows is eu" in other["message"]) == ("home_known", True)
    lower = ("relabel", source, "--level", "restricted", "--reason", "moved", "--tenant", "beta")
    assert team.refused("ada", *lower)["code"] == "not_allowed"

    def protect(key):
        columns = (*COLUMNS[:-1], key)
        return team.run("bob", "protect", source, *columns, "--to", team.target, *QUICK, *risk)

    assert "rows of a tenant go under that tenant's key" in protect("all").error["message"]
    for key in ("own", "all"):
        team.granted("bob", "protect", source, f"key:{key}", options=risk)
    assert "rows that are to stay in a region go under" in protect("own").error["message"]
    for place in ("us", ""):
        monkeypatch.setenv("CIPHERSET_REGION", place)
        assert "the machine is known to stand in it" in protect("all").error["message"]
    monkeypatch.setenv("CIPHERSET_REGION", "eu")
    done = protect("all")
    assert done.code == 0, done.out
    monkeypatch.setenv("CIPHERSET_REGION", "us")
    at_gate = ("train", team.target, "--to", team.folder / "own.bundle", "--at-gate")
    assert "known to stand in it" in team.refused("sci", *at_gate)["message"]


HOMES = {"other-tenant", "key-of-other-region", "other-region", "other-purpose"}


@pytest.fixture
def tenants(tmp_path, monkeypatch):
    """One person under what the team's policies say of tenants, and a key of each of two."""
    monkeypatch.setenv("CIPHERSET_REGION", "eu")
    owner, own = Owner(tmp_path), tmp_path / "own"
    own.mkdir()
    rules = [rule.text for rule in builtin.load(BuiltIn.TEAM).rules if rule.id in HOMES]
    solo = builtin.texts(BuiltIn.SOLO)
    (own / "own.cedar").write_text("\n".join([*solo.values(), *rules]))
    (own / "limits.toml").write_text(builtin.limits(BuiltIn.SOLO))
    owner.ok("policy", "activate", own)
    told = ("--purpose", "find")
    owner.ok("key", "create", "acme", *told, "--tenant", "acme", "--only-in", "region=current")
    owner.ok("key", "create", "beta", *told, "--tenant", "beta", "--only-in", "region=current")
    return owner


@pytest.fixture
def indexed(tenants):
    """``acme`` has its rows in an index under its own key; ``open.index`` has nobody's."""
    owner, told = tenants, ("--purpose", "find")
    for name, home in {"mine": ("--tenant", "acme", "--region", "eu"), "free": ()}.items():
        for seed in (1, 2):
            rows = vector_rows(20, seed=seed + len(home))
            path = write_rows(owner.folder / f"{name}{seed}.parquet", rows)
            owner.ok("scan", path, *home, *told)
    for source, key, to in (("mine1", "acme", "acme.index"), ("free1", "beta", "open.index")):
        columns = ("--vector", "vec", "--key", key, "--to", owner.folder / to)
        given = ("--approximation-factor", "4", "--accept-risk", "a test")
        owner.ok("index", "build", owner.folder / f"{source}.parquet", *columns, *given)
    return owner


def test_an_index_of_a_tenant_is_changed_under_its_own_key(indexed, monkeypatch):
    index, more = indexed.folder / "acme.index", indexed.folder / "mine2.parquet"
    assert indexed.ok("index", "add", index, more)["changed"] == 20
    assert indexed.ok("index", "delete", index, "--row", "3", "--source", "mine1.parquet")
    indexed.ok("key", "rotate", "acme")
    assert indexed.ok("index", "reencrypt", index)["changed"] == 39
    assert indexed.ok("index", "add", index, indexed.folder / "free2.parquet")["changed"] == 20


def test_rows_of_a_tenant_are_added_to_an_index_under_another_key_by_a_grant(indexed):
    index, more = indexed.folder / "open.index", indexed.folder / "mine1.parquet"
    refused = indexed.run("index", "add", index, more).error
    assert refused["code"] == "not_allowed"
    assert "index of mine1.parquet: rows of a tenant go under" in refused["message"]
    assert "grant request index mine1.parquet open.index" in refused["hint"]
    granted = indexed.ok("grant", "request", "index", more, index, "--for", "find")["grant"]
    indexed.ok("grant", "approve", granted)
    assert indexed.ok("index", "add", index, more)["changed"] == 20
    # From now on it holds acme's rows too: more come by a grant only, and any go without.
    added = ("index", "add", index, indexed.folder / "free2.parquet")
    assert "rows of a tenant go under" in indexed.run(*added).error["message"]
    indexed.ok("index", "delete", index, "--row", "3", "--source", "mine1.parquet")


def test_texts_of_a_tenant_are_cleaned_and_brought_in_under_its_own_key(tenants):
    owner = tenants
    source = write_rows(owner.folder / "mine.jsonl", [{"body": "call Ann at +1 202 555 0100"}])
    owner.ok("scan", source, "--tenant", "acme", "--region", "eu")
    owner.ok("key", "create", "far", "--tenant", "acme")
    given = (source, "--text", "body")
    acts = {"chunks": (), "sanitize": ("--to", owner.folder / "clean.jsonl")}
    for act, more in acts.items():
        for key, why in (("beta", "rows of a tenant go under"), ("far", "under a key that is")):
            refused = owner.run(act, *given, *more, "--key", key).error
            assert refused["code"] == "not_allowed"
            assert why in refused["message"]
    assert not (owner.folder / "clean.jsonl").exists()
    assert owner.ok("chunks", *given, "--key", "acme") == {"chunks": 1}
    assert owner.ok("sanitize", *given, *acts["sanitize"], "--key", "acme")["rows"] == 1
    # Under no key rows go under nobody's.
    assert owner.ok("sanitize", *given, "--to", owner.folder / "other.jsonl")["rows"] == 1
    granted = owner.ok("grant", "request", "sanitize", source, "key:beta", "--for", "one model")
    owner.ok("grant", "approve", granted["grant"])
    assert owner.ok("chunks", *given, "--key", "beta") == {"chunks": 1}


def test_names_of_tenants_and_regions_have_a_grammar(owner, monkeypatch):
    for option, code in (("--tenant", "tenant"), ("--region", "region")):
        source = write_rows(owner.folder / "few.jsonl", [{"body": "a"}])
        assert owner.run("scan", source, option, "a, b").error["code"] == code
    assert owner.run("key", "create", "b", "--tenant", "a,b").error["code"] == "tenant"
    monkeypatch.setenv("CIPHERSET_REGION", "EU!")
    assert owner.run("key", "list").error["code"] == "region"


def test_a_tenant_is_bound_to_the_secret(owner):
    owner.ok("key", "create", "own", "--tenant", "acme")
    path = owner.home / "keys" / "own.json"
    path.write_bytes(path.read_bytes().replace(b'"acme"', b'"beta"'))
    assert owner.ok("key", "show", "own")["tenant"] == "beta"
    assert owner.run("key", "rotate", "own").error["code"] == "key_unwrap"


@pytest.mark.attack
def test_what_the_defaults_let_leave_links_no_rows_of_two_tenants(tmp_path):
    rows = vector_rows(1200, dim=24, classes=4)
    (a, a_labels, mine), (b, b_labels, theirs) = (
        protected(tmp_path / name, rows) for name in ("one", "two")
    )
    assert sorted(mine) == sorted(theirs)  # the same rows, or linking them would be no surprise
    at = {source: place for place, source in enumerate(theirs)}
    codes = {label: code for code, label in enumerate(sorted(set(a_labels)))}
    found = link_tenants(
        a,
        b,
        truth=np.array([at[source] for source in mine]),
        first_groups=np.array([codes[label] for label in a_labels]),
        second_groups=np.array([codes[label] for label in b_labels]),
    )
    # The noise is not the test's to draw: five of its standard errors and more.
    assert found.chance < 0.006
    assert found.interval.value < found.chance + 0.015, found
