"""A catalog read from TOML: every row has a source, and nothing that no such row has."""

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from cipherset.core.errors import InputError
from cipherset.evidence.discover.code.catalog import (
    MOST_NAME,
    REGISTRIES,
    Address,
    Catalog,
    Loading,
    NamedFile,
    Service,
)
from cipherset.evidence.discover.code.found import Kind

MOST_ROWS: Final = 10_000
_MOST_BYTES: Final = 8_000_000
_LISTS: Final = (
    *REGISTRIES,
    *(
        "python",
        "java",
        "csharp",
        "php",
        "rust",
        "ruby",
        "headers",
        "hosts",
        "variables",
        "key_prefixes",
    ),
    *("models", "images", "commands", "boto3", "infra", "sql", "settings"),
)
_SERVICE_KINDS: Final = (Kind.SDK, Kind.LIBRARY, Kind.AGENT, Kind.MCP, Kind.SERVER)


def load_catalog(extra: Path | str | None = None) -> Catalog:
    """The package's catalog, and the rows of ``extra`` before its own.

    Raises:
        InputError: ``discover_catalog``: ``extra`` cannot be read or has another form.
    """
    own = files("cipherset.evidence.discover.code").joinpath("catalog.toml").read_bytes()
    tables = [_tables(own, "catalog.toml")]
    raw = own
    if extra is not None:
        try:
            with Path(extra).open("rb") as file:
                more = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise _bad(str(extra), error.strerror or "it cannot be read") from None
        tables.insert(0, _tables(more, str(extra)))
        raw += more
    return Catalog(
        services=_merged(table["service"] for table in tables),
        addresses=tuple(one for table in tables for one in table["address"]),
        calls=tuple(one for table in tables for one in table["call"]),
        named_files=tuple(one for table in tables for one in table["file"]),
        digest="sha256:" + hashlib.sha256(raw).hexdigest(),
    )


def _merged(lists: Iterable[Sequence[Service]]) -> tuple[Service, ...]:
    """All rows, the user's last, for of two rows with one name the look-ups keep the last."""
    return tuple(service for services in reversed(list(lists)) for service in services)


def _tables(raw: bytes, where: str) -> dict[str, Any]:
    if len(raw) > _MOST_BYTES:
        raise _bad(where, f"it is larger than {_MOST_BYTES} bytes")
    try:
        value = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise _bad(where, f"it is not TOML: {error}") from None
    form = {"service": _service, "address": _address, "call": _call, "file": _file}
    if set(value) - {"version", *form}:
        raise _bad(where, f"it has tables other than {', '.join(form)}")
    tables = {}
    for name, read in form.items():
        rows = value.get(name, [])
        if not isinstance(rows, list) or len(rows) > MOST_ROWS:
            raise _bad(where, f"[[{name}]] is not a list of at most {MOST_ROWS} rows")
        tables[name] = tuple(
            read(_Row(row, f"[[{name}]] number {number}", where))
            for number, row in enumerate(rows, 1)
        )
    return tables


class _Row:
    """A row of a catalog that is taken apart; what is left at the end is a mistake."""

    def __init__(self, row: object, name: str, where: str) -> None:
        self._where = where
        self._name = name
        if not isinstance(row, dict):
            raise _bad(where, f"{name} is not a table")
        self._row = dict(row)
        self.source = self.text("source")
        if not self.source:
            raise _bad(where, f"{name} names no source")

    def text(self, key: str) -> str:
        value = self._row.pop(key, "")
        if not isinstance(value, str) or len(value) > MOST_NAME:
            raise _bad(self._where, f"{key} of {self._name} is not a short text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._row.pop(key, [])
        if not isinstance(value, list) or not all(
            isinstance(one, str) and 2 <= len(one) <= MOST_NAME for one in value
        ):
            raise _bad(self._where, f"{key} of {self._name} is not a list of texts")
        return tuple(value)

    def number(self, key: str, default: int) -> int:
        value = self._row.pop(key, default)
        if type(value) not in {int, bool}:
            raise _bad(self._where, f"{key} of {self._name} is not a number")
        return int(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        value = self._row.pop(key, [])
        if not isinstance(value, list) or not all(type(one) is int for one in value):
            raise _bad(self._where, f"{key} of {self._name} is not a list of numbers")
        return tuple(value)

    def kind(self, kinds: Sequence[Kind]) -> Kind:
        value = self.text("kind")
        if value not in kinds:
            raise _bad(self._where, f"the kind of {self._name} is none of {', '.join(kinds)}")
        return Kind(value)

    def done(self) -> None:
        if self._row:
            left = ", ".join(sorted(self._row))
            raise _bad(self._where, f"{self._name} has what no such row has: {left}")


def _service(row: _Row) -> Service:
    names = {name: texts for name in _LISTS if (texts := row.texts(name))}
    service = Service(row.text("name"), row.kind(_SERVICE_KINDS), row.source, names)
    row.done()
    return service


def _address(row: _Row) -> Address:
    address = Address(
        what=row.text("what"),
        paths=row.texts("paths"),
        ports=row.numbers("ports"),
        labels=row.texts("labels"),
        under=row.text("under"),
    )
    row.done()
    return address


def _call(row: _Row) -> Loading:
    call = Loading(
        name=row.text("name"),
        kind=row.kind((Kind.MODEL, Kind.DATASET)),
        argument=row.text("argument"),
        position=row.number("position", 0),
        fallback=row.number("fallback", -1),
        is_uncertain=bool(row.number("uncertain", 0)),
    )
    row.done()
    return call


def _file(row: _Row) -> NamedFile:
    named = NamedFile(row.kind(tuple(Kind)), row.text("what"), row.texts("names"))
    row.done()
    return named


def _bad(where: str, reason: str) -> InputError:
    return InputError(
        f"{where} is not a catalog of services: {reason}",
        code="discover_catalog",
        hint="see the head of catalog.toml in the package for what a row may hold",
    )
