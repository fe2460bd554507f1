"""A principal's new key: what the one before has signed counts, unless that one was stolen."""

import pytest


@pytest.fixture
def signing(team, monkeypatch):
    """The public key of one who has it in their hands, whom they are."""

    def with_key(file):
        monkeypatch.setenv("CIPHERSET_PRINCIPAL_KEY", str(file))

    team.with_key = with_key
    team.without_key = lambda: monkeypatch.delenv("CIPHERSET_PRINCIPAL_KEY", raising=False)
    return team


def made(team, name):
    file = team.folder / f"{name}.pem"
    return file, team.ok("root", "principal", "key", file)["public_key"]


def approved(team, *, key=None):
    """A grant of which rev has given one of two approvals."""
    asked = team.ok("bob", "grant", "request", "protect", team.source, "--for", "routing")
    if key is not None:
        team.with_key(key)
    team.ok("rev", "grant", "approve", asked["grant"])
    team.without_key()
    return asked["grant"]


def status(team, grant):
    (found,) = [g for g in team.ok("eve", "grant", "list")["grants"] if g["grant"] == grant]
    return found


def change(team, how, public, file, *options):
    team.granted("root", "principal.change", f"principal:rev={how}:{public}", by=("ada", "ron"))
    team.ok("root", "principal", "change", "rev", "--public-key", f"{file}.pub", *options)


def test_votes_outlive_the_key_that_signed_them(signing):
    grant = approved(signing)  # by the workspace's key: rev has none
    first, public = made(signing, "first")
    change(signing, "key", public, first)
    assert status(signing, grant)["approved_by"] == ["rev"]
    second, public = made(signing, "second")
    again = signing.ok("bob", "grant", "request", "scan", signing.source, "--for", "x")["grant"]
    signing.with_key(first)
    signing.ok("rev", "grant", "approve", again)
    signing.without_key()
    change(signing, "key", public, second)
    assert status(signing, grant)["approved_by"] == ["rev"]
    assert status(signing, again)["approved_by"] == ["rev"]
    signing.ok("ada", "grant", "approve", grant)
    assert status(signing, grant)["status"] == "live"


def test_what_a_stolen_key_signed_is_void(signing):
    first, public = made(signing, "first")
    change(signing, "key", public, first)
    grant = approved(signing, key=first)
    assert status(signing, grant)["approved_by"] == ["rev"]
    second, public = made(signing, "second")
    change(signing, "stolen", public, second, "--stolen")
    found = status(signing, grant)
    assert found["status"] == "void"
    assert "not signed with a key that rev had then" in found["reason"]


def test_a_stolen_key_is_replaced(team):
    done = team.run("root", "principal", "change", "rev", "--stolen")
    assert (done.code, done.error["code"]) == (2, "compromised_key")
