"""An object, as far as readers need a path: ``s3://BUCKET/KEY``.

Arrow's own client reads it, in ranges. Credentials are what the store's usual environment variables
and files say; an address never has any. An endpoint may be said in the address, as Arrow has it:
``s3://BUCKET/KEY?endpoint_override=HOST:PORT&scheme=http``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast
from urllib.parse import unquote_to_bytes, urlsplit

import pyarrow.fs

from cipherset.core.errors import BackendError, InputError

SCHEME: Final = "s3://"


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """One object, by its address."""

    uri: str

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that holds a credential.

        Raises:
            InputError: ``object_address``.
        """
        try:
            parts = urlsplit(self.uri)
            unquote_to_bytes(self.uri).decode()  # Arrow takes UTF-8 alone
        except ValueError:
            parts = urlsplit("")
        if "@" in parts.netloc or not parts.netloc or not parts.path.strip("/"):
            raise InputError(
                "expected s3://BUCKET/KEY, in UTF-8, and no credential in it",
                code="object_address",
                hint="credentials are read from where the store's tools look for them: "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
            )

    @property
    def name(self) -> str:
        """The last part of the key."""
        return PurePosixPath(urlsplit(self.uri).path).name

    @property
    def suffix(self) -> str:
        """The ending of the name."""
        return PurePosixPath(self.name).suffix

    def open(self) -> IO[bytes]:
        """The object, to be read from any place in it.

        Raises:
            FileNotFoundError: there is none.
            BackendError: ``object_store``.
        """
        try:
            system, key = pyarrow.fs.FileSystem.from_uri(self.uri)
            return cast("IO[bytes]", system.open_input_file(key))
        except FileNotFoundError:
            raise
        except (OSError, pyarrow.ArrowInvalid):  # its words may hold what a server answered
            raise self.lost() from None

    def exists(self) -> bool:
        """Whether there is one.

        Raises:
            BackendError: ``object_store``.
        """
        return self._size() is not None

    def put(self, file: Path) -> None:
        """The object is what ``file`` is; a store has all of it, or what it had before.

        Raises:
            BackendError: ``object_store``.
        """
        with self.reached("did not take") as (system, key):
            # In one call: a stream that is closed by an interrupt would complete what it had.
            here = pyarrow.fs.LocalFileSystem()
            pyarrow.fs.copy_files(
                str(file.absolute()), key, source_filesystem=here, destination_filesystem=system
            )
        if self._size() != file.stat().st_size:
            raise self.lost("did not keep what was sent as")

    def _size(self) -> int | None:
        """In bytes; None where there is none."""
        with self.reached("did not give") as (system, key):
            found = system.get_file_info(key)
        return found.size if found.type is pyarrow.fs.FileType.File else None

    @contextmanager
    def reached(self, what: str) -> Iterator[tuple[Any, str]]:
        """The store and the key; what goes wrong inside is the store's, which ``what``."""
        try:
            yield pyarrow.fs.FileSystem.from_uri(self.uri)
        except (OSError, pyarrow.ArrowInvalid):  # its words may hold what a server answered
            raise self.lost(what) from None

    def lost(self, what: str = "did not give") -> BackendError:
        """The store does not give what is in it, or does not take it."""
        return BackendError(
            f"the object store {what} {self}",
            code="object_store",
            hint="check the endpoint, the region and the credentials in the environment",
        )

    def __str__(self) -> str:
        parts = urlsplit(self.uri)
        return f"{SCHEME}{parts.netloc}{parts.path}"
