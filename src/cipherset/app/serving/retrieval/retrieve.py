"""From hits of a search to what may be put before a model, each data set asked of the gate.

A data set that the caller may not read for this purpose, one that is not there, a piece of another
tenant and a piece that is not there all come back as nothing, after the same question to the gate.
Why a piece stayed out is in the events, by count, and by id where it was altered or injected.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from cipherset.app.gate import About, Act, Action, Moment
from cipherset.app.gate.who import tenant_of
from cipherset.app.labels.record import known_label
from cipherset.app.serving.retrieval.kept import (
    ChunkStore,
    KeptChunks,
    Place,
    folder_of,
    read_place,
)
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical
from cipherset.core.errors import PolicyError
from cipherset.custody.keys import AesGcmSealer, KeyUse
from cipherset.custody.ledger.budgets import QUERIES, Debit, spent
from cipherset.custody.policy import UNBOUNDED, Kind
from cipherset.guard.retrieval import (
    Admission,
    Chunk,
    ChunkList,
    Context,
    Judge,
    Readable,
    Reason,
    Room,
)

MOST_DATASETS: Final = 16
MOST_REFERENCES: Final = 10_000
_TOLD: Final = 20
_TELLING: Final = frozenset({Reason.ALTERED, Reason.INJECTION})


@dataclass(frozen=True, slots=True)
class Reference:
    """A hit: the row ``id`` of the data set that is called ``dataset``."""

    dataset: str
    id: str


@dataclass(slots=True)
class KnownLists:
    """Lists that were read and verified already, by digest; a process that answers many keeps one.

    A list never changes: another one has another digest.
    """

    lists: dict[str, ChunkList] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class RetrieveRequest:
    """What a search found, best first, and what it is wanted for.

    ``store`` is where the texts are, the workspace where nothing is said.
    """

    references: tuple[Reference, ...]
    purpose: str
    room: Room = field(default_factory=Room)
    store: ChunkStore | None = field(default=None, repr=False)


def retrieve(
    session: Session,
    request: RetrieveRequest,
    judge: Judge,
    known: KnownLists | None = None,
) -> Context:
    """What of the hits may be put before a model, for this caller and purpose.

    Leaks: to whoever asks, the texts that policies let them read; of all else, nothing.

    Raises:
        IntegrityError: a list or a sealed part was changed or is missing.
        BackendError: the events cannot be written; then nothing is given.
    """
    references = request.references[:MOST_REFERENCES]
    names = list(dict.fromkeys(one.dataset for one in references))[:MOST_DATASETS]
    parts = []
    with open_workspace(session) as workspace:
        tenant = tenant_of(workspace.gate.ledger, workspace.gate.who)
        for name in names:
            wanted = [one.id for one in references if one.dataset == name]
            parts.append(_of_dataset(workspace, request, (name, wanted), judge, known, tenant))
    return _together(parts, references, request.room)


def _of_dataset(
    workspace: Workspace,
    request: RetrieveRequest,
    wanted: tuple[str, list[str]],
    judge: Judge,
    known: KnownLists | None,
    tenant: str | None,
) -> Context:
    """What of one data set is admitted; an act of its own."""
    name, ids = wanted
    place = read_place(folder_of(workspace.home, name))
    try:
        with _querying(workspace, name, place, request, len(ids)) as act:
            if place is None:
                return _outcome(act, Context())
            key = workspace.ring.open(place.key_id, place.key_version, purpose=KeyUse.QUERY)
            kept = KeptChunks(folder_of(workspace.home, name), AesGcmSealer.from_key(key))
            listed = _list(kept, place, workspace.fingerprint, known or KnownLists())
            texts = (request.store or kept).texts(name, ids)
            chunks = [
                Chunk(name, one, text)
                for one, text in zip(ids, texts, strict=True)
                if text is not None
            ]
            readable = {name: Readable(known_label(workspace, place.asset), listed)}
            admission = Admission(readable, judge, tenant, request.room)
            return _outcome(act, admission.context(chunks))
    except PolicyError:
        return Context()


@contextmanager
def _querying(
    workspace: Workspace, name: str, place: Place | None, request: RetrieveRequest, n: int
) -> Iterator[Act]:
    """The act of reading a data set, counted first; of one that is not there it is asked too."""
    asset = canonical.digest({"chunks": name}) if place is None else place.asset
    gate = workspace.gate
    cap = gate.ledger.transact(gate.policies).limits.budgets.queries
    used = gate.ledger.transact(lambda transaction: spent(transaction, QUERIES, asset))
    moment = Moment(
        purpose=request.purpose,
        rows=n,
        exposure_left=UNBOUNDED if cap is None else max(cap - used, 0),
        debits=(Debit(QUERIES, asset, n, cap),),
    )
    about = About(Kind.DATASET, asset, name)
    with gate.act(Action.QUERY, name, {"wanted": n}, about=about, moment=moment) as act:
        yield act


def _outcome(act: Act, context: Context) -> Context:
    """Write down how many came in and why the others did not, before they are given away."""
    act.facts["admitted"] = len(context.parts)
    act.facts.update({f"quarantined:{why}": n for why, n in context.counts.items()})
    told = [one.id for one in context.quarantined if one.reason in _TELLING][:_TOLD]
    if told:
        act.facts["quarantined_ids"] = ",".join(told)
    return context


def _list(kept: KeptChunks, place: Place, fingerprint: str, known: KnownLists) -> ChunkList:
    found = known.lists.get(place.asset)
    if found is None:
        found = known.lists[place.asset] = kept.read_list(place, fingerprint=fingerprint)
    return found


def _together(parts: Sequence[Context], references: Sequence[Reference], room: Room) -> Context:
    """The parts of every data set, in the order of the search, as far as there is room."""
    order = {(one.dataset, one.id): place for place, one in reversed([*enumerate(references)])}
    admitted = sorted(
        (part for context in parts for part in context.parts),
        key=lambda part: order[part.dataset, part.id],
    )
    refused = tuple(one for context in parts for one in context.quarantined)
    return room.filled(admitted, refused)
