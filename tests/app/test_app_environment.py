"""What is known of where we run, and the gate's decision on it."""

import hashlib
import hmac
import os

import pytest

from cipherset.app.gate import Action, Gate, Who
from cipherset.core.environment import Environment
from cipherset.core.errors import PolicyError
from cipherset.custody.keys import KeyRing
from cipherset.custody.ledger import Ledger
from cipherset.interfaces.environment import (
    MACHINE_LABEL,
    look_around,
    machine_digest,
    package_digest,
)

MACHINE = "0123456789abcdef" * 2


def test_what_is_known_here():
    here = look_around()
    assert here.host == os.uname().nodename.lower()
    assert here.package.startswith("sha256:")
    assert here.identity is None
    assert look_around() == here
    assert look_around("spiffe://prod/gateway").identity == "spiffe://prod/gateway"


def test_the_machine_id_is_not_shown(tmp_path):
    path = tmp_path / "machine-id"
    path.write_text(MACHINE + "\n")
    found = machine_digest(path)
    slow = hmac.new(bytes.fromhex(MACHINE), MACHINE_LABEL, hashlib.sha256).hexdigest()
    assert found == "hmac-sha256:" + slow
    assert MACHINE not in found


@pytest.mark.parametrize("text", [None, "", "uninitialized\n", MACHINE[:-1], MACHINE + "\n\n", "é"])
def test_a_machine_without_an_id_is_no_machine(tmp_path, text):
    path = tmp_path / "machine-id"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert machine_digest(path) is None


def test_one_byte_of_the_package_is_another_package(tmp_path):
    for name in ("a.py", "room/b.py", "room/__pycache__/b.pyc", "py.typed"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = package_digest(tmp_path)
    (tmp_path / "room" / "__pycache__" / "b.pyc").write_text("compiled anew")
    assert package_digest(tmp_path) == before
    (tmp_path / "room" / "b.py").write_text("changed")
    changed = package_digest(tmp_path)
    (tmp_path / "room" / "b.py").rename(tmp_path / "room" / "c.py")
    assert len({before, changed, package_digest(tmp_path)}) == 3


def test_a_file_that_goes_while_the_package_is_read_is_no_fault(tmp_path):
    (tmp_path / "a.py").write_text("stays")
    before = package_digest(tmp_path)
    (tmp_path / "b.py").symlink_to(tmp_path / "gone")  # listed, and not there to be read
    assert package_digest(tmp_path) == before


@pytest.fixture
def key(tmp_path):
    return KeyRing(tmp_path).create("a", only_in=("host=alpha", "identity=spiffe://a"))


@pytest.mark.parametrize(
    ("environment", "unmet"),
    [
        (Environment(host="alpha", identity="spiffe://a"), ()),
        (Environment(host="alpha"), ("identity",)),
        (Environment(identity="spiffe://a"), ("host",)),
        (Environment(), ("host", "identity")),
    ],
)
def test_the_decision(key, tmp_path, environment, unmet):
    with Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        gate = Gate(ledger, Who("ada"), environment)
        with gate.act(Action.AUDIT, "a test", {}):
            if not unmet:
                gate.admit(key, "query")
                return
            with pytest.raises(PolicyError) as caught:
                gate.admit(key, "query")
        assert caught.value.code == "key_environment"
        assert ", ".join(unmet) in caught.value.message


def test_no_key_opens_outside_of_an_act(key, tmp_path):
    here = Environment(host="alpha", identity="spiffe://a")
    with Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        gate = Gate(ledger, Who("ada"), here)
        with gate.act(Action.AUDIT, "a test", {}):
            gate.admit(key, "query")
        with pytest.raises(PolicyError) as caught:
            gate.admit(key, "query")
        assert caught.value.code == "outside_act"
        assert [event.outcome for event in ledger.events()] == ["intended", "done", "refused"]


def test_a_refusal_says_which_kind_is_not_met(key, tmp_path):
    with Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as ledger:
        with pytest.raises(PolicyError) as caught:
            Gate(ledger, Who("ada"), Environment(host="alpha")).admit(key, "query")
        (event,) = ledger.events()
    assert (caught.value.code, caught.value.exit_code) == ("key_environment", 3)
    assert "identity" in caught.value.message
    assert "never on the command line" in caught.value.message
    assert "host" not in caught.value.message
    assert (event.action, event.outcome, event.subject) == ("key.use", "refused", "a")
    assert '"unmet":"identity"' in event.body
    assert '"use":"query"' in event.body
