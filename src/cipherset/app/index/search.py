"""``search``: candidates by ciphertext, the answer by what they decrypt to.

The index gives the nearest ciphertexts, more than were asked for. Their seals are checked, they
are decrypted where the key is, and ordered by their exact cosine with the query. So noise costs
recall only where it moves a neighbor out of the candidates, and a row that somebody changed in
the store is not answered but refused.

Exact cosines to queries of one's choice are equations in the row: 384 of them give its vector. So
whoever asks over a network gets cosines of two digits, and chooses no vector where the index holds
texts. Whoever has a tenant sees that tenant's rows, whatever they ask for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cipherset.app.gate import About, Action, Fact, Moment
from cipherset.app.gate.who import tenant_of
from cipherset.app.index.encrypting import Encrypting
from cipherset.app.index.opened import Opened, glance, open_index, stamp, unit
from cipherset.app.index.parts import Parts
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError, IntegrityError
from cipherset.core.values import Float32s, Floats
from cipherset.custody.ledger.budgets import QUERIES, Debit, spent
from cipherset.custody.policy import UNBOUNDED
from cipherset.pipeline.index import Filter, Tag, check_answer
from cipherset.pipeline.index.entries import MOST_HITS, Bytes, bad_answer
from cipherset.pipeline.ingest import read_image

# Candidates for each hit, and at least so many: measured, benchmarks/search.py.
CANDIDATES: Final = 50
LEAST_CANDIDATES: Final = 500
MOST_TOP: Final = 200
_DIGITS: Final = 6
_DIGITS_AFAR: Final = 2


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A text or a vector to look for, and which rows may answer.

    Of an index of images ``text`` is the path of one, for the owner alone.
    ``names_rows``: hits are rows of the source, for its owner; else they are random ids.
    """

    index: Path
    text: str | None = field(default=None, repr=False)
    vector: tuple[float, ...] | None = field(default=None, repr=False)
    top: int = 10
    label: str | None = field(default=None, repr=False)
    tenant: str | None = field(default=None, repr=False)
    names_rows: bool = True

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            InputError: ``search_value``, ``search_top``.
        """
        if (self.text is None) == (self.vector is None):
            raise InputError(
                "a search is for one text or one vector",
                code="search_value",
                hint="give either of them",
            )
        if not 1 <= self.top <= MOST_TOP:
            raise InputError(
                f"{self.top} hits were asked for; a search gives 1 to {MOST_TOP}",
                code="search_top",
                hint="ask for fewer hits",
            )


@dataclass(frozen=True, slots=True)
class Hit:
    """A row, its cosine with the query, its id in the index, and its source where known.

    ``row`` is the 0-based row of the source for the owner, and the id for everybody else.
    """

    row: int | str
    score: float
    id: str
    source: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        told: dict[str, Any] = {"row": self.row, "score": self.score, "id": self.id}
        return told if self.source is None else told | {"source": self.source}


def search(session: Session, request: SearchRequest, parts: Parts | None = None) -> list[Hit]:
    """The rows of an index nearest to a text or vector, nearest first.

    ``parts`` are what a process that answers many keeps open.

    Leaks: to whoever keeps the index, the query's noise-free ciphertext and which rows are near
    it; to whoever asks, which rows are near their query and how near: to two digits over a network.

    Raises:
        IntegrityError, KeyAccessError: the index was changed, or its key is not here.
        InputError: ``value_is_text``; ``index_vectors``; ``search_vector``; as ``read_image``.
        PolicyError: ``not_allowed``, ``budget``.
    """
    with open_workspace(session) as workspace, searching(workspace, request.index, 1):
        before = stamp(workspace, request.index)
        try:
            return _answered(session, workspace, request, parts)
        except IntegrityError:
            if stamp(workspace, request.index) == before:
                raise
        # It was changed between two looks at it: as it is now, it is whole.
        return _answered(session, workspace, request, parts)


def _answered(
    session: Session, workspace: Workspace, request: SearchRequest, parts: Parts | None
) -> list[Hit]:
    is_afar = session.network is not None or not request.names_rows
    with open_index(workspace, request.index, parts) as opened:
        x = _asked(session, opened, request, is_afar=is_afar)
        own = tenant_of(workspace.gate.ledger, workspace.gate.who)
        if own is not None and request.tenant not in {None, own}:
            return []
        mine = request if own is None else replace(request, tenant=own)
        ids, scores = _nearest(opened, x[0], mine)
        told = scores.astype(np.float64).round(_DIGITS_AFAR if is_afar else _DIGITS)
        return _hits(opened, ids, told, names_rows=request.names_rows)


def _asked(session: Session, opened: Opened, request: SearchRequest, *, is_afar: bool) -> Float32s:
    """The vector to look for, shape (1, dim)."""
    if request.vector is None:
        images = opened.encoder(session).images
        if images is not None and not is_afar:
            pixels = read_image(Path(request.text or ""), images.side)
            return images.encode(pixels, progress=session.progress)
        return opened.embedded(session, [request.text or ""])
    if is_afar and opened.meta.encoder_spec is not None:
        raise InputError(
            "this index holds texts or images, and is asked with one",
            code="search_vector",
            hint="send no vector; vectors of one's choice would measure out the rows",
        )
    return unit([list(request.vector)], opened.manifest.dim)


@contextmanager
def searching(workspace: Workspace, index: Path, queries: int) -> Iterator[About]:
    """The act of asking an index, counted for ever before it answers."""
    seen = glance(workspace, index)
    gate, about = workspace.gate, seen.about
    cap = gate.ledger.transact(gate.policies).limits.budgets.queries
    used = gate.ledger.transact(lambda transaction: spent(transaction, QUERIES, about.id))
    moment = Moment(
        rows=queries,
        exposure_left=UNBOUNDED if cap is None else max(cap - used, 0),
        debits=(Debit(QUERIES, about.id, queries, cap),),
    )
    facts: dict[str, Fact] = {"index": seen.index_id, "queries": queries}
    with gate.act(Action.SEARCH, str(index), facts, about=about, moment=moment):
        seen.check()
        yield about


def _nearest(opened: Opened, x: Float32s, request: SearchRequest) -> tuple[Bytes, Float32s]:
    """Ids and cosines of the hits; each key version answers for its own rows."""
    gone = opened.parts.get(
        ("gone", opened.manifest.index_id, opened.manifest.revision), opened.kept.gone
    )
    most = min(max(request.top * CANDIDATES, LEAST_CANDIDATES), MOST_HITS)
    ids, scores = [np.empty((0, 16), np.uint8)], [np.empty(0, np.float32)]
    # Old versions first: a row that is encrypted anew meanwhile is found before or after.
    for version, key in sorted(opened.keys.items()):
        where = Filter(_tags(key, request), version)
        found = opened.store.query(key.cipher.encrypt_query(x[np.newaxis])[0], most, where)
        check_answer(found, most, where)
        if gone.intersection(one.tobytes() for one in found.ids):
            raise bad_answer("has a row that was deleted")
        ids.append(found.ids)
        scores.append(np.asarray(key.plain(found) @ x, dtype=np.float32))
    every, all_ids = np.concatenate(scores), np.concatenate(ids)
    _, first = np.unique(all_ids, axis=0, return_index=True)
    order = first[np.argsort(-every[first], kind="stable")][: request.top]
    return all_ids[order], every[order]


def _tags(key: Encrypting, request: SearchRequest) -> Mapping[Tag, frozenset[bytes]]:
    asked = {Tag.LABEL: request.label, Tag.TENANT: request.tenant}
    return {
        tag: frozenset({key.token(tag, value)}) for tag, value in asked.items() if value is not None
    }


def _hits(opened: Opened, ids: Bytes, scores: Floats, *, names_rows: bool) -> list[Hit]:
    known = opened.kept.rows_of(ids) if names_rows else {}
    found = []
    for one, score in zip(ids, scores.tolist(), strict=True):
        source, row = known.get(one.tobytes(), (None, one.tobytes().hex()))
        found.append(Hit(row, score, one.tobytes().hex(), source))
    return found
