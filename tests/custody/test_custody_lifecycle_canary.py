"""No secret in what is printed, logged or pickled of the life of a key, nor in any traceback."""

import base64
import copy
import faulthandler
import json
import logging
import pickle  # noqa: TID251 -- to see that it refuses
import re
import tempfile
import traceback

import pytest

from cipherset.core.errors import CiphersetError
from cipherset.core.manifest import KeyFacts
from cipherset.core.secret import KeyHandle, Secret
from cipherset.custody.keys import AesGcmSealer, KeyedDigest, KeyRing, KeyUse

PASSPHRASE = "canary-passphrase-77d0"
PROVIDER = "file:kek2?passphrase-file=passphrase"


def forms(raw):
    """Every form that bytes could be written in."""
    return [raw, raw.hex().encode(), base64.b64encode(raw), repr(raw).encode()]


@pytest.fixture
def home(tmp_path):
    """A workspace with a key of three versions, of which the first is retired."""
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    ring = KeyRing(tmp_path)
    ring.create("a")
    ring.rotate("a", provider_uri=PROVIDER)
    ring.rotate("a", provider_uri="file:kek")
    ring.signer()
    return tmp_path


@pytest.fixture
def planted(home):
    """The secrets of every version, the signer's and the key-encryption key, in every form."""
    ring = KeyRing(home)
    raws = [ring.open("a", n, purpose=KeyUse.QUERY).secret.reveal() for n in (1, 2, 3)]
    raws.append(base64.b64decode(re.search(rb'"key":"(.+?)"', (home / "kek").read_bytes())[1]))
    raws.append(ring._wrapper.provider(PROVIDER)._kek.reveal())
    raws.append(ring.signer()._private_key.private_bytes_raw())
    return [form for raw in raws for form in forms(raw)] + [PASSPHRASE.encode()]


def check(planted, found, where):
    for canary in planted:
        assert canary not in found, where


def told(home):
    """Everything that the moves give back."""
    ring = KeyRing(home)
    yield ring
    yield KeyRing(home, admit=lambda _key, _use: None).bind("a", ["host=alpha"])
    yield KeyRing(home, admit=lambda _key, _use: None).bind("a", [])
    yield ring._wrapper
    yield ring.rotate("a")
    yield ring.retire("a", 1)
    yield ring.destroy("a", 1)
    yield from ring.get("a").versions
    yield from ring._known("a").versions
    handle = ring.open("a", 2, purpose=KeyUse.QUERY)
    yield from (handle, handle.secret, AesGcmSealer.from_key(handle), KeyedDigest(handle))
    yield KeyFacts(
        key_id=handle.key_id, key_version=handle.version, key_check="0" * 32, scheme="rsap/1"
    )


def test_nothing_told_or_logged_holds_a_secret(home, planted, caplog):
    caplog.set_level(logging.DEBUG)
    for thing in told(home):
        check(planted, f"{thing!r} {thing} {[thing]}".encode(), type(thing).__name__)
        for write in (pickle.dumps, lambda value: repr(copy.deepcopy(value)).encode()):
            try:
                check(planted, write(thing), type(thing).__name__)
            except (TypeError, AttributeError, pickle.PicklingError):
                continue
    check(planted, caplog.text.encode(), "log")


def test_no_file_but_the_key_encryption_key_holds_a_secret(home, planted):
    for _ in told(home):
        for path in home.rglob("*"):
            if path.is_file() and path.name not in {"kek", "passphrase"}:
                check(planted, path.read_bytes(), str(path))


def test_a_wrapped_secret_is_not_in_the_repr_of_what_is_stored(home):
    wrapped = json.loads((home / "keys" / "a.json").read_bytes())["versions"][0]["wrapped"]
    assert wrapped not in repr(KeyRing(home)._known("a"))


def refused(home):
    """One call for each way in which a move or an opening fails."""
    ring = KeyRing(home)
    ring.retire("a", 1)
    yield lambda: ring.open("a", 2, purpose=KeyUse.EXPORT)
    ring.bind("a", ["host=alpha"])
    yield lambda: ring.open("a", 2, purpose=KeyUse.QUERY)
    yield lambda: ring.bind("a", [])
    KeyRing(home, admit=lambda _key, _use: None).bind("a", [])
    yield lambda: ring.open("a", 1, purpose=KeyUse.QUERY)
    yield lambda: ring.open("a", 9, purpose=KeyUse.QUERY)
    yield lambda: ring.retire("a", 1)
    yield lambda: ring.destroy("a", 2)
    yield lambda: ring.rotate("a", provider_uri=f"vault:{PASSPHRASE}")
    ring.destroy("a", 1)
    yield lambda: ring.open("a", 1, purpose=KeyUse.QUERY)
    (home / "passphrase").write_text(PASSPHRASE + "-wrong")
    yield lambda: KeyRing(home).open("a", 2, purpose=KeyUse.QUERY)
    yield lambda: KeyRing(home).rotate("a", provider_uri=PROVIDER)
    yield lambda: Secret(PASSPHRASE.encode())
    (home / "keys" / "a.json").write_text("{}")
    yield lambda: ring.rotate("a")


def test_no_traceback_holds_a_secret_not_even_one_with_locals(home, planted):
    planted.append(PASSPHRASE[7:].encode())
    n_failures = 0
    for call in refused(home):
        with pytest.raises(CiphersetError) as caught:
            call()
        n_failures += 1
        error = caught.value
        # This test's own frames hold the planted values; those of the package must not.
        trace = error.__traceback__
        while trace is not None and "/cipherset/" not in trace.tb_frame.f_code.co_filename:
            trace = trace.tb_next
        shown = traceback.TracebackException(
            type(error), error, trace, capture_locals=True, compact=False
        )
        text = "".join(shown.format())
        if error.code not in {"secret_length", "provider_uri"}:  # its argument is what is refused
            check(planted, text.encode(), error.code)
        check(planted, f"{error!r} {error} {error.hint}".encode(), error.code)
        while error is not None:
            assert error.__cause__ is None
            error = None if error.__suppress_context__ else error.__context__
            assert error is None or isinstance(error, CiphersetError)
    assert n_failures == 13


def chained(key: KeyHandle) -> str:
    """What a careless program would log of a failure under a failure, with every local."""

    def fail(handle: KeyHandle) -> None:
        secret = handle.secret
        raise RuntimeError(f"with {handle} and {secret!r}")

    try:
        try:
            fail(key)
        except RuntimeError as error:
            raise ValueError(f"again, with {key}") from error
    except ValueError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(shown.format())


def test_a_handle_in_a_frame_shows_as_a_handle(home, planted):
    text = chained(KeyRing(home).open("a", purpose=KeyUse.QUERY))
    assert "direct cause" in text
    assert "secret = Secret(...)" in text
    check(planted, text.encode(), "locals")


def test_a_dump_of_every_thread_shows_no_value(home, planted):
    def dump(key: KeyHandle) -> bytes:
        secret = key.secret
        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            assert secret is key.secret
            return file.read()

    found = dump(KeyRing(home).open("a", purpose=KeyUse.QUERY))
    assert b"in dump" in found
    check(planted, found, "faulthandler")
