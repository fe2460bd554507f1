"""A key file that contradicts itself is corrupt, and a secret is not copied."""

import copy

import pytest

from cipherset.core import canonical
from cipherset.core.errors import KeyAccessError
from cipherset.core.secret import Secret
from cipherset.custody.keys import KeyRing


@pytest.fixture
def ring(tmp_path):
    made = KeyRing(tmp_path)
    made.create("support")
    made.rotate("support")
    return made


def rewrite(ring, tmp_path, change):
    path = tmp_path / "keys" / "support.json"
    content = canonical.decode(path.read_bytes(), what="the key")
    change(content["versions"])
    path.write_bytes(canonical.encode(content))
    with pytest.raises(KeyAccessError) as refused:
        ring.get("support")
    return refused.value.code


def test_destroyed_with_its_secret(ring, tmp_path):
    code = rewrite(ring, tmp_path, lambda versions: versions[0].update(status="destroyed"))
    assert code == "key_corrupt"


def test_versions_out_of_order(ring, tmp_path):
    assert rewrite(ring, tmp_path, lambda versions: versions.reverse()) == "key_corrupt"


def test_two_active_versions(ring, tmp_path):
    code = rewrite(ring, tmp_path, lambda versions: versions[0].update(status="active"))
    assert code == "key_corrupt"


def test_a_secret_is_not_copied():
    secret = Secret(bytes(32))
    for attempt in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(secret)
