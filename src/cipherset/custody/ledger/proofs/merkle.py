"""A Merkle tree over a list that only grows: its root, and proofs as long as the tree is high.

``leaves`` are the entries' bytes in order; indices run from 0. Proofs are lists of 32-byte hashes.

Source: RFC 9162, section 2.1, https://www.rfc-editor.org/rfc/rfc9162#section-2.1
"""

import hashlib
from collections.abc import Sequence
from typing import Final

HASH_BYTES: Final = 32


def root(leaves: Sequence[bytes]) -> bytes:
    """``MTH(leaves)`` of section 2.1.1: 32 bytes, those of SHA-256 of nothing for no leaves."""
    if not leaves:
        return hashlib.sha256().digest()
    return _root([_leaf(one) for one in leaves])


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """``PATH(index, leaves)`` of section 2.1.3.1; ``0 <= index < len(leaves)``."""
    level, path = [_leaf(one) for one in leaves], []
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level, index = _parents(level), index // 2
    return path


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """``PROOF(size, leaves)`` of section 2.1.4.1; ``0 < size <= len(leaves)``."""
    hashes, proof, is_known = [_leaf(one) for one in leaves], list[bytes](), True
    while size != len(hashes):
        split = _split(len(hashes))
        if size <= split:
            proof.append(_root(hashes[split:]))
            hashes = hashes[:split]
        else:
            proof.append(_root(hashes[:split]))
            hashes, size, is_known = hashes[split:], size - split, False
    return ([] if is_known else [_root(hashes)]) + proof[::-1]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], top: bytes) -> bool:
    """Whether ``proof`` shows ``leaf`` at ``index`` of the tree of that ``size`` and root ``top``.

    Source: section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    fn, sn, result = index, size - 1, _leaf(leaf)
    for one in proof:
        if sn == 0:
            return False
        if fn % 2 or fn == sn:
            result = _node(one, result)
            fn, sn = _lowest_set(fn, sn)
        else:
            result = _node(result, one)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and result == top


def is_consistent(
    sizes: tuple[int, int], tops: tuple[bytes, bytes], proof: Sequence[bytes]
) -> bool:
    """Whether ``proof`` shows the tree of the first size and root to begin that of the second.

    Source: section 2.1.4.2.
    """
    first, second = sizes
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and tops[0] == tops[1]
    path = [tops[0], *proof] if first & (first - 1) == 0 else [*proof]
    return bool(path) and _replayed(path, first - 1, second - 1) == tops


def _replayed(path: Sequence[bytes], fn: int, sn: int) -> tuple[bytes, bytes] | None:
    """The roots that ``path`` leads to, of the first tree and of the second; None if it cannot."""
    while fn % 2:
        fn, sn = fn // 2, sn // 2
    old = new = path[0]
    for one in path[1:]:
        if sn == 0:
            return None
        if fn % 2 or fn == sn:
            old, new = _node(one, old), _node(one, new)
            fn, sn = _lowest_set(fn, sn)
        else:
            new = _node(new, one)
        fn, sn = fn // 2, sn // 2
    return (old, new) if sn == 0 else None


def _lowest_set(fn: int, sn: int) -> tuple[int, int]:
    """Both moved down until the lowest bit of ``fn`` is set, or ``fn`` is zero."""
    while fn % 2 == 0 and fn:
        fn, sn = fn // 2, sn // 2
    return fn, sn


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """The level above; a last one without a neighbor moves up as it is."""
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [_node(left, right) for left, right in pairs]
    return [*above, level[-1]] if len(level) % 2 else above


def _root(level: Sequence[bytes]) -> bytes:
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def _split(size: int) -> int:
    """The largest power of two below ``size``; ``size > 1``."""
    return 1 << ((size - 1).bit_length() - 1)
