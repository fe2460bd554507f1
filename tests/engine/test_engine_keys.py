"""What reaches workers: sealed, for one of them, for one part, for a time; never the secret."""

import secrets

import pytest
from engine_rows import CANARY, RAY, rows, write

from cipherset.app.engine.task import Answers
from cipherset.app.engine.worker import Worker, receipt_context
from cipherset.app.sanitizing.request import SanitizeRequest
from cipherset.app.sanitizing.run import sanitize_file
from cipherset.app.workspace import open_workspace
from cipherset.core.errors import CiphersetError, IntegrityError
from cipherset.custody.keys import GrantReceiver, JobGrants, KeyRing, KeyUse, Pseudonyms
from cipherset.custody.keys.identity import RowIdentity, identity_key
from cipherset.custody.keys.pseudonyms import subkeys

TASK = b"a task"


@pytest.fixture
def held(owner):
    with open_workspace(owner.session) as workspace:
        ring = KeyRing(workspace.home, admit=lambda key, use: None)
        key, signer = ring.open("support", purpose=KeyUse.EXPORT), ring.signer()
        yield key, signer, JobGrants("job", signer, key, identifies=True)


def refused(code: str, act) -> None:
    with pytest.raises(CiphersetError) as caught:
        act()
    assert caught.value.code == code


def test_round_trip(held):
    key, signer, grants = held
    receiver = GrantReceiver()
    grant = grants.grant(receiver.public_key, TASK, part=3, expires_at=100.0)
    keys, task = receiver.open(grant, now=99.9)
    assert (keys.job, keys.part, task) == ("job", 3, TASK)
    mine = Pseudonyms(key)
    assert keys.pseudonyms.token("EMAIL", "a@b.c") == mine.token("EMAIL", "a@b.c")
    assert keys.pseudonyms.surrogate("EMAIL", "a@b.c") == mine.surrogate("EMAIL", "a@b.c")
    assert mine.unseal("EMAIL", keys.pseudonyms.seal("EMAIL", "a@b.c")) == "a@b.c"
    assert keys.pseudonyms.version == mine.version
    texts = ["one", "two"]
    assert list(keys.identity.of_texts(texts)) == list(RowIdentity(signer).of_texts(texts))
    assert grants.sealer(3).unseal(keys.sealer.seal(b"x", context="y"), context="y") == b"x"


def test_what_a_task_does_not_take_is_not_given(held):
    _, signer, _ = held
    receiver = GrantReceiver()
    grant = JobGrants("job", signer).grant(receiver.public_key, TASK, part=0, expires_at=9.0)
    keys, _ = receiver.open(grant, now=0.0)
    assert keys.pseudonyms is None
    assert keys.identity is None


def test_keys_of_one_part_do_not_open_another(held, tmp_path):
    """Attack: a worker that keeps the keys of its part reads the folder of answers."""
    grants, receiver = held[2], GrantReceiver()
    answers = Answers(tmp_path, "job", grants.sealer)
    for part in (0, 7):
        answers.write(part, [rows(9).select(["id"])])
    grant = grants.grant(receiver.public_key, TASK, part=0, expires_at=9.0)
    keys, _ = receiver.open(grant, now=0.0)
    mine = Answers(tmp_path, "job", lambda _: keys.sealer)
    assert mine.is_there(0)
    assert not mine.is_there(7)
    name = receipt_context("job", 7)
    receipt = grants.sealer(7).seal(b"x", context=name)
    refused("unseal", lambda: keys.sealer.unseal(receipt, context=name))


def test_values_of_all_parts_of_one_job_are_counted_together(held):
    _, signer, grants = held
    receiver = GrantReceiver()

    def hashed(given, part):
        grant = given.grant(receiver.public_key, TASK, part=part, expires_at=9.0)
        return receiver.open(grant, now=0.0)[0].hashes.of([b"a value"])[0]

    assert hashed(grants, 0) == hashed(grants, 7)
    assert hashed(grants, 0) != hashed(JobGrants("another", signer), 0)


def test_grant_is_for_one_worker(held):
    receiver, other = GrantReceiver(), GrantReceiver()
    grant = held[2].grant(receiver.public_key, TASK, part=0, expires_at=9.0)
    refused("job_grant", lambda: other.open(grant, now=0.0))
    for place in (0, 31, 32, len(grant) - 1):
        changed = bytearray(grant)
        changed[place] ^= 1
        refused("job_grant", lambda changed=changed: receiver.open(bytes(changed), now=0.0))
    refused("job_grant", lambda: receiver.open(b"", now=0.0))


def test_grant_ends(held):
    receiver = GrantReceiver()
    grant = held[2].grant(receiver.public_key, TASK, part=0, expires_at=9.0)
    refused("job_expired", lambda: receiver.open(grant, now=9.0))
    assert Worker(lambda: 9.0).hello() != receiver.public_key


def test_two_jobs_share_no_key(held, tmp_path):
    _, signer, grants = held
    Answers(tmp_path, "job", grants.sealer).write(0, [rows(9).select(["id"])])
    other = JobGrants("another", signer)
    assert not Answers(tmp_path, "another", other.sealer).is_there(0)
    assert not Answers(tmp_path, "job", other.sealer).is_there(0)
    with pytest.raises(IntegrityError):
        Answers(tmp_path, "job", grants.sealer).read(1)


def test_job_that_is_taken_up_has_its_key_again(held):
    key, signer, grants = held
    sealed = grants.sealer(3).seal(b"x", context="y")
    assert JobGrants("job", signer, key).sealer(3).unseal(sealed, context="y") == b"x"


def test_nothing_that_is_carried_or_written_is_plain(owner, ray, held):
    """Attack: all that Ray carries and all that is on disk, searched for rows and for keys."""
    key, signer, grants = held
    simulated = ray(dies=[("work", 2), ("after", 2)])
    source = write(owner.folder / "rows.parquet", rows(60))
    rules = owner.folder / "rules.toml"
    rules.write_text('[entities]\nEMAIL = "token"\n', encoding="utf-8")
    asked = SanitizeRequest(
        str(source), ("body",), owner.folder / "out.jsonl", rules, "support", engine=RAY
    )
    written = []
    real = Answers.remove

    def looked_at(self):
        written.extend(path.read_bytes() for path in self.folder.iterdir())
        real(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(Answers, "remove", looked_at)
    sanitize_file(owner.session, asked)
    patch.undo()
    everything = b"".join([*simulated.carried, *written])
    assert len(written) >= 3
    assert len(everything) > 10_000
    for plain in (CANARY.encode(), b"parcel", b"body", b"EMAIL"):
        assert plain not in everything
    for secret in (key.secret.reveal(), identity_key(signer).reveal(), subkeys(key)[:32]):
        assert secret not in everything
    shown = repr((grants, GrantReceiver(), key, Worker()))
    assert "..." in shown
    assert secrets.token_hex(4) not in shown
