"""``encrypt``: texts or vectors that somebody brings, as the exports of a key would have them.

Whoever asks knows the row and gets its ciphertext: a known pair, the stuff that attacks are made
of. So each new row is debited as a pair of the key, for all and for who asks, and as one exposure
of that row; when the cap that was measured is used up, none is given any more, ever.

The same row gets the same ciphertext: the mean of m answers with fresh noise has the noise
divided by the root of m. Rows are the same by their minimized vector to 1 / 128, not by their
letters or bits: an encoder that ignores case gives "Card" and "CARD" one vector. Whoever moves a
vector by more than that gets other noise, so that the cap binds always, at ``oracle_rows`` of the
limits where none was measured. The noise is repeated by a secret of the workspace and not by the
key, so that who steals the key cannot remove it (docs/adr/0024).
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cipherset.app import state
from cipherset.app.ciphers import open_cipher
from cipherset.app.exports.utility import Protection
from cipherset.app.gate import Act, Action, Fact, Moment
from cipherset.app.gate.about import about_key, about_key_named
from cipherset.app.gateway import encoder_of
from cipherset.app.index.opened import unit
from cipherset.app.reading.beside import check_no_columns
from cipherset.app.sanitizing.rules import sealed_rules
from cipherset.app.serving.pairs import pair_debits, scope_of
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError, PolicyError
from cipherset.core.protocols import KeyVersion, Sealer
from cipherset.core.secret import KeyHandle
from cipherset.core.values import ROW, Float32s, Records
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.keys.identity import Identities, RowIdentity, noise_secret
from cipherset.custody.ledger.budgets import ROWS, Debit, spent
from cipherset.custody.policy import UNBOUNDED
from cipherset.pipeline.sanitize import sanitize

MOST_ROWS: Final = 1_024
_STEPS: Final = 128


@dataclass(frozen=True, slots=True)
class EncryptRequest:
    """Rows to encrypt under the active version of a key: texts, or vectors of its encoder."""

    key: str
    texts: tuple[str, ...] = field(default=(), repr=False)
    vectors: tuple[tuple[float, ...], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            InputError: ``encrypt_rows``.
        """
        n = len(self.texts) + len(self.vectors)
        if (self.texts and self.vectors) or not 1 <= n <= MOST_ROWS:
            raise InputError(
                f"expected 1 to {MOST_ROWS} texts, or as many vectors",
                code="encrypt_rows",
                hint="ask for fewer rows at a time, of one kind",
            )

    @property
    def n_rows(self) -> int:
        """How many rows are asked for."""
        return len(self.texts) + len(self.vectors)


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Ciphertext rows (n, k), what made them, and how many of them had not been given before."""

    ciphertexts: Float32s = field(repr=False)
    key_id: str
    key_version: int
    key_check: str
    scheme: str
    n_new: int

    def as_json(self) -> dict[str, Any]:
        """The route's JSON."""
        return {
            "ciphertexts": self.ciphertexts.tolist(),
            "key_id": self.key_id,
            "key_version": self.key_version,
            "key_check": self.key_check,
            "scheme": self.scheme,
            "new": self.n_new,
        }


@dataclass(frozen=True, slots=True)
class _Encrypter:
    """What a key's exports were made by."""

    key: KeyHandle
    meta: state.Meta
    protection: Protection = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Minimized vectors (n, k), what exports know the rows by, and what their noise goes by."""

    z: Float32s = field(repr=False)
    identities: Identities = field(repr=False)
    alike: Identities = field(repr=False)


def encrypt(session: Session, request: EncryptRequest) -> Encrypted:
    """Ciphertext with noise of each row, minimized as the exports of the key are.

    Leaks: a known pair for each row; see the module.

    Raises:
        PolicyError: ``not_allowed``; ``budget``: no more pairs, or this row left often enough;
            ``not_assessed``, ``not_protective``; ``oracle_unbound``: nothing was exported under
            this version.
        InputError, KeyAccessError, IntegrityError, BackendError: as their messages say.
    """
    with open_workspace(session) as workspace:
        info = workspace.ring.find(request.key)
        about = about_key_named(request.key) if info is None else about_key(info)
        facts: dict[str, Fact] = {"rows": request.n_rows}
        left = 0 if info is None else _left(workspace, info, session.actor)
        moment = Moment(rows=request.n_rows, exposure_left=left)
        with workspace.gate.act(
            Action.ENCRYPT, request.key, facts, about=about, moment=moment
        ) as act:
            made = _open(workspace, request.key)
            rows = _rows(session, workspace, made, request)
            n_new = _spend(workspace, act, made.key, rows)
            act.facts.update(_facts(made.key, n_new))
            return _encrypted(workspace, made, rows, n_new)


def _facts(key: KeyHandle, n_new: int) -> dict[str, Fact]:
    return {"key_id": key.key_id, "key_version": key.version, "new": n_new}


def _open(workspace: Workspace, key_name: str) -> _Encrypter:
    key = workspace.ring.open(key_name, purpose=KeyUse.EXPORT)
    sealer = AesGcmSealer.from_key(key)
    path = state.minimizer_path(workspace.minimizers, key)
    meta = _meta(workspace, key, sealer) if path.exists() else None
    if meta is None:
        raise PolicyError(
            f"nothing was exported under {scope_of(key)}, so nobody knows what its pairs give away",
            code="oracle_unbound",
            hint="make an export and measure it first: cipherset protect, cipherset assess",
        )
    minimizer, bound = state.read_minimizer(path, sealer)
    cipher = open_cipher(
        key,
        dim=minimizer.dim,
        scheme=bound.scheme,
        approximation_factor=bound.approximation_factor,
        noise=bound.noise,
    )
    return _Encrypter(key, meta, Protection(meta.task, minimizer, cipher))


def _meta(workspace: Workspace, key: KeyHandle, sealer: Sealer) -> state.Meta | None:
    """How rows of the key's exports are read: of any of them, for they share their settings."""
    for cipherset_id in state.export_ids(workspace.exports):
        under = state.read_made_under(workspace.exports / cipherset_id)
        if (under.key_id, under.key_version) == (key.key_id, key.version):
            return state.read_state(workspace.exports, cipherset_id, sealer).meta
    return None


def _rows(
    session: Session, workspace: Workspace, made: _Encrypter, request: EncryptRequest
) -> _Rows:
    """Minimized vectors, and what rows are known again by."""
    check_no_columns(made.meta, "encrypting one by one")
    identity = RowIdentity(workspace.ring.signer())
    if request.vectors:
        x = unit([list(one) for one in request.vectors], made.meta.dim_in)
        return _minimized(made, identity, x, identity.of_vectors(x))
    encoder = encoder_of(made.meta, session.cache)
    if encoder is None:
        raise InputError(
            "the exports of this key hold vectors that were given, not text",
            code="value_is_text",
            hint="give vectors of the same encoder",
        )
    columns = pa.table({ROW: pa.array(range(len(request.texts)), pa.int64())})
    rules = sealed_rules(made.meta.rules, made.key)
    clean = sanitize(Records(list(request.texts), columns), rules)
    x = encoder.encode(clean.texts, progress=session.progress)
    return _minimized(made, identity, x, identity.of_texts(clean.texts))


def _minimized(
    made: _Encrypter, identity: RowIdentity, x: Float32s, identities: Identities
) -> _Rows:
    z = np.asarray(made.protection.minimizer.transform(x))
    # Zero has one sign, so that it has one identity.
    return _Rows(z, identities, identity.of_vectors(np.rint(z * _STEPS) + 0.0))


def _spend(workspace: Workspace, act: Act, key: KeyHandle, rows: _Rows) -> int:
    """Debit the rows whose like was never given under this key version; how many these are.

    Two that ask for one new row at once may both pay for it.

    Raises:
        PolicyError: ``budget``; nothing is spent then.
    """
    gate = workspace.gate
    scope = scope_of(key)
    by_alike: dict[str, set[str]] = {}
    for alike, identity in zip(rows.alike, rows.identities, strict=True):
        by_alike.setdefault(f"{int(alike):016x}", set()).add(f"{int(identity):016x}")
    known = gate.ledger.transact(
        lambda transaction: {one for one in by_alike if spent(transaction, ROWS, f"{scope}:{one}")}
    )
    new = sorted(by_alike.keys() - known)
    cap = gate.ledger.transact(gate.policies).limits.budgets.exports
    debits = pair_debits(workspace, key, gate.actor, len(new), noisy=True)
    leaving = sorted(set().union(*(by_alike[one] for one in new)))
    exposed = [Debit(ROWS, f"row:{one}", 1, cap) for one in leaving]
    marks = [Debit(ROWS, f"{scope}:{one}", 1, None) for one in new]
    if new:
        act.spend(*debits, *exposed, *marks)
    return len(new)


def _left(workspace: Workspace, key: KeyVersion, principal: str) -> int:
    """How many more pairs there are for ``principal``; none where nobody measured that."""
    try:
        debits = pair_debits(workspace, key, principal, 0, noisy=True)
    except PolicyError:  # said again within the act, where it is written down
        return 0
    capped = [(one, one.cap) for one in debits if one.cap is not None]
    left = workspace.gate.ledger.transact(
        lambda transaction: [
            max(cap - spent(transaction, one.kind, one.scope), 0) for one, cap in capped
        ]
    )
    return min(left, default=UNBOUNDED)


def _encrypted(workspace: Workspace, made: _Encrypter, rows: _Rows, n_new: int) -> Encrypted:
    cipher = made.protection.cipher
    like = [int(one).to_bytes(8, "little") for one in rows.alike]
    secret = noise_secret(workspace.ring.signer())
    c = cipher.encrypt_repeatably(rows.z, noise_secret=secret, like=like)
    return Encrypted(c, cipher.key_id, cipher.key_version, cipher.key_check, cipher.scheme, n_new)
