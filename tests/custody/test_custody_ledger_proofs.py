"""What can be shown of a ledger without it: one event, one growth, and that it was cut."""

import itertools
import json
from dataclasses import replace
from hashlib import sha256

import pytest
from custody_ledgers import fill, ticking
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from cipherset.core import canonical, envelope
from cipherset.core.errors import CiphersetError, IntegrityError, UsageError
from cipherset.custody.ledger import (
    Outcome,
    check_consistency,
    check_event,
    read_checkpoint,
    sign_checkpoint,
)
from cipherset.custody.ledger.proofs import merkle
from cipherset.custody.ledger.proofs.checkpoint import CHECKPOINT_TYPE

# Source: the vectors that the implementations of Certificate Transparency share,
# https://github.com/google/certificate-transparency, python/ct/crypto/merkle_test.py
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                 "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
NODES = {
    "1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "23": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "45": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "67": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "4567": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "0": ROOTS[1],
    "01": ROOTS[2],
    "0123": ROOTS[4],
}


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size):
    assert merkle.root(ENTRIES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, ["1", "23", "4567"]),
        (5, 8, ["4", "67", "0123"]),
        (2, 3, ["01"]),
        (1, 5, ["0", "23", "4"]),
    ],
)
def test_inclusion_proofs_are_the_published_ones(index, size, proof):
    found = merkle.inclusion(ENTRIES[:size], index)
    assert [one.hex() for one in found] == [NODES[name] for name in proof]
    top = bytes.fromhex(ROOTS[size])
    assert merkle.is_included(ENTRIES[index], index, size, found, top)


@pytest.mark.parametrize(
    ("first", "second", "proof"),
    [
        (1, 1, []),
        (1, 8, ["1", "23", "4567"]),
        (2, 8, ["23", "4567"]),
        (6, 8, ["45", "67", "0123"]),
        (2, 5, ["23", "4"]),
    ],
)
def test_consistency_proofs_are_the_published_ones(first, second, proof):
    found = merkle.consistency(ENTRIES[:second], first)
    assert [one.hex() for one in found] == [NODES[name] for name in proof]
    tops = (bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second]))
    assert merkle.is_consistent((first, second), tops, found)


def slow_root(leaves):
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + slow_root(leaves[:k]) + slow_root(leaves[k:])).digest()


def slow_path(index, leaves):
    """Section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if index < k:
        return [*slow_path(index, leaves[:k]), slow_root(leaves[k:])]
    return [*slow_path(index - k, leaves[k:]), slow_root(leaves[:k])]


def slow_subproof(size, leaves, is_known):
    """Section 2.1.4.1."""
    if size == len(leaves):
        return [] if is_known else [slow_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if size <= k:
        return [*slow_subproof(size, leaves[:k], is_known), slow_root(leaves[k:])]
    return [*slow_subproof(size - k, leaves[k:], False), slow_root(leaves[:k])]


def flips(proof):
    """The proof with something wrong, each way."""
    for k in range(len(proof)):
        yield [*proof[:k], bytes(32), *proof[k + 1 :]]
        yield [*proof[:k], *proof[k + 1 :]]
    yield [*proof, bytes(32)]


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20), st.data())
def test_any_tree_is_proved_as_the_text_says_and_nothing_else_is(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    size, top = len(leaves), merkle.root(leaves)
    assert top == slow_root(leaves)
    path = merkle.inclusion(leaves, index)
    assert path == slow_path(index, leaves)
    assert merkle.is_included(leaves[index], index, size, path, top)
    assert not merkle.is_included(leaves[index] + b"x", index, size, path, top)
    for wrong in (-1, size, size + 1):
        assert not merkle.is_included(leaves[index], wrong, size, path, top)
    assert not any(merkle.is_included(leaves[index], index, size, bad, top) for bad in flips(path))
    first = data.draw(st.integers(1, size))
    proof = merkle.consistency(leaves, first)
    assert proof == slow_subproof(first, leaves, True)
    tops = (merkle.root(leaves[:first]), top)
    assert merkle.is_consistent((first, size), tops, proof)
    for bad in flips(proof):
        assert not merkle.is_consistent((first, size), tops, bad)
    for sizes in ((0, size), (size + 1, size)):
        assert not merkle.is_consistent(sizes, tops, proof)
    for bad_tops in ((bytes(32), top), (tops[0], bytes(32))):
        assert not merkle.is_consistent((first, size), bad_tops, proof)


@pytest.fixture(scope="module")
def signer():
    return CryptoSigner.generate_ed25519()


def rewrite(ledger, place, since):
    """The chain computed anew from ``since`` on, as whoever holds the database can."""
    kept = [event for event in ledger.events() if event.seq < since]
    later = [event for event in ledger.events() if event.seq >= since]
    place.alter(f"DELETE FROM events WHERE seq >= {since}")
    with place.open() as anew:
        for event in later:
            actor = "eve" if event.seq == since else event.actor
            anew.append(
                actor=actor, action=event.action, subject=event.subject, outcome=Outcome.DONE
            )
    assert len(kept) == since - 1


def test_a_checkpoint_finds_what_a_chain_does_not(ledger, place):
    fill(ledger, 9)
    checkpoint = ledger.checkpoint()
    assert (checkpoint.size, checkpoint.ledger) == (9, next(ledger.events()).hash)
    fill(ledger, 3)
    assert ledger.verify(checkpoint=checkpoint).valid
    place.alter("DELETE FROM events WHERE seq > 10")
    assert ledger.verify(checkpoint=checkpoint).valid
    place.alter("DELETE FROM events WHERE seq > 7")
    assert ledger.verify().valid
    found = ledger.verify(checkpoint=checkpoint)
    assert (found.valid, found.events, found.first_bad) == (False, 7, 8)
    assert "event 9 was there once" in found.because


@pytest.mark.parametrize(("since", "first_bad"), [(1, 1), (4, 9), (9, 9), (10, None)])
def test_a_chain_computed_anew_is_found(ledger, place, since, first_bad):
    fill(ledger, 9)
    checkpoint = ledger.checkpoint()
    fill(ledger, 3)
    rewrite(ledger, place, since)
    assert ledger.verify().valid
    found = ledger.verify(checkpoint=checkpoint)
    assert (found.valid, found.first_bad) == (first_bad is None, first_bad)


def test_a_checkpoint_of_another_root_or_of_an_empty_ledger(ledger, place):
    fill(ledger, 5)
    checkpoint = ledger.checkpoint()
    lying = replace(checkpoint, root="sha256:" + "0" * 64)
    assert ledger.verify(checkpoint=lying).first_bad == 5
    place.alter("DELETE FROM events")
    assert ledger.verify(checkpoint=checkpoint).first_bad == 1
    with pytest.raises(UsageError) as caught:
        ledger.checkpoint()
    assert caught.value.code == "ledger_empty"


def test_of_a_broken_chain_nothing_is_vouched_for(ledger, place):
    fill(ledger)
    checkpoint = ledger.checkpoint()
    place.alter("UPDATE events SET actor = 'eve' WHERE seq = 3")
    for call in (
        ledger.checkpoint,
        lambda: ledger.prove_event(2, checkpoint),
        lambda: ledger.prove_consistency(checkpoint, checkpoint),
    ):
        with pytest.raises(IntegrityError) as caught:
            call()
        assert caught.value.code == "ledger_broken"
        assert "event 3" in caught.value.message
    assert ledger.verify(checkpoint=checkpoint).first_bad == 3


def test_a_signed_checkpoint_is_read_as_it_was(ledger, signer):
    fill(ledger)
    checkpoint = ledger.checkpoint()
    raw = sign_checkpoint(checkpoint, signer)
    mine = envelope.fingerprint(envelope.public_key_of(signer))
    assert read_checkpoint(raw, expected_fingerprint=mine).checkpoint == checkpoint
    assert read_checkpoint(raw, expected_fingerprint=None).signer == mine
    with pytest.raises(IntegrityError) as caught:
        read_checkpoint(raw, expected_fingerprint="0" * 64)
    assert caught.value.code == "signer"
    for k in range(len(raw)):
        with pytest.raises(IntegrityError):
            read_checkpoint(raw[:k] + bytes([raw[k] ^ 1]) + raw[k + 1 :], expected_fingerprint=mine)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "cipherset/checkpoint/2"},
        {"size": 0},
        {"size": True},
        {"size": "1"},
        {"size": 1.5},
        {"root": "sha256:" + "A" * 64},
        {"last": "sha512:" + "a" * 64},
        {"ledger": None},
        {"time": 5},
        {"more": 1},
    ],
)
def test_what_is_signed_but_no_checkpoint_is_refused(signer, change):
    digest = "sha256:" + "a" * 64
    payload = {
        "schema": "cipherset/checkpoint/1",
        "ledger": digest,
        "size": 1,
        "root": digest,
        "last": digest,
        "time": "2026-01-02",
        "signer": {"public_key": envelope.public_key_of(signer)},
        **change,
    }
    raw = envelope.sign(canonical.encode(payload), CHECKPOINT_TYPE, signer)
    with pytest.raises(IntegrityError) as caught:
        read_checkpoint(raw, expected_fingerprint=None)
    assert caught.value.code == "checkpoint_form"


def test_one_event_is_verified_with_a_checkpoint_only(place):
    with ticking(place) as ledger:
        fill(ledger, 11)
        checkpoint = ledger.checkpoint()
        fill(ledger, 2)
        events = list(ledger.events())
        proofs = [ledger.prove_event(seq, checkpoint) for seq in range(1, 12)]
    for event, proof in zip(events, proofs, strict=False):
        assert check_event(proof, checkpoint) == event
        assert not any(
            verified(lambda proof=proof, other=other: check_event(proof, other))
            for other in (
                replace(checkpoint, size=12),
                replace(checkpoint, root="sha256:" + "0" * 64),
            )
        )


def test_a_proof_of_one_event_proves_no_other(ledger):
    fill(ledger, 11)
    checkpoint = ledger.checkpoint()
    proof = json.loads(ledger.prove_event(6, checkpoint))
    later, event = ledger.prove_event(7, checkpoint), proof["event"]
    for change in (
        {"event": {**event, "actor": "eve"}},
        {"event": {**event, "hash": event["previous"]}},
        {"event": {**event, "seq": 7}},
        {"event": {**event, "seq": True}},
        {"event": {**event, "more": ""}},
        {"event": {**event, "actor": 1}},
        {"event": None},
        {"event": json.loads(later)["event"]},
        {"size": 10},
        {"path": proof["path"][:-1]},
        {"path": proof["path"][::-1]},
        {"path": ["x"]},
        {"path": [1]},
        {"path": None},
        {"schema": "cipherset/consistency-proof/1"},
    ):
        raw = canonical.encode({**proof, **change})
        with pytest.raises(IntegrityError) as caught:
            check_event(raw, checkpoint)
        assert caught.value.code == "proof_mismatch"
    for raw in (b"", b"[]", b"{}", b"null"):
        assert not verified(lambda raw=raw: check_event(raw, checkpoint))


def test_growth_is_verified_with_two_checkpoints_only(ledger):
    checkpoints = []
    for _ in range(5):
        fill(ledger, 3)
        checkpoints.append(ledger.checkpoint())
    for older, newer in itertools.combinations_with_replacement(checkpoints, 2):
        proof = ledger.prove_consistency(older, newer)
        check_consistency(proof, older, newer)
        other = replace(newer, root=older.root if older != newer else "sha256:" + "0" * 64)
        assert not verified(
            lambda proof=proof, older=older, other=other: check_consistency(proof, older, other)
        )
        other = replace(newer, ledger="sha256:" + "0" * 64)
        assert not verified(
            lambda proof=proof, older=older, other=other: check_consistency(proof, older, other)
        )
    proof = ledger.prove_consistency(*checkpoints[:2])
    assert not verified(lambda: check_consistency(proof, checkpoints[0], checkpoints[2]))
    for raw in (b"{}", b"[]", ledger.prove_event(1, checkpoints[1])):
        assert not verified(lambda raw=raw: check_consistency(raw, *checkpoints[:2]))
    with pytest.raises(UsageError) as caught:
        ledger.prove_consistency(checkpoints[1], checkpoints[0])
    assert caught.value.code == "checkpoint_order"


def test_what_cannot_be_proved_is_refused(ledger, place):
    fill(ledger, 5)
    checkpoint = ledger.checkpoint()
    fill(ledger, 1)
    for seq, code in ((0, "event_unknown"), (7, "event_unknown"), (6, "event_later")):
        with pytest.raises(UsageError) as caught:
            ledger.prove_event(seq, checkpoint)
        assert caught.value.code == code
    rewrite(ledger, place, 4)
    for call in (
        lambda: ledger.prove_event(2, checkpoint),
        lambda: ledger.prove_consistency(checkpoint, ledger.checkpoint()),
        lambda: ledger.prove_consistency(checkpoint, checkpoint),
    ):
        with pytest.raises(IntegrityError) as caught:
            call()
        assert caught.value.code == "checkpoint_mismatch"


def verified(call):
    try:
        call()
    except CiphersetError as error:
        assert isinstance(error, IntegrityError)
        return False
    return True
