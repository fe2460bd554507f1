"""Many keys at many providers: what one key costs does not grow with how many there are."""

import hashlib
import itertools
import json
import shutil
from pathlib import Path

import pytest

from cipherset.core.errors import KeyAccessError
from cipherset.custody.keys import KeyRing, KeyUse, proven


class Reads:
    """Counts the keys' files that are read."""

    def __init__(self, monkeypatch):
        self.names = []
        for module in ("ring", "proven"):
            monkeypatch.setattr(f"cipherset.custody.keys.{module}.read_key", self._read)

    def _read(self, path, read=proven.read_key):
        self.names.append(path.name)
        return read(path)

    def of(self, call):
        """How many files ``call`` reads."""
        self.names.clear()
        call()
        return len(self.names)


def note_of(home, uri):
    return home / "keys" / "_providers" / hashlib.sha256(uri.encode()).hexdigest()[:32]


@pytest.mark.parametrize("own", [False, True], ids=["one provider", "a provider each"])
def test_what_a_key_costs_is_the_same_at_any_number(tmp_path, monkeypatch, own):
    ring, costs = KeyRing(tmp_path), []
    reads = Reads(monkeypatch)
    for number in range(40):
        uri = f"file:kek-{number}" if own else None
        name = f"t{number}"
        calls = (
            lambda name=name, uri=uri: ring.create(name, provider_uri=uri),
            lambda name=name: ring.find(name),
            lambda: ring.find("nobody"),
            lambda name=name: ring.open(name, purpose=KeyUse.QUERY),
            lambda name=name: ring.rotate(name),
        )
        costs.append([reads.of(call) for call in calls])
    assert costs[1:] == [costs[1]] * 39
    assert max(costs[1]) <= 5
    assert len(list((tmp_path / "keys" / "_providers").iterdir())) == (40 if own else 1)


def test_a_ring_without_notes_is_looked_through_once(tmp_path, monkeypatch):
    ring = KeyRing(tmp_path)
    for number in range(5):
        ring.create(f"t{number}", provider_uri=f"file:kek-{number}")
    shutil.rmtree(tmp_path / "keys" / "_providers")
    (tmp_path / "kek-3").unlink()
    reads = Reads(monkeypatch)
    with pytest.raises(KeyAccessError) as caught:
        KeyRing(tmp_path).create("late", provider_uri="file:kek-3")
    assert caught.value.code == "key_file_missing"
    assert not (tmp_path / "kek-3").exists()
    assert reads.of(lambda: KeyRing(tmp_path).create("more", provider_uri="file:kek-2")) < 5
    assert not [path for path in (tmp_path / "keys").iterdir() if path.name.startswith("._")]


def test_a_provider_that_lost_its_key_is_seen_whatever_became_of_the_key_in_the_note(tmp_path):
    ring = KeyRing(tmp_path)
    ring.create("a", provider_uri="file:own")
    ring.create("b", provider_uri="file:own")
    ring.destroy("a", force=True)
    (tmp_path / "own").unlink()
    for _ in range(2):
        with pytest.raises(KeyAccessError) as caught:
            KeyRing(tmp_path).create("c", provider_uri="file:own")
        assert caught.value.code == "key_file_missing"
        assert note_of(tmp_path, "file:own").read_text() == "b"


def test_a_note_of_a_key_that_never_came_is_no_key(tmp_path):
    ring = KeyRing(tmp_path)
    ring.create("a")
    note_of(tmp_path, "file:own").write_text("killed-before-it-was-placed")
    ring.create("b", provider_uri="file:own")
    ring.create("c", provider_uri="file:own")
    (tmp_path / "own").unlink()
    with pytest.raises(KeyAccessError):
        KeyRing(tmp_path).create("d", provider_uri="file:own")


def test_of_two_that_make_the_notes_one_does(tmp_path, monkeypatch):
    KeyRing(tmp_path).create("a")
    folder = tmp_path / "keys" / "_providers"
    shutil.rmtree(folder)
    rename = Path.rename

    def late(made, to):
        monkeypatch.setattr(Path, "rename", rename)
        KeyRing(tmp_path).create("b", provider_uri="file:other")
        return rename(made, to)

    monkeypatch.setattr(Path, "rename", late)
    KeyRing(tmp_path).create("c")
    assert note_of(tmp_path, "file:kek").read_text() == "a"
    assert note_of(tmp_path, "file:other").read_text() == "b"
    assert len([path for path in folder.parent.iterdir() if "_providers" in path.name]) == 1


def test_a_tenant_that_takes_its_provider_away_closes_its_own_key_alone(tmp_path):
    ring = KeyRing(tmp_path)
    for tenant in ("acme", "beta"):
        ring.create(tenant, provider_uri=f"file:kek-{tenant}", tenant=tenant)
    kept = ring.open("beta", purpose=KeyUse.QUERY).secret.reveal()
    (tmp_path / "kek-acme").unlink()
    again = KeyRing(tmp_path)
    for call in (lambda: again.open("acme", purpose=KeyUse.QUERY), lambda: again.rotate("acme")):
        with pytest.raises(KeyAccessError) as caught:
            call()
        assert caught.value.code == "key_file_missing"
    assert again.open("beta", purpose=KeyUse.QUERY).secret.reveal() == kept
    assert again.rotate("beta").version == 2
    assert again.create("gamma", provider_uri="file:kek-gamma").version == 1


def test_of_many_keys_some_are_told_and_of_few_all(tmp_path):
    ring = KeyRing(tmp_path)
    for number in range(6):
        ring.create(f"t{number}")
    names = [key.name for key in ring.list()]
    assert [key.name for key in ring.list(6)] == names
    seen = {tuple(key.name for key in ring.list(2)) for _ in range(200)}
    assert seen == set(itertools.pairwise(names))  # each with a chance of 1 - 1e-19


def test_find_tells_what_get_does_and_none_for_the_rest(tmp_path):
    ring = KeyRing(tmp_path)
    assert ring.find("a") is None
    made = ring.create("a", purpose="p")
    ring.signer()
    assert ring.find("a") == ring.find(made.key_id) == made
    assert ring.find("b") is ring.find("no name") is ring.find("a-0123456789abcdef") is None
    path = tmp_path / "keys" / "a.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "name": "b"}))
    with pytest.raises(KeyAccessError) as caught:
        ring.find("a")
    assert caught.value.code == "key_corrupt"
