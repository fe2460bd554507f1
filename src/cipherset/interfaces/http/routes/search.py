"""``/v1/index`` and ``/v1/search``: encrypted similarity search; ``/v1/encrypt``: the oracle."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from cipherset.app.index import change
from cipherset.app.index.opened import placed
from cipherset.app.index.parts import Parts
from cipherset.app.index.request import IndexResult
from cipherset.app.index.search import MOST_TOP, SearchRequest
from cipherset.app.index.search import search as find
from cipherset.app.oracle.encrypt import MOST_ROWS, EncryptRequest, encrypt
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

_MOST_DIM = 4_096
_VECTORS_BYTES = 64 << 20
_LONG_S = 600.0

Text = Annotated[str, Field(min_length=1, max_length=100_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Vector = Annotated[list[Number], Field(min_length=1, max_length=_MOST_DIM)]
Value = Annotated[str, Field(max_length=1_000)]
# A name becomes the subject of an event: it is none that could be anybody's words.
_NAME = r"^[A-Za-z0-9._-]{1,128}$"
Name = Annotated[str, Field(pattern=_NAME, examples=["tickets.index"])]
Named = Annotated[str, Path(pattern=_NAME, description="Name or id of an index.")]
RowId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Rows = Annotated[list[Text], Field(max_length=MOST_ROWS)]
Vectors = Annotated[list[Vector], Field(max_length=MOST_ROWS)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ToSearch(_Body):
    """One text or one vector, and which rows may answer."""

    index: Name
    text: Text | None = None
    vector: Vector | None = None
    top: Annotated[int, Field(ge=1, le=MOST_TOP)] = 10
    label: Value | None = None
    tenant: Value | None = None


class Hit(BaseModel):
    """A row by its random id in the index, and its cosine with what was asked."""

    row: str
    score: float
    id: str


class Hits(BaseModel):
    """Nearest first."""

    hits: list[Hit]


class ToAdd(_Body):
    """Texts, or as many vectors; labels for all or none, one tenant for all."""

    texts: Rows = []
    vectors: Vectors = []
    labels: Annotated[list[Value], Field(max_length=MOST_ROWS)] = []
    tenant: Value | None = None


class ToDelete(_Body):
    """Rows by their ids, as they were answered when they were added."""

    ids: Annotated[list[RowId], Field(min_length=1, max_length=MOST_ROWS)]


class Status(BaseModel):
    """An index as it is now; ``assessment`` was measured when it was built."""

    index: str
    index_id: str
    key_id: str
    key_versions: list[int]
    rows: int
    dim: int
    scheme: str
    approximation_factor: float
    encoder: str
    store: str
    assessment: dict[str, float]
    risk_accepted: bool


class Changed(BaseModel):
    """How many rows were added or deleted, how many there are now, and the new ones' ids."""

    changed: int
    rows: int
    ids: list[str]


class ToEncrypt(_Body):
    """Texts, or as many vectors, for the key of that name."""

    key: Annotated[str, Field(max_length=63, pattern=_NAME, examples=["support"])]
    texts: Rows = []
    vectors: Vectors = []


class Ciphertexts(BaseModel):
    """A row of ciphertext for each that was asked; ``new`` of them had not been given before."""

    ciphertexts: list[list[float]]
    key_id: str
    key_version: int
    key_check: str
    scheme: str
    new: int


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1", tags=["search"])
    _add_search(routes, Parts())
    _add_index(routes)

    @routes.post(
        "/encrypt",
        summary="Rows encrypted for training; each new one costs a pair of the key",
        openapi_extra=performs(Action.ENCRYPT, body_bytes=_VECTORS_BYTES),
    )
    def encrypted(body: ToEncrypt, session: Caller) -> Ciphertexts:
        request = EncryptRequest(body.key, tuple(body.texts), _tuples(body.vectors))
        return Ciphertexts.model_validate(encrypt(session, request).as_json())

    return routes


def _add_search(routes: APIRouter, parts: Parts) -> None:
    @routes.post(
        "/search",
        summary="The rows of an index nearest to a text or a vector",
        openapi_extra=performs(Action.SEARCH),
    )
    def search(body: ToSearch, session: Caller) -> Hits:
        asked = SearchRequest(
            placed(session, body.index, Action.SEARCH),
            text=body.text,
            vector=None if body.vector is None else tuple(body.vector),
            top=body.top,
            label=body.label,
            tenant=body.tenant,
            names_rows=False,
        )
        return Hits.model_validate({"hits": [hit.as_json() for hit in find(session, asked, parts)]})


def _add_index(routes: APIRouter) -> None:
    @routes.get(
        "/index/{index}",
        summary="What an index says of itself",
        openapi_extra=performs(Action.SEARCH),
    )
    def status(index: Named, session: Caller) -> Status:
        found = change.status(session, placed(session, index, Action.SEARCH))
        return Status.model_validate(_told(found))

    @routes.post(
        "/index/{index}/rows",
        summary="Encrypt rows into an index",
        openapi_extra=performs(Action.INDEX, body_bytes=_VECTORS_BYTES, request_s=_LONG_S),
    )
    def add(index: Named, body: ToAdd, session: Caller) -> Changed:
        values = change.Values(
            tuple(body.texts), _tuples(body.vectors), tuple(body.labels), body.tenant
        )
        return _changed(change.add_values(session, placed(session, index, Action.INDEX), values))

    @routes.post(
        "/index/{index}/delete",
        summary="Delete rows from an index for good",
        openapi_extra=performs(Action.INDEX, request_s=_LONG_S),
    )
    def delete(index: Named, body: ToDelete, session: Caller) -> Changed:
        return _changed(change.delete(session, placed(session, index, Action.INDEX), ids=body.ids))


def _tuples(vectors: list[list[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(one) for one in vectors)


def _told(result: IndexResult) -> dict[str, Any]:
    """Without where it is: that is the owner's."""
    told = result.as_json()
    wanted = Status.model_fields
    return {name: value for name, value in told.items() if name in wanted} | {
        "index": result.target.name
    }


def _changed(result: IndexResult) -> Changed:
    return Changed(changed=result.changed, rows=result.manifest.rows, ids=list(result.ids))
