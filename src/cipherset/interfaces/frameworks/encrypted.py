"""An encrypted index behind a gateway, as frameworks use one: rows by metadata, some at a time.

The gateway embeds, encrypts, asks its policies and keeps the record. It is given texts, or vectors
where the index was built of vectors, and answers random ids and cosines of two digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cipherset.core.errors import UsageError
from cipherset.interfaces.client.client import Client
from cipherset.interfaces.client.search import Hit

AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class EncryptedIndex:
    """An index by its name, and what rows in it are chosen by.

    ``label`` is the field of a row's metadata that it is tagged by: equal ones are seen to be
    equal by whoever keeps the index. ``tenant`` is whose rows are added and found.
    """

    client: Client
    name: str
    label: str | None = None
    tenant: str | None = None

    def add(
        self,
        metadatas: Sequence[Mapping[str, Any]],
        *,
        texts: Sequence[str] = (),
        vectors: Sequence[Sequence[float]] = (),
    ) -> list[str]:
        """The ids of the rows that were added: at most ``AT_ONCE``, texts or vectors.

        Raises:
            UsageError: ``store_label``: a row has no label, and labels are for all.
            CiphersetError: as the gateway refused it.
        """
        labels = [] if self.label is None else [_label(one, self.label) for one in metadatas]
        return self.client.index_add(
            self.name, texts, vectors=vectors, labels=labels, tenant=self.tenant
        ).ids

    def find(
        self,
        asked: str | Sequence[float],
        top: int,
        where: Mapping[str, Any] | None = None,
    ) -> list[Hit]:
        """The rows nearest to a text or a vector, of those that have the label in ``where``.

        Raises:
            UsageError: ``store_filter``: rows cannot be chosen by that.
            CiphersetError: as the gateway refused it.
        """
        wanted = dict(where or {})
        label = None if self.label is None else wanted.pop(self.label, None)
        if wanted or not isinstance(label, str | None):
            raise by_label_alone()
        text, vector = (asked, None) if isinstance(asked, str) else (None, asked)
        return self.client.search(
            self.name, text=text, vector=vector, top=top, label=label, tenant=self.tenant
        )

    def delete(self, ids: Sequence[str]) -> None:
        """Delete rows for good.

        Raises:
            CiphersetError: as the gateway refused it.
        """
        for start in range(0, len(ids), AT_ONCE):
            self.client.index_delete(self.name, ids[start : start + AT_ONCE])


def by_label_alone() -> UsageError:
    """The refusal of a filter."""
    return UsageError(
        "rows of an encrypted index are chosen by their label alone, and by one at a time",
        code="store_filter",
        hint="name the field that rows are tagged by (label=…), and ask for one text of it",
    )


def delete_all() -> UsageError:
    """The refusal to delete what was not named."""
    return UsageError(
        "no ids were given, and what is not named is not deleted here",
        code="store_delete_all",
        hint="name what is to go; an index as a whole is its owner's to remove",
    )


def _label(metadata: Mapping[str, Any], field: str) -> str:
    found = metadata.get(field)
    if not isinstance(found, str):
        raise UsageError(
            f"rows are tagged by {field!r}, and one has no text there",
            code="store_label",
            hint="give every row that field, or no label=",
        )
    return found
