"""Keys in a token: SoftHSM2."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from custody_provider_suite import check_key_provider, check_ring, refused
from custody_servers import PIN, private

from cipherset.core.errors import BackendError
from cipherset.core.secret import Secret
from cipherset.custody.keys import open_provider

pytestmark = [pytest.mark.extra, pytest.mark.needs("softhsm2")]
SCRIPT = """
import sys
from pathlib import Path
from cipherset.core.secret import Secret
from cipherset.custody.keys import open_provider
print(open_provider(sys.argv[1], home=Path()).wrap(Secret(bytes(32)), b"").hex())
"""


@pytest.fixture
def token(softhsm, tmp_path, request) -> SimpleNamespace:
    label = request.node.name

    def uri(label=label, *, name="kek", pin=softhsm.pin, module=softhsm.module) -> str:
        return f"pkcs11:token={name};object={label}?module-path={module}&pin-source=file:{pin}"

    def make(*args, **named):
        return open_provider(uri(*args, **named), home=tmp_path)

    return SimpleNamespace(uri=uri, make=make, module=softhsm.module, label=label)


def test_it_is_a_key_provider(token):
    check_key_provider(token.make, lambda: token.make(name="other"), leaks=(PIN,))
    check_key_provider(token.make, lambda: token.make("another"), leaks=(PIN,))


def test_a_ring_works_over_it(token, tmp_path):
    check_ring(tmp_path / "ring", token.uri())


def test_the_key_cannot_leave_the_token(token):
    import pkcs11
    from pkcs11 import Attribute, ObjectClass

    token.make().wrap(Secret(bytes(32)), b"")
    opened = pkcs11.lib(token.module).get_token(token_label="kek")
    with opened.open(user_pin=PIN) as session:
        key = session.get_key(label=token.label, object_class=ObjectClass.SECRET_KEY)
        assert key[Attribute.SENSITIVE] is True
        assert key[Attribute.EXTRACTABLE] is False
        assert key[Attribute.WRAP] is False
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            key[Attribute.VALUE]


@pytest.mark.parametrize("bits", [128, 256])
def test_a_key_that_can_be_taken_out_is_refused(token, bits):
    import pkcs11
    from pkcs11 import Attribute, KeyType

    opened = pkcs11.lib(token.module).get_token(token_label="kek")
    with opened.open(rw=True, user_pin=PIN) as session:
        loose = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
        session.generate_key(KeyType.AES, bits, label=token.label, store=True, template=loose)
    refused(lambda: token.make().wrap(Secret(bytes(32)), b""), "kek_unsuitable")


def test_two_keys_of_one_label_are_refused(token):
    import pkcs11
    from pkcs11 import KeyType

    opened = pkcs11.lib(token.module).get_token(token_label="kek")
    with opened.open(rw=True, user_pin=PIN) as session:
        for _ in range(2):
            session.generate_key(KeyType.AES, 256, label=token.label, store=True)
    assert "2 keys" in refused(lambda: token.make().unwrap(bytes(60), b""), "kek_unsuitable")


def test_a_lost_key_is_said_and_not_made_anew(token):
    for _ in range(2):
        refused(lambda: token.make().unwrap(bytes(60), b""), "kek_missing")


def test_a_wrong_pin(token, tmp_path):
    wrong = private(tmp_path / "wrong", "canary-wrong-pin")
    told = refused(lambda: token.make(pin=wrong).wrap(Secret(bytes(32)), b""), "provider_denied")
    assert "canary" not in told
    assert len(token.make().wrap(Secret(bytes(32)), b"")) == 60


def test_somebody_else_in_this_process_is_logged_in(token):
    import pkcs11

    opened = pkcs11.lib(token.module).get_token(token_label="kek")
    with opened.open(user_pin=PIN):
        refused(lambda: token.make().wrap(Secret(bytes(32)), b""), "provider_locked")
    assert len(token.make().wrap(Secret(bytes(32)), b"")) == 60


def test_no_such_token_or_module(token):
    for provider in (token.make(name="none"), token.make(module="/none.so")):
        refused(lambda provider=provider: provider.unwrap(bytes(60), b""), "provider_unreachable")


@pytest.mark.parametrize("text", ["", "\n", "a\nb", "é"])
def test_a_pin_file_that_is_none(token, tmp_path, text):
    pin = private(tmp_path / "pin", text)
    refused(lambda: token.make(pin=pin).wrap(Secret(bytes(32)), b""), "credential_file")


def test_a_pin_file_that_others_may_read(token, tmp_path):
    pin = private(tmp_path / "pin", PIN)
    pin.chmod(0o644)
    refused(lambda: token.make(pin=pin).wrap(Secret(bytes(32)), b""), "key_file_permissions")


def test_what_else_a_token_refuses_is_an_error_of_ours(token, monkeypatch):
    """Here a mechanism that it does not have."""
    from pkcs11 import Mechanism

    from cipherset.custody.keys.providers import pkcs11 as module

    provider = token.make()
    provider.wrap(Secret(bytes(32)), b"")
    monkeypatch.setattr(module, "Mechanism", SimpleNamespace(AES_GCM=Mechanism.AES_OFB))
    with pytest.raises(BackendError) as caught:
        provider.wrap(Secret(bytes(32)), b"")
    assert caught.value.code == "provider_failed"


def test_of_processes_that_race_one_makes_the_key(token, tmp_path):
    uri = token.uri(name="race")

    def wrap_there(_: int) -> bytes:
        command = [sys.executable, "-c", SCRIPT, uri]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        return bytes.fromhex(done.stdout)

    with ThreadPoolExecutor(3) as pool:
        for wrapped in pool.map(wrap_there, range(3)):
            assert open_provider(uri, home=Path()).unwrap(wrapped, b"").reveal() == bytes(32)


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:token=a?module-path=m&pin-source=file:p",
        "pkcs11:token=a;object=b;object=c?module-path=m&pin-source=file:p",
        "pkcs11:token=;object=b?module-path=m&pin-source=file:p",
        "pkcs11:token=a;object=b?module-path=m",
        "pkcs11:token=a;object=b?module-path=m&pin-value=canary",
        "pkcs11:token=a;object=b?module-path=m&pin-source=file:p&pin-value=canary",
        "pkcs11:token=a;object=b?module-path=m&pin-source=canary",
        "pkcs11:token=a;object=b?module-path=m&pin-source=file:",
    ],
)
def test_other_uris_are_refused_and_not_repeated(uri):
    told = refused(lambda: open_provider(uri, home=Path()), "provider_uri")
    assert "canary" not in told
