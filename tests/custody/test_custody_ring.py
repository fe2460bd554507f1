"""The key ring: keys, races, kills, refusals, and the signing key."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial

import pytest
from custody_racing import raced
from custody_ring_files import held
from securesystemslib.exceptions import UnverifiedSignatureError

from cipherset.core.errors import InputError, KeyAccessError, UsageError
from cipherset.core.secret import Secret
from cipherset.custody.keys import KeyRing, KeyStatus, KeyUse
from cipherset.custody.keys.stored import signer_bound

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def ring(tmp_path):
    return KeyRing(tmp_path, clock=lambda: NOON)


def edit(tmp_path, name, change):
    path = tmp_path / "keys" / f"{name}.json"
    content = json.loads(path.read_bytes())
    change(content)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    path.write_text(text)


def test_a_key_is_what_it_was_created_as(ring, tmp_path):
    made = ring.create("tickets", purpose="route tickets")
    assert re.fullmatch(r"tickets-[0-9a-f]{16}", made.key_id)
    assert (made.name, made.version, made.status) == ("tickets", 1, KeyStatus.ACTIVE)
    assert (made.provider, made.purpose) == ("file:kek", "route tickets")
    assert made.created == "2026-01-02T12:00:00+00:00"
    again = KeyRing(tmp_path)
    assert again.get("tickets") == again.get(made.key_id) == made
    assert again.list() == (made,)


def test_a_key_opens_to_the_same_secret_by_name_id_and_version(ring, tmp_path):
    made = ring.create("a")
    again = KeyRing(tmp_path)
    handles = [
        ring.open("a", purpose=KeyUse.QUERY),
        again.open(made.key_id, purpose=KeyUse.QUERY),
        again.open("a", version=1, purpose=KeyUse.QUERY),
    ]
    assert {(h.key_id, h.version) for h in handles} == {(made.key_id, 1)}
    assert len({h.secret.reveal() for h in handles}) == 1
    assert ring.create("b").key_id != made.key_id
    assert ring.open("b", purpose=KeyUse.QUERY).secret.reveal() != handles[0].secret.reveal()


def test_two_workspaces_share_nothing(tmp_path):
    rings = [KeyRing(tmp_path / home) for home in ("one", "two")]
    made = [ring.create("a") for ring in rings]
    assert made[0].key_id != made[1].key_id
    assert (
        rings[0].open("a", purpose=KeyUse.QUERY).secret.reveal()
        != rings[1].open("a", purpose=KeyUse.QUERY).secret.reveal()
    )
    with pytest.raises(KeyAccessError) as caught:
        rings[0].open(made[1].key_id, purpose=KeyUse.QUERY)
    assert caught.value.code == "key_unknown"
    assert "--home" in caught.value.hint


def test_a_moved_workspace_still_opens(ring, tmp_path):
    ring.create("a")
    secret = ring.open("a", purpose=KeyUse.QUERY).secret.reveal()
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "keys").rename(moved / "keys")
    (tmp_path / "kek").rename(moved / "kek")
    assert KeyRing(moved).open("a", purpose=KeyUse.QUERY).secret.reveal() == secret


def test_files_are_private(ring, tmp_path):
    ring.create("a")
    ring.signer()
    for path in (tmp_path / "kek", *held(tmp_path)):
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "../a", "_signer", "ä", "a" * 64, "a\n"])
def test_a_name_has_a_grammar(ring, name):
    for call in (ring.create, ring.get, partial(ring.open, purpose=KeyUse.QUERY)):
        with pytest.raises(InputError) as caught:
            call(name)
        assert caught.value.code == "key_name"


@pytest.mark.parametrize("name", ["a", "0", "a" * 63, "a.b-c_d"])
def test_names_that_are_allowed(ring, name):
    made = ring.create(name)
    assert ring.get(made.key_id) == ring.get(name) == made


def test_a_name_is_taken_once(ring):
    made = ring.create("a")
    for taken in ("a", made.key_id):
        with pytest.raises(UsageError) as caught:
            ring.create(taken)
        assert caught.value.code == "key_exists"
    assert ring.list() == (made,)


def test_an_unknown_key_says_how_to_make_it(ring):
    assert ring.list() == ()
    for call in (ring.get, partial(ring.open, purpose=KeyUse.QUERY)):
        with pytest.raises(KeyAccessError) as caught:
            call("tickets")
        assert caught.value.code == "key_unknown"
        assert caught.value.hint.endswith("cipherset key create tickets")


def test_an_unknown_version_is_refused(ring):
    ring.create("a")
    with pytest.raises(KeyAccessError) as caught:
        ring.open("a", version=2, purpose=KeyUse.QUERY)
    assert caught.value.code == "key_version_unknown"


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(purpose="another purpose"),
        lambda c: c.update(key_id="a-0000000000000000"),
        lambda c: c["versions"][0].update(version=2),
        lambda c: c["versions"][0].update(wrapped="AAAA"),
        lambda c: c["versions"][0].update(wrapped="not base64"),
    ],
)
def test_what_was_bound_cannot_be_edited(ring, tmp_path, change):
    ring.create("a", purpose="one purpose")
    edit(tmp_path, "a", change)
    with pytest.raises(KeyAccessError) as caught:
        ring.open("a", purpose=KeyUse.QUERY)
    assert caught.value.code == "key_unwrap"


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(schema="cipherset/key/2"),
        lambda c: c.update(versions=[]),
        lambda c: c.update(extra=1),
        lambda c: c.update(name="b"),
        lambda c: c.pop("purpose"),
    ],
)
def test_a_file_of_another_form_is_refused(ring, tmp_path, change):
    ring.create("a")
    edit(tmp_path, "a", change)
    for call in (lambda: ring.get("a"), ring.list):
        with pytest.raises(KeyAccessError) as caught:
            call()
        assert caught.value.code == "key_corrupt"


def test_a_secret_does_not_open_as_another_key(ring, tmp_path):
    ring.create("a")
    ring.create("b")
    stolen = json.loads((tmp_path / "keys" / "a.json").read_bytes())["versions"]
    edit(tmp_path, "b", lambda c: c.update(versions=stolen))
    with pytest.raises(KeyAccessError) as caught:
        ring.open("b", purpose=KeyUse.QUERY)
    assert caught.value.code == "key_unwrap"


def test_the_signer_signs_and_keeps_its_fingerprint(ring, tmp_path):
    signer = ring.signer()
    again = KeyRing(tmp_path).signer()
    raw = bytes.fromhex(signer.public_key.keyval["public"])
    assert signer.public_key.keyid == hashlib.sha256(raw).hexdigest()
    assert again.public_key == signer.public_key
    signer.public_key.verify_signature(again.sign(b"payload"), b"payload")
    with pytest.raises(UnverifiedSignatureError):
        signer.public_key.verify_signature(again.sign(b"payload"), b"another")
    assert ring.list() == ()


def test_a_signer_with_anothers_fingerprint_is_refused(ring, tmp_path):
    ring.signer()
    edit(tmp_path, "_signer", lambda c: c.update(fingerprint="00" * 32))
    with pytest.raises(KeyAccessError) as caught:
        ring.signer()
    assert caught.value.code == "key_unwrap"
    # Rewrapped, by somebody who has the key file, as if it were another's.
    provider = ring._wrapper.provider("file:kek")
    wrapped = provider.wrap(Secret(os.urandom(32)), signer_bound("00" * 32))
    edit(tmp_path, "_signer", lambda c: c.update(wrapped=base64.b64encode(wrapped).decode()))
    with pytest.raises(KeyAccessError) as caught:
        ring.signer()
    assert caught.value.code == "key_corrupt"


RACE = """
import sys
from pathlib import Path
from cipherset.core.errors import UsageError
from cipherset.custody.keys import KeyRing, KeyUse

ring = KeyRing(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for k in range(20):
    try:
        print(ring.create(f"key{k}").key_id)
    except UsageError as error:
        if error.code != "key_exists":
            raise
print("signer", ring.signer().public_key.keyid)
"""


def test_of_processes_that_race_for_a_name_one_wins(tmp_path):
    lines = [line for written in raced(RACE, tmp_path) for line in written.splitlines()]
    ring = KeyRing(tmp_path)
    made = {line for line in lines if line.startswith("key")}
    assert sorted(line for line in lines if line.startswith("key")) == sorted(made)
    assert {key.key_id for key in ring.list()} == made
    assert len(made) == 20
    assert {line for line in lines if line.startswith("signer")} == {
        f"signer {ring.signer().public_key.keyid}"
    }
    for key in ring.list():
        ring.open(key.key_id, purpose=KeyUse.QUERY)


KILLED = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from cipherset.custody.keys import KeyRing, KeyUse

home = Path(sys.argv[1])
random = np.random.default_rng(11)
begin = time.monotonic()
KeyRing(home / "timed").create("a")
took = time.monotonic() - begin
for life in range(24):
    one = home / str(life % 8)  # often a new ring, so that its first steps are hit too
    child = os.fork()
    if child == 0:
        for k in range(10**6):
            KeyRing(one).create(f"life{life}-{k}")
    time.sleep(random.uniform(0, 3 * took))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    ring = KeyRing(one)
    for key in ring.list():
        ring.open(key.name, purpose=KeyUse.QUERY)
    ring.create(f"after{life}")
"""


def test_killed_at_any_moment_the_ring_can_be_read(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stderr == ""
    assert done.returncode == 0
