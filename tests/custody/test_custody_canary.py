"""Nothing secret or private in a file, a repr, an exception, a log or a pickle."""

import ast
import base64
import copy
import logging
import pickle  # noqa: TID251 -- to see that it fails
import re
import traceback
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import cipherset
from cipherset.core.errors import CiphersetError
from cipherset.core.spool import Spool, SpoolWriter
from cipherset.custody.keys import AesGcmSealer, KeyedDigest, KeyRing, KeyUse, ephemeral_sealer
from cipherset.custody.ledger import Ledger, Outcome

TEXT = "canary-7f3a-nobody-may-read-this"
VECTOR = np.frombuffer(b"canary-vector-bytes-0123456789ab", dtype=np.float32)
PASSPHRASE = "canary-passphrase-51c2"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "pass").write_text(PASSPHRASE)
    (tmp_path / "elsewhere" / "pass").chmod(0o600)
    return tmp_path / "home"


def live(home: Path):
    """A workspace in which every custody operation ran on planted values, and what it made."""
    home.mkdir()
    ring = KeyRing(home)
    ring.create("plain", purpose="triage")
    ring.create("guarded", provider_uri="file:kek2?passphrase-file=../elsewhere/pass")
    handles = [ring.open("plain", purpose=KeyUse.QUERY), ring.open("guarded", purpose=KeyUse.QUERY)]
    made = [ring, *ring.list(), *handles, ring._wrapper.provider("file:kek"), ring.signer()]
    table = pa.table(
        {
            "text": [TEXT] * 100,
            "vector": pa.FixedSizeListArray.from_arrays(np.tile(VECTOR, 100), 8),
        }
    )
    ledger = Ledger(f"sqlite:///{home / 'ledger.sqlite'}")
    made.append(ledger)
    for index, handle in enumerate(handles):
        sealer, digest = AesGcmSealer.from_key(handle), KeyedDigest(handle)
        with SpoolWriter(home / f"spool{index}", sealer, "v") as writer:
            writer.append(table)
        (home / f"sealed{index}").write_bytes(sealer.seal(TEXT.encode(), context="c"))
        source = digest.digest(TEXT.encode(), "source")
        ledger.append(
            actor="ada",
            action="protect",
            subject=handle.key_id,
            outcome=Outcome.DONE,
            body={"source": source},
        )
        made += [
            sealer,
            digest,
            digest.stream("source"),
            writer,
            Spool(home / f"spool{index}", sealer, "v"),
        ]
    ledger.close()
    return made, handles


def canaries(home: Path, handles) -> list[bytes]:
    """What must be found nowhere, in every form that it could be written in."""
    secrets = [handle.secret.reveal() for handle in handles]
    secrets.append(base64.b64decode(re.search(rb'"key":"(.+?)"', kek(home))[1]))
    plain = [TEXT.encode(), VECTOR.tobytes(), PASSPHRASE.encode()]
    forms = [(s, s.hex().encode(), base64.b64encode(s), repr(s).encode()) for s in secrets + plain]
    return [form for group in forms for form in group] + [b"canary"]


def kek(home: Path) -> bytes:
    return (home / "kek").read_bytes()


def check(planted: list[bytes], found: bytes, where: str) -> None:
    for canary in planted:
        assert canary not in found, where


def test_no_file_of_the_workspace_but_the_kek_holds_one(home):
    _, handles = live(home)
    planted = canaries(home, handles)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 7
    for path in files:
        if path != home / "kek":
            check(planted, path.read_bytes(), str(path))
        check([secret.secret.reveal() for secret in handles], path.read_bytes(), str(path))


def test_no_repr_and_no_log_holds_one(home, caplog):
    caplog.set_level(logging.DEBUG)
    made, handles = live(home)
    planted = canaries(home, handles)
    for thing in made:
        check(planted, f"{thing!r} {thing}".encode(), type(thing).__name__)
    check(planted, caplog.text.encode(), "log")


def test_no_pickle_or_copy_holds_one(home):
    made, handles = live(home)
    planted = canaries(home, handles)
    refused = 0
    for thing in made:
        for write in (pickle.dumps, lambda value: repr(copy.deepcopy(value)).encode()):
            try:
                check(planted, write(thing), type(thing).__name__)
            except (TypeError, AttributeError, pickle.PicklingError):
                refused += 1
    assert refused > 2 * len(handles)


def broken(home: Path):
    """One call for each way in which an operation on planted values fails."""
    ring = KeyRing(home)
    sealer = AesGcmSealer.from_key(ring.open("plain", purpose=KeyUse.QUERY))
    spool = home / "spool0"
    (home.parent / "elsewhere" / "pass").write_text(PASSPHRASE + "-wrong")
    yield lambda: ring.create("plain")
    yield lambda: KeyRing(home).open("guarded", purpose=KeyUse.QUERY)
    yield lambda: ephemeral_sealer().unseal((home / "sealed0").read_bytes(), context="c")
    yield lambda: Spool(spool, ephemeral_sealer(), "v")
    yield lambda: Spool(spool, sealer, "v").take(np.array([10**6]))
    raw = bytearray(spool.read_bytes())
    raw[100] ^= 1
    spool.write_bytes(raw)
    yield lambda: Spool(spool, sealer, "v").take(np.array([0]))
    with SpoolWriter(home / "other", sealer, "v") as writer:
        writer.append(pa.table({"text": [TEXT]}))
        yield lambda: writer.append(pa.table({"canary": [TEXT]}))
    ledger = Ledger(f"sqlite:///{home / 'ledger.sqlite'}")
    yield lambda: ledger.append(
        actor="a", action="b", subject="c", outcome=Outcome.DONE, body={"x": TEXT.encode()}
    )
    ledger.close()
    (home / "kek").write_bytes(kek(home)[:-8])
    yield lambda: KeyRing(home).open("plain", purpose=KeyUse.QUERY)


def test_no_exception_holds_one(home):
    _, handles = live(home)
    planted = [*canaries(home, handles), kek(home)]
    planted.remove(b"canary")  # the code of this test stands in the traces
    n_failures = 0
    for call in broken(home):
        with pytest.raises(CiphersetError) as caught:
            call()
        n_failures += 1
        error = caught.value
        text = "".join(traceback.format_exception(error))
        check(planted, f"{error!r} {error} {error.hint} {text}".encode(), error.code)
        assert error.__cause__ is None
        assert error.__context__ is None or error.__suppress_context__
    assert n_failures == 9


def test_secrets_are_revealed_in_two_rooms_only():
    package = Path(cipherset.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "reveal"
    }
    assert callers
    assert [
        caller
        for caller in callers
        if not caller.startswith(("custody/keys/", "pipeline/encrypt/"))
    ] == []


def test_no_other_way_to_a_secret():
    """By its name as text, or by the name that Python gives the private attribute."""
    package = Path(cipherset.__file__).parent
    ways = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and node.value in {"reveal", "_Secret__value"})
        or (isinstance(node, ast.Attribute) and node.attr == "_Secret__value")
    ]
    assert ways == []
