"""All objects under a prefix, as far as a directory of files is needed: ``s3://BUCKET/PREFIX``.

A store has no directories and puts nothing in place as a whole: an object is there when it is
whole, and the one that makes the others a thing is written last.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow.fs

from cipherset.core.objects.address import ObjectPath


@dataclass(frozen=True, slots=True)
class ObjectFolder:
    """The objects under one prefix; its address is as that of an object, options and all."""

    uri: str

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that holds a credential.

        Raises:
            InputError: ``object_address``.
        """
        ObjectPath(self.uri)

    @property
    def name(self) -> str:
        """The last part of the prefix."""
        return ObjectPath(self.uri).name

    def names(self) -> frozenset[str]:
        """The names of all objects below, relative to the prefix.

        Raises:
            BackendError: ``object_store``.
        """
        with self._reached("did not list") as (system, prefix):
            below = pyarrow.fs.FileSelector(prefix, allow_not_found=True, recursive=True)
            found = system.get_file_info(below)
        files = [each.path for each in found if each.type is pyarrow.fs.FileType.File]
        return frozenset(path.removeprefix(f"{prefix}/") for path in files)

    def read(self, name: str, *, most_bytes: int) -> bytes | None:
        """The first ``most_bytes`` of an object; None where there is none of that name.

        Raises:
            BackendError: ``object_store``.
        """
        with self._reached("did not give") as (system, prefix):
            try:
                with system.open_input_file(f"{prefix}/{name}") as file:
                    raw: bytes = file.read(most_bytes)
            except FileNotFoundError:
                return None
        return raw

    def write(self, name: str, raw: bytes) -> None:
        """The object of that name is ``raw``.

        Raises:
            BackendError: ``object_store``.
        """
        with (
            self._reached("did not take") as (system, prefix),
            system.open_output_stream(f"{prefix}/{name}") as file,
        ):
            file.write(raw)

    def remove(self, name: str) -> None:
        """There is no object of that name any more.

        Raises:
            BackendError: ``object_store``.
        """
        with self._reached("did not remove") as (system, prefix):
            system.delete_file(f"{prefix}/{name}")

    @contextmanager
    def _reached(self, what: str) -> Iterator[tuple[Any, str]]:
        """The store and the prefix; what goes wrong inside is the store's."""
        with ObjectPath(self.uri).reached(what) as (system, prefix):
            yield system, prefix.rstrip("/")

    def __str__(self) -> str:
        return str(ObjectPath(self.uri))
