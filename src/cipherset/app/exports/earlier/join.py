"""Other exports of the same rows: what somebody who holds all of them, and all keys, can tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cipherset.app import state
from cipherset.app.exports.codes import Codebook, Codes, combine, targets_of
from cipherset.app.exports.dataset import VECTOR, Dataset, matrix
from cipherset.app.exports.earlier.live import Known, Live, ciphertexts, verified
from cipherset.app.exports.leak import CANDIDATES, Joined
from cipherset.app.exports.plan import Plan
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.exports.utility import Part, Protection, Targets
from cipherset.core.errors import PolicyError
from cipherset.core.values import LABEL, Float32s
from cipherset.custody.keys.identity import Identities
from cipherset.evidence.attack import Block, reidentify_joined
from cipherset.pipeline.sanitize.training.copies import is_among

ABSENT = -1


@dataclass(frozen=True, slots=True)
class Shared:
    """Rows of this export that others have too.

    ``rows`` is a sample of them, one row per identity, ascending; ``n_rows`` counts all.
    """

    exports: tuple[Live, ...] = field(repr=False)
    rows: Codes = field(repr=False)
    identities: Identities = field(repr=False)
    n_rows: int


def check_readable(request: ProtectRequest, known: Known) -> None:
    """Refuse where nobody can say which rows left before, unless the risk is accepted.

    Raises:
        PolicyError: ``export_unreadable``.
    """
    if known.unreadable and request.accept_risk is None:
        raise PolicyError(
            f"{len(known.unreadable)} earlier exports cannot be read, so whether they hold the "
            f"same rows is not known: {', '.join(known.unreadable)}",
            code="export_unreadable",
            hint="bring back their key or the workspace's backup, or take the rows for exported "
            "before and record an exception with --accept-risk REASON",
        )


def shared_rows(
    exports: Sequence[Live], dataset: Dataset, plan: Plan, *, seed: int
) -> Shared | None:
    """The rows that ``exports`` share with what ``plan`` will export; None if there is none."""
    exported = np.sort(np.concatenate([plan.train, plan.test])) if exports else plan.test[:0]
    known = dataset.identities[exported]
    shared = np.zeros(len(known), dtype=bool)
    sharing = []
    for live in exports:
        if live.state.meta.synthetic is not None:  # no row of it is one of the source
            continue
        here = is_among(known, live.identities())
        if here.any():
            shared |= here
            sharing.append(live)
    if not sharing:
        return None
    exported, known = exported[shared], known[shared]
    first = np.unique(known, return_index=True)[1]
    if len(first) > CANDIDATES:
        rng = np.random.default_rng([seed, 0x70])
        first = rng.choice(first, size=CANDIDATES, replace=False)
    rows = np.sort(exported[first])
    return Shared(tuple(sharing), rows, dataset.identities[rows], len(known))


def measure_join(owner: Owner, shared: Shared, protection: Protection, part: Part) -> Joined:
    """Attack the shared rows with every export of them in hand, row-linked.

    ``part`` holds them as they are about to leave. The ciphertexts of an export that is no longer
    where it was put are drawn anew, which is the same to the attacker.
    """
    blocks = [_block(protection, part.ciphertexts, part.rows.x, part.rows.y)]
    clear = [part.rows.clear]
    drawn = []
    for live in shared.exports:
        other = _Other.read(owner, live, shared.identities)
        blocks.append(other.block)
        clear.append(other.clear)
        if other.is_drawn:
            drawn.append(live.cipherset_id)
    groups, index = combine(clear), np.arange(len(part.rows))
    reid = reidentify_joined(blocks, truth=index, ciphertext_groups=groups, candidate_groups=groups)
    ids = tuple(live.cipherset_id for live in shared.exports)
    return Joined(ids, tuple(drawn), shared.n_rows, reid)


def check_joined(request: ProtectRequest, joined: Joined | None) -> None:
    """Refuse what gives away too much together with earlier exports, unless that is accepted.

    Raises:
        PolicyError: ``joined_risk``.
    """
    if joined is None or request.accept_risk is not None:
        return
    reid = joined.reid
    if reid.decidable and reid.high <= request.max_reid:
        return
    raise PolicyError(
        f"{joined.rows} of these rows were exported before: joined with {len(joined.exports)} "
        f"exports ({', '.join(joined.exports)}), all files, keys and minimizers stolen, "
        f"re-identification is {reid.excess:.4f}, up to {reid.high:.4f} (limit "
        f"{request.max_reid:g}), on {reid.n} of them; from the clear columns of all alone "
        f"{reid.label_alone:.4f}",
        code="joined_risk",
        hint="leave out the rows that were exported before, add noise, or "
        "record an exception with --accept-risk REASON",
    )


@dataclass(frozen=True, slots=True)
class _Other:
    """The part of another export in the attack; zeros and ``ABSENT`` for rows it has not got."""

    block: Block = field(repr=False)
    clear: Codes = field(repr=False)
    is_drawn: bool

    @classmethod
    def read(cls, owner: Owner, live: Live, identities: Identities) -> "_Other":
        found = live.first_rows(identities)
        present = np.array([identity in found for identity in identities.tolist()])
        places = [found[identity] for identity in identities[present].tolist()]
        table = live.state.vectors.take(np.array([source for _, source in places]))
        protection, x = live.protection, matrix(table.column(VECTOR))
        y = targets_of(table, live.state.meta)
        there = verified(owner, live, live.state.meta.target)
        values = (
            protection.export(x, y)
            if there is None
            else ciphertexts(there, [row for row, _ in places])
        )
        block = _block(protection, values, x, y)
        clear = np.full(len(identities), ABSENT, dtype=np.int64)
        clear[present] = _clear(live.state.meta, table)
        return cls(
            Block(
                _spread(block.ciphertexts, present),
                _spread(block.candidates, present),
                block.noise,
            ),
            clear,
            there is None,
        )


def _block(protection: Protection, ciphertexts: Float32s, x: Float32s, y: Targets) -> Block:
    cipher = protection.cipher
    candidates = protection.minimized(x, y)
    return Block(cipher.remove_key(ciphertexts), candidates, cipher.noise)


def _spread(values: npt.NDArray[np.floating], present: npt.NDArray[np.bool_]) -> Float32s:
    spread = np.zeros((len(present), values.shape[1]), dtype=np.float32)
    spread[present] = values
    return spread


def _clear(meta: state.Meta, table: pa.Table) -> Codes:
    names = [*([] if meta.label is None else [LABEL]), *meta.keep]
    codes = [Codebook().encode(table.column(name)) for name in names]
    return combine(codes) if codes else np.zeros(table.num_rows, dtype=np.int64)
