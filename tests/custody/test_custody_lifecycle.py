"""Versions of a key: which moves are allowed, what each may be used for, what destroying leaves."""

import itertools
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from custody_ring_files import held
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import CiphersetError, KeyAccessError, PolicyError, UsageError
from cipherset.core.secret import Secret
from cipherset.custody.keys import KeyRing, KeyStatus, KeyUse
from cipherset.custody.keys.lifecycle import ALLOWED

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOURS = [f"2026-01-02T{hour:02}:00:00+00:00" for hour in range(12, 24)]
REFUSED = {"retiring": "key_retiring", "retired": "key_retired", "destroyed": "key_destroyed"}


@pytest.fixture
def ring(tmp_path):
    made = clocked(tmp_path)
    made.create("a", purpose="routing")
    return made


def clocked(home):
    """A ring whose clock moves on by an hour whenever it is read."""
    hours = itertools.count()
    return KeyRing(home, clock=lambda: NOON + timedelta(hours=next(hours)))


def statuses(ring, name="a"):
    return [version.status.value for version in ring.get(name).versions]


def secret(ring, version=None, use=KeyUse.QUERY):
    return ring.open("a", version, purpose=use).secret.reveal()


def refusal(call):
    with pytest.raises(CiphersetError) as caught:
        call()
    assert caught.value.hint
    return type(caught.value), caught.value.code


def test_rotating_makes_a_version_and_keeps_the_old_one(ring, tmp_path):
    old = secret(ring)
    before = ring.get("a")
    made = ring.rotate("a")
    assert (made.key_id, made.version, made.status) == (before.key_id, 2, KeyStatus.ACTIVE)
    assert (made.purpose, made.provider, made.created) == ("routing", "file:kek", HOURS[1])
    assert statuses(ring) == ["retiring", "active"]
    assert ring.get("a") == made == KeyRing(tmp_path).get(made.key_id)
    assert [(v.created, v.changed) for v in made.versions] == [
        (HOURS[0], HOURS[2]),
        (HOURS[1], HOURS[1]),
    ]
    assert secret(ring, 1) == old != secret(ring) == secret(ring, 2, KeyUse.EXPORT)
    assert ring.open("a", purpose=KeyUse.EXPORT).version == 2


def test_the_way_of_a_version_from_beginning_to_end(ring, tmp_path):
    ring.rotate("a")
    retired = ring.retire("a")
    assert (retired.version, retired.status) == (1, KeyStatus.RETIRED)
    assert statuses(ring) == ["retired", "active"]
    wrapped = stored(tmp_path)[0]["wrapped"]
    gone = ring.destroy("a")
    assert (gone.version, gone.status) == (1, KeyStatus.DESTROYED)
    assert ring.get("a").version == 2
    assert statuses(ring) == ["destroyed", "active"]
    assert "wrapped" not in stored(tmp_path)[0]
    for path in held(tmp_path):
        assert wrapped.encode() not in path.read_bytes()
    assert KeyRing(tmp_path).open("a", purpose=KeyUse.EXPORT).version == 2


def stored(home):
    return json.loads((home / "keys" / "a.json").read_bytes())["versions"]


def test_another_provider_for_the_new_version(ring):
    assert ring.rotate("a", provider_uri="file:kek2").provider == "file:kek2"
    assert [v.provider for v in ring.get("a").versions] == ["file:kek", "file:kek2"]
    assert ring.rotate("a").provider == "file:kek2"
    assert len({secret(ring, 1), secret(ring, 2), secret(ring, 3)}) == 3
    assert refusal(lambda: ring.rotate("a", provider_uri="gopher:x"))[1] == "provider_uri"
    assert statuses(ring) == ["retiring", "retiring", "active"]


def reach(ring, status):
    """Bring version 1 of key a to ``status``, with another version active beside it."""
    ring.rotate("a")
    if status in {"retired", "destroyed"}:
        ring.retire("a", 1)
    if status == "destroyed":
        ring.destroy("a", 1)


@pytest.mark.parametrize("status", REFUSED)
def test_what_a_status_does_not_allow_is_refused(ring, status):
    reach(ring, status)
    for use in KeyUse:
        if KeyStatus(status) in ALLOWED[use]:
            assert len(secret(ring, 1, use)) == 32
        else:
            assert refusal(lambda use=use: secret(ring, 1, use)) == (
                KeyAccessError,
                REFUSED[status],
            )


def test_what_each_use_allows():
    assert {use.name: sorted(allowed) for use, allowed in ALLOWED.items()} == {
        "EXPORT": ["active"],
        "QUERY": ["active", "retiring"],
        "MEASURE": ["active", "retired", "retiring"],
    }


def test_without_an_active_version_nothing_is_exported(ring):
    ring.rotate("a")
    ring.destroy("a", 2, force=True)
    assert ring.get("a").version == 2
    for use in KeyUse:
        assert refusal(lambda use=use: secret(ring, None, use))[1] == "key_destroyed"
    assert len(secret(ring, 1)) == 32
    assert ring.rotate("a").version == 3
    assert statuses(ring) == ["retiring", "destroyed", "active"]


def test_moves_that_are_not_allowed(ring):
    assert refusal(lambda: ring.retire("a")) == (UsageError, "key_transition")
    assert refusal(lambda: ring.retire("a", 1)) == (UsageError, "key_transition")
    assert refusal(lambda: ring.destroy("a")) == (UsageError, "key_transition")
    assert refusal(lambda: ring.destroy("a", 1)) == (PolicyError, "key_not_retired")
    ring.rotate("a")
    assert refusal(lambda: ring.destroy("a", 1)) == (PolicyError, "key_not_retired")
    assert refusal(lambda: ring.destroy("a", force=True)) == (UsageError, "key_version_needed")
    ring.rotate("a")
    assert refusal(lambda: ring.retire("a")) == (UsageError, "key_version_needed")
    for version in (1, 2):
        ring.retire("a", version)
        assert refusal(lambda: ring.retire("a", 1)) == (UsageError, "key_transition")
    assert refusal(lambda: ring.destroy("a")) == (UsageError, "key_version_needed")
    assert statuses(ring) == ["retired", "retired", "active"]


@pytest.mark.parametrize("move", ["rotate", "retire", "destroy"])
def test_moves_of_what_is_not_there(tmp_path, move):
    ring = KeyRing(tmp_path)
    assert refusal(lambda: getattr(ring, move)("nobody")) == (KeyAccessError, "key_unknown")
    assert list(tmp_path.iterdir()) == []
    ring.create("a")
    if move != "rotate":
        unknown = refusal(lambda: getattr(ring, move)("a", 7))
        assert unknown == (KeyAccessError, "key_version_unknown")


def test_destroying_twice_is_destroying_once(ring, tmp_path):
    assert ring.destroy("a", force=True).status is KeyStatus.DESTROYED
    left = tmp_path / "keys" / ".a.json.partial-1-00000000"
    left.write_text("what a killed run may have left")
    before = (tmp_path / "keys" / "a.json").read_bytes()
    assert ring.destroy("a").versions == ring.get("a").versions
    assert (tmp_path / "keys" / "a.json").read_bytes() == before
    assert not left.exists()


def test_a_destroyed_secret_put_back_is_refused(ring, tmp_path):
    path = tmp_path / "keys" / "a.json"
    wrapped = stored(tmp_path)[0]["wrapped"]
    ring.destroy("a", force=True)
    content = json.loads(path.read_bytes())
    content["versions"][0]["wrapped"] = wrapped
    path.write_text(json.dumps(content))
    assert refusal(lambda: ring.get("a"))[1] == "key_corrupt"


@pytest.mark.parametrize(
    "change",
    [
        lambda versions: versions.reverse(),
        lambda versions: versions.append(versions[1]),
        lambda versions: versions[0].update(status="active"),
        lambda versions: versions[0].update(status="lost"),
        lambda versions: versions[0].update(status="destroyed"),
        lambda versions: versions[0].pop("wrapped"),
    ],
)
def test_versions_that_cannot_be_are_refused(ring, tmp_path, change):
    ring.rotate("a")
    path = tmp_path / "keys" / "a.json"
    content = json.loads(path.read_bytes())
    change(content["versions"])
    path.write_text(json.dumps(content))
    assert refusal(lambda: ring.get("a"))[1] == "key_corrupt"
    assert refusal(lambda: ring.rotate("a"))[1] == "key_corrupt"


def test_a_key_file_of_before_there_were_versions_is_read(ring, tmp_path):
    path = tmp_path / "keys" / "a.json"
    content = json.loads(path.read_bytes())
    assert content["versions"][0].keys() == {"version", "status", "provider", "created", "wrapped"}
    assert ring.get("a").versions[0].changed == ring.get("a").created


class Forgetful:
    """A provider that opens something else than what it wrapped."""

    uri = "file:kek"

    def wrap(self, plaintext, associated_data):
        return b"wrapped"

    def unwrap(self, wrapped, associated_data):
        return Secret(os.urandom(32))


def test_no_version_that_its_provider_does_not_open(ring, tmp_path):
    before = held(tmp_path)
    ring._wrapper._providers["file:lost"] = Forgetful()
    for call in (
        lambda: ring.rotate("a", provider_uri="file:lost"),
        lambda: ring.create("b", provider_uri="file:lost"),
    ):
        assert refusal(call) == (KeyAccessError, "key_unwrap")
    before[tmp_path / "keys" / ".lock"] = b""
    assert held(tmp_path) == before


def test_no_version_under_a_provider_that_lost_its_key(ring, tmp_path):
    (tmp_path / "kek").unlink()
    again = KeyRing(tmp_path)
    assert refusal(lambda: again.rotate("a"))[1] == "key_file_missing"
    assert statuses(again) == ["active"]
    assert not (tmp_path / "kek").exists()
    ring.destroy("a", force=True)  # which takes no provider
    assert again.rotate("a").version == 2  # nothing that is left was wrapped by what was lost


def test_what_was_made_is_put_in_place_only_under_a_version_that_still_exports(ring):
    key = ring.open("a", purpose=KeyUse.EXPORT)
    with ring.relying_on(key, purpose=KeyUse.EXPORT):
        pass
    ring.rotate("a")
    with (
        pytest.raises(KeyAccessError) as caught,
        ring.relying_on(key, purpose=KeyUse.EXPORT),
    ):
        pytest.fail("not reached")
    assert caught.value.code == "key_retiring"
    with ring.relying_on(key, purpose=KeyUse.QUERY):
        pass


def test_files_stay_private(ring, tmp_path):
    ring.rotate("a")
    ring.retire("a")
    ring.destroy("a")
    for path in held(tmp_path):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_a_lock_that_cannot_be_had(ring, tmp_path):
    (tmp_path / "keys" / ".lock").mkdir()
    assert refusal(lambda: ring.rotate("a"))[1] == "disk"
    assert statuses(ring) == ["active"]


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["rotate", "retire", "destroy", "force"]),
        st.one_of(st.none(), st.integers(1, 5)),
    ),
    max_size=12,
)


def predict(known, move, version):
    """What the move does to the list of statuses, or None where it is refused; the slow way."""
    known = list(known)
    if move == "rotate":
        return ["retiring" if s == "active" else s for s in known] + ["active"]
    source = {"retire": "retiring", "destroy": "retired"}.get(move)
    if version is None:
        if move == "force":
            candidates = [0] if len(known) == 1 else []
        else:
            candidates = [i for i, s in enumerate(known) if s == source]
            if move == "destroy" and not candidates:
                candidates = [i for i, s in enumerate(known) if s == "destroyed"][-1:]
        if len(candidates) != 1:
            return None
        version = candidates[0] + 1
    if version > len(known):
        return None
    allowed = {
        "retire": {"retiring"},
        "destroy": {"retired", "destroyed"},
        "force": {"active", "retiring", "retired", "destroyed"},
    }
    if known[version - 1] not in allowed[move]:
        return None
    known[version - 1] = "retired" if move == "retire" else "destroyed"
    return known


@settings(max_examples=40)
@given(moves=MOVES)
def test_any_moves_in_any_order(tmp_path_factory, moves):
    ring = KeyRing(tmp_path_factory.mktemp("moves"))
    ring.create("a")
    known, secrets = ["active"], [secret(ring)]
    for move, version in moves:
        expected = predict(known, move, version)
        try:
            if move == "rotate":
                ring.rotate("a")
            elif move == "retire":
                ring.retire("a", version)
            else:
                ring.destroy("a", version, force=move == "force")
            done = True
        except CiphersetError as error:
            assert error.code.startswith("key_")
            done = False
        assert done == (expected is not None)
        known = expected or known
        assert statuses(ring) == known
        if move == "rotate":
            secrets.append(secret(ring))
    assert len(set(secrets)) == len(secrets)
    for number, status in enumerate(known, 1):
        if status in {"active", "retiring"}:
            assert secret(ring, number) == secrets[number - 1]
