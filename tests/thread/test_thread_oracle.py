"""The encryption oracle: repeats cost nothing and average nothing, new rows are pairs that end."""

import shutil
import threading

import numpy as np
import pytest
from thread_samples import QUICK, Owner, vector_rows, write_rows

from cipherset.app.gate import Action
from cipherset.app.oracle import encrypt as oracle
from cipherset.app.oracle.encrypt import EncryptRequest, encrypt
from cipherset.app.workspace import Session, open_workspace
from cipherset.core.errors import CiphersetError, InputError
from cipherset.core.secret import Secret
from cipherset.core.values import Guarantee
from cipherset.custody.ledger import Outcome
from cipherset.custody.policy.limits import Budgets
from cipherset.evidence.attack.alignment import averaged
from cipherset.evidence.attack.alignment.regression import ridge
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.pipeline.encrypt import VectorCipher

CAP = 12


def session_of(owner, actor="eve") -> Session:
    return Session(owner.home, actor, owner.folder / "cache", TerminalProgress())


def assessed(owner, **found):
    """What an assessment got, written down as it writes it."""
    with open_workspace(session_of(owner)) as workspace:
        run = next(run for run in workspace.gate.ledger.runs() if run.kind == "protect")
        body = {"pair_cap": None, "n_star": None, "n_star_noise_free": None, **found}
        workspace.gate.ledger.append(
            actor="rev",
            action=Action.ASSESS,
            subject="rows",
            outcome=Outcome.DONE,
            body={"manifest": run.outputs[0], **body},
        )


@pytest.fixture
def owner(exported, tmp_path):
    shutil.copytree(exported.owner.folder, tmp_path / "copy")
    return Owner(tmp_path / "copy")


@pytest.fixture
def capped(owner):
    """An export whose assessment lets ``CAP`` noisy pairs be known."""
    assessed(owner, pair_cap=CAP, n_star=4 * CAP, n_star_noise_free=4 * CAP)
    return owner


def vectors(n, seed=7):
    rows = vector_rows(n, seed=seed)
    return tuple(tuple(row["vec"]) for row in rows)


def refused(owner, *given, **named):
    with pytest.raises(CiphersetError) as found:
        encrypt(session_of(owner), EncryptRequest("support", *given, **named))
    return found.value.exit_code, found.value.code


def ask(owner, x, actor="eve"):
    return encrypt(session_of(owner, actor), EncryptRequest("support", vectors=x))


def test_rows_are_encrypted_as_the_exports_of_the_key_are(capped, exported):
    got = ask(capped, vectors(5))
    assert got.ciphertexts.shape == (5, exported.protected["dim"])
    assert (got.key_version, got.scheme, got.n_new) == (1, "rsap/1", 5)
    assert got.key_id == exported.protected["key_id"]
    assert "array" not in repr(got)
    assert got.as_json()["new"] == 5
    event = capped.events("encrypt")[-1]
    assert event.outcome == "done"
    assert '"new":5' in event.body


def test_the_same_row_again_is_the_same_ciphertext_and_costs_nothing(capped):
    x = vectors(5)
    first = ask(capped, x)
    again = ask(capped, (x[3], x[3], x[0]))
    assert again.n_new == 0
    assert np.array_equal(again.ciphertexts, first.ciphertexts[[3, 3, 0]])
    other = ask(capped, x, actor="mallory")
    assert other.n_new == 0
    assert np.array_equal(other.ciphertexts, first.ciphertexts)


def test_near_copies_of_a_row_get_its_noise_and_cost_nothing(capped):
    """200 vectors 1e-6 apart, as an encoder gives them for "Card" and "CARD": nothing averages.

    A coordinate on the border of a step is on either side of it: a few noises, never 200.
    """
    x = np.array(vectors(1), dtype=np.float64)
    jitter = np.random.default_rng(1).uniform(-1e-6, 1e-6, size=(200, x.shape[1]))
    got = ask(capped, tuple(map(tuple, x + jitter)))
    assert got.n_new <= 4
    c = got.ciphertexts
    apart = np.linalg.norm(c[:, None] - c, axis=2) > 1e-4 * np.linalg.norm(c[0])
    assert len(np.unique(apart, axis=0)) == got.n_new


def test_where_no_count_of_pairs_passes_rows_end_all_the_same(owner):
    """Who moves a vector beyond the steps gets other noise: the cap of the limits ends it."""
    assessed(owner)
    most = Budgets().oracle_rows
    taken, code = 0, None
    for seed in range(100, 200):
        try:
            taken += ask(owner, vectors(64, seed=seed)).n_new
        except CiphersetError as error:
            code = error.code
            break
    assert code == "budget"
    assert most - 64 < taken <= most
    assert ask(owner, vectors(64, seed=100)).n_new == 0


def test_who_takes_more_than_the_cap_is_stopped_for_ever(capped):
    assert ask(capped, vectors(CAP - 2)).n_new == CAP - 2
    assert refused(capped, vectors=vectors(3, seed=8)) == (3, "budget")
    assert ask(capped, vectors(2, seed=9)).n_new == 2
    for name in ("eve", "mallory"):
        with pytest.raises(CiphersetError) as found:
            ask(capped, vectors(1, seed=10), actor=name)
        assert found.value.code == "budget"
    assert ask(capped, vectors(2, seed=9)).n_new == 0
    outcomes = [event.outcome for event in capped.events("encrypt")]
    assert outcomes.count("refused") == 6  # three times: the debit, and the act that it ended


def test_of_many_that_ask_at_once_none_gets_beyond_the_cap(capped):
    got, lock = [], threading.Lock()

    def one(seed):
        try:
            answer = ask(capped, vectors(1, seed=seed))
        except CiphersetError as error:
            answer = error
        with lock:
            got.append(answer)

    seeds = range(100, 104 + CAP)
    threads = [threading.Thread(target=one, args=(seed,), daemon=True) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
        assert not thread.is_alive()
    given = [answer for answer in got if not isinstance(answer, CiphersetError)]
    assert len(given) == CAP
    assert {e.code for e in got if isinstance(e, CiphersetError)} == {"budget"}


def test_an_adversary_who_averages_repeats_is_left_with_all_the_noise():
    """Fresh noise shrinks with the root of m answers: that attack must work; on ours it must not.

    Unit vectors in 64 dimensions, so that the length of the noise hardly varies.
    """
    x = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    cipher = VectorCipher(bytes(32), dim=64, approximation_factor=4.0)
    secret, truth = Secret(bytes(range(32))), cipher.encrypt_query(x)

    def left(answers):
        mean = np.mean(answers, axis=0)
        return float(np.linalg.norm(mean - truth, axis=1).mean())

    fresh = [cipher.encrypt(x) for _ in range(64)]
    ours = [cipher.encrypt_repeatably(x, noise_secret=secret) for _ in range(64)]
    assert left(fresh) < 0.2 * left(fresh[:1])
    assert left(ours) == pytest.approx(left(ours[:1]), rel=1e-5)
    assert left(ours) == pytest.approx(left(fresh[:1]), rel=0.05)
    found = averaged(np.stack(ours, axis=1))
    assert found is not None


def test_an_adversary_under_the_cap_does_not_learn_the_map(capped):
    """With every pair there is, the map is known; with those under the cap it is not yet.

    On the mean over exports: the noise of one export alone decides otherwise, one time in ten.
    """
    x = np.array(vectors(400, seed=3), dtype=np.float32)
    with open_workspace(session_of(capped)) as workspace:
        with workspace.gate.act(Action.AUDIT, "a test", {}):
            made = oracle._open(workspace, "support")
        z = made.protection.minimizer.transform(x)
        exports = [made.protection.cipher.encrypt(z).astype(float) for _ in range(100)]
        truth = made.protection.cipher.encrypt_query(z)

    def error(pairs):
        found = [ridge(x[:pairs].astype(float), c[:pairs]) for c in exports]
        left = [x[200:] @ matrix + offset - truth[200:] for matrix, offset in found]
        return float(np.linalg.norm(left, axis=2).mean())

    assert error(200) < 0.5 * error(CAP)


def test_a_key_without_an_export_answers_nobody(owner):
    owner.key("fresh")
    with pytest.raises(CiphersetError) as found:
        encrypt(session_of(owner), EncryptRequest("fresh", vectors=vectors(1)))
    assert (found.value.exit_code, found.value.code) == (3, "oracle_unbound")


def test_a_key_that_is_not_there(owner):
    with pytest.raises(CiphersetError) as found:
        encrypt(session_of(owner), EncryptRequest("nobody", vectors=vectors(1)))
    assert (found.value.exit_code, found.value.code) == (5, "key_unknown")
    assert owner.events("encrypt")[-1].outcome == "refused"


def test_an_export_that_nobody_assessed_answers_nobody(tmp_path):
    owner = Owner(tmp_path)
    owner.key("support")
    source = write_rows(owner.folder / "rows.parquet", vector_rows())
    to = ("--key", "support", "--to", owner.folder / "rows.cipherset")
    owner.ok("protect", source, "--vector", "vec", "--label", "topic", *to, *QUICK)
    assert refused(owner, vectors=vectors(1)) == (3, "not_assessed")
    assert owner.events("encrypt")[-1].outcome == "refused"


def test_an_export_that_is_broken_without_a_pair_answers_nobody(owner):
    assessed(owner, pair_cap=0)
    assert refused(owner, vectors=vectors(1)) == (3, "not_protective")


def test_text_is_not_asked_of_a_key_whose_exports_hold_vectors(capped):
    assert refused(capped, texts=("where is it?",)) == (4, "value_is_text")


@pytest.mark.parametrize(
    "given",
    [{}, {"texts": ("a",), "vectors": ((1.0,),)}, {"texts": ("a",) * 1_025}],
)
def test_a_request_that_is_none(given):
    with pytest.raises(InputError) as found:
        EncryptRequest("support", **given)
    assert found.value.code == "encrypt_rows"


@pytest.mark.parametrize("kind", ["ball", "gaussian"])
def test_noise_is_repeated_by_the_secret_and_by_nothing_else(kind):
    x = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    if kind == "ball":
        cipher = VectorCipher(bytes(32), dim=8, approximation_factor=4.0)
    else:
        promise = Guarantee(8.0, 1e-6)
        cipher = VectorCipher.with_gaussian_noise(bytes(32), dim=8, guarantee=promise)
    one, other = Secret(bytes(32)), Secret(bytes(range(32)))
    c = cipher.encrypt_repeatably(x, noise_secret=one)
    order = np.array([4, 1, 1, 5])
    assert np.array_equal(cipher.encrypt_repeatably(x[order], noise_secret=one), c[order])
    assert not np.isclose(cipher.encrypt_repeatably(x, noise_secret=other), c).all(axis=1).any()
    named = [bytes([i % 2]) for i in range(6)]
    noise = cipher.encrypt_repeatably(x, noise_secret=one, like=named) - cipher.encrypt_query(x)
    close = 1e-5 if kind == "ball" else 0.05
    assert np.allclose(noise[0], noise[2], atol=close)
    assert not np.allclose(noise[0], noise[1], atol=close)
    with pytest.raises(InputError) as found:
        cipher.encrypt_repeatably(x, noise_secret=one, like=[b"1"])
    assert found.value.code == "associated_data"
