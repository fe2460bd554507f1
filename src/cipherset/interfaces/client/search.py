"""Encrypted search and the oracle of encrypted rows, called from Python."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from pydantic import TypeAdapter

from cipherset.core.values import Float32s
from cipherset.interfaces.client.connection import Connection


@dataclass(frozen=True, slots=True)
class Hit:
    """A row by its random id in the index, and its cosine with what was asked."""

    row: str
    score: float
    id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """How many rows were added or deleted, how many there are now, and the new ones' ids."""

    changed: int
    rows: int
    ids: list[str]


@dataclass(frozen=True, slots=True)
class Ciphertexts:
    """Encrypted rows, shape (n, dim); ``new`` of them had not been given before."""

    ciphertexts: Float32s = field(repr=False)
    key_id: str
    key_version: int
    key_check: str
    scheme: str
    new: int


@dataclass(frozen=True, slots=True)
class _Rows:
    ciphertexts: list[list[float]] = field(repr=False)
    key_id: str
    key_version: int
    key_check: str
    scheme: str
    new: int


@dataclass(frozen=True, slots=True)
class _Hits:
    hits: list[Hit]


_HITS: Final = TypeAdapter(_Hits)
_STATUS: Final = TypeAdapter(dict[str, Any])
_CHANGED: Final = TypeAdapter(Changed)
_ROWS: Final = TypeAdapter(_Rows)


class SearchCalls:
    """``/v1/search``, ``/v1/index`` and ``/v1/encrypt``."""

    _connection: Connection

    def search(
        self,
        index: str,
        *,
        text: str | None = None,
        vector: Sequence[float] | None = None,
        top: int = 10,
        label: str | None = None,
        tenant: str | None = None,
    ) -> list[Hit]:
        """The rows of ``index`` nearest to a text or a vector, the nearest first.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        body = {
            "index": index,
            "text": text,
            "vector": None if vector is None else _numbers(vector),
            "top": top,
            "label": label,
            "tenant": tenant,
        }
        given = {name: value for name, value in body.items() if value is not None}
        answer = self._connection.ask("POST", "/v1/search", body=given)
        return self._connection.told(_HITS, answer).hits

    def index_status(self, index: str) -> dict[str, Any]:
        """What an index says of itself.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        return self._connection.told(_STATUS, self._connection.ask("GET", _path(index)))

    def index_add(
        self,
        index: str,
        texts: Sequence[str] = (),
        *,
        vectors: Sequence[Sequence[float]] = (),
        labels: Sequence[str] = (),
        tenant: str | None = None,
    ) -> Changed:
        """Encrypt texts, or as many vectors, into an index.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        body = {
            "texts": list(texts),
            "vectors": [_numbers(one) for one in vectors],
            "labels": list(labels),
            "tenant": tenant,
        }
        answer = self._connection.ask("POST", f"{_path(index)}/rows", body=body)
        return self._connection.told(_CHANGED, answer)

    def index_delete(self, index: str, ids: Sequence[str]) -> Changed:
        """Delete rows from an index for good, by their ids.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        answer = self._connection.ask("POST", f"{_path(index)}/delete", body={"ids": list(ids)})
        return self._connection.told(_CHANGED, answer)

    def encrypt(
        self, key: str, texts: Sequence[str] = (), *, vectors: Sequence[Sequence[float]] = ()
    ) -> Ciphertexts:
        """Rows encrypted for training; each that is new costs a pair of the key.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        body = {"key": key, "texts": list(texts), "vectors": [_numbers(one) for one in vectors]}
        answer = self._connection.ask("POST", "/v1/encrypt", body=body)
        told = self._connection.told(_ROWS, answer)
        rows = np.asarray(told.ciphertexts, dtype=np.float32)
        return Ciphertexts(
            rows, told.key_id, told.key_version, told.key_check, told.scheme, told.new
        )


def _path(index: str) -> str:
    return f"/v1/index/{quote(index, safe='')}"


def _numbers(vector: Sequence[float]) -> list[float]:
    numbers: list[float] = np.asarray(vector, dtype=np.float32).tolist()
    return numbers
