"""Reads one log: finds its form by what is in it, tells each call, and counts what it cannot read.

Nothing is dropped without being counted: the numbers of the first such lines are kept. A log of
which more than a fifth cannot be read is of another form, and refused.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cipherset.core.errors import InputError
from cipherset.evidence.discover.egress.call import Call, Seen
from cipherset.evidence.discover.egress.formats import dns, flows, records, squid, tables
from cipherset.evidence.discover.egress.lines import (
    LogFile,
    is_document,
    lines_of,
    parts_of,
)

HEAD_BYTES: Final = 1 << 18
_HEAD_LINES: Final = 200
_LEAST_SHARE: Final = 0.5  # of the first lines, to be taken for a form
_MOST_SHARE: Final = 5  # one in so many lines may be unreadable
_MOST_FIRST: Final = 5
_FEW: Final = 3

Reader = Callable[[str], Sequence[Seen]]


@dataclass(frozen=True, slots=True)
class Hints:
    """What a log does not say of itself: today's date, which columns mean what, whose it is.

    ``columns``: ``host``, ``principal``, ``time``, ``bytes_up``, ``address`` to a column's name.
    """

    now: datetime
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    of_nobody: str = ""


@dataclass(frozen=True, slots=True)
class _Format:
    make: Callable[[Hints], Reader]
    is_document: bool | None = False  # None: lines or a document
    tells_addresses: bool = False


def _table(make: Callable[[Mapping[str, str], str], Reader]) -> Callable[[Hints], Reader]:
    return lambda hints: make(hints.columns, hints.of_nobody)


# The strictest first: of two that read a log as well as each other the first is it.
_FORMATS: Final[Mapping[str, _Format]] = {
    "zeek": _Format(_table(tables.zeek), tells_addresses=True),
    "w3c": _Format(_table(tables.w3c)),
    "squid": _Format(lambda hints: squid.native(hints.now)),
    "combined": _Format(lambda hints: squid.combined(hints.now)),
    "bind": _Format(lambda hints: dns.bind(hints.now)),
    "dnsmasq": _Format(lambda hints: dns.dnsmasq(hints.now), tells_addresses=True),
    "aws-flow": _Format(lambda hints: flows.aws(hints.of_nobody)),
    "azure-flow": _Format(lambda hints: flows.azure(hints.of_nobody), is_document=None),
    "gcp-flow": _Format(lambda hints: flows.gcp(hints.of_nobody), is_document=None),
    "json": _Format(_table(records.json_objects), is_document=None, tells_addresses=True),
    "csv": _Format(_table(tables.csv_table), tells_addresses=True),
}
FORMATS: Final = tuple(_FORMATS)


@dataclass(frozen=True, slots=True)
class Faults:
    """How a log was read: ``first`` are the numbers of the first unreadable lines, from 1.

    ``partly``: of how many lines the calls are counted, and the bytes they say are not.
    """

    log: str
    form: str
    lines: int
    calls: int
    unreadable: int
    first: tuple[int, ...] = ()
    partly: int = 0


def tells_addresses(form: str) -> bool:
    """Whether logs of this form may say at which addresses names are: they are read first."""
    return _FORMATS[form].tells_addresses


def detected(log: LogFile, hints: Hints) -> str:
    """The form that fits the beginning of a log best.

    Raises:
        InputError: ``egress_format``: none fits half of its first lines.
    """
    with log.open() as stream:
        head = stream.read(HEAD_BYTES)
    document = is_document(head.decode("utf-8", "replace"))
    shares = {
        name: _share(form, head, hints, as_document=document)
        for name, form in _FORMATS.items()
        if form.is_document in {None, document}
    }
    best = max(shares, key=lambda name: shares[name])
    if head.strip() and shares[best][0] < _LEAST_SHARE:
        raise other_form(log.name, "its first lines are of no form that is known")
    return best


def read_log(log: LogFile, form: str, hints: Hints, take: Callable[[Seen], None]) -> Faults:
    """How the log was read; ``take`` is handed each thing it tells, in order.

    Raises:
        InputError: ``egress_format``: more than a fifth of it cannot be read.
    """
    n_lines = n_calls = n_bad = n_partly = 0
    first: list[int] = []
    with log.open() as stream:
        head = stream.read(HEAD_BYTES)
    document = is_document(head.decode("utf-8", "replace"))
    with log.open() as stream:
        reader = _FORMATS[form].make(hints)
        texts = parts_of(stream) if document else lines_of(stream)
        for number, told in enumerate(_told(reader, texts), 1):
            n_lines = number
            if told is None:
                n_bad += 1
                first += [number] if len(first) < _MOST_FIRST else []
                continue
            n_calls += len(told)
            n_partly += any(isinstance(each, Call) and each.is_part for each in told)
            for each in told:
                take(each)
    faults = Faults(log.name, form, n_lines, n_calls, n_bad, tuple(first), n_partly)
    if (n_bad > _FEW and n_bad * _MOST_SHARE > n_lines) or n_lines == n_bad > 0:
        found = f"{n_bad} of {n_lines} lines cannot be read as {form}, first {_named(first)}"
        raise other_form(log.name, found)
    return faults


def _told(reader: Reader, texts: Iterator[str | None]) -> Iterator[Sequence[Seen] | None]:
    """What each line tells; None for one that cannot be read."""
    for text in texts:
        try:
            yield None if text is None else reader(text)
        except ValueError:
            yield None


def _share(form: _Format, head: bytes, hints: Hints, *, as_document: bool) -> tuple[float, bool]:
    """The share of the first lines that the form reads, and whether it tells anything of them.

    The last line may be cut off, and does not count.
    """
    texts = parts_of(io.BytesIO(head)) if as_document else lines_of(io.BytesIO(head))
    told = []
    for each in _told(form.make(hints), texts):
        told.append(each)
        if len(told) > _HEAD_LINES:
            break
    if len(head) == HEAD_BYTES and len(told) > 1:
        told.pop()
    good = [each for each in told if each is not None]
    return (len(good) / len(told) if told else 0.0), any(good)


def _named(numbers: Sequence[int]) -> str:
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def other_form(name: str, found: str) -> InputError:
    """The refusal of a log that is none, or is of another form than was thought."""
    return InputError(
        f"{name}: {found}",
        code="egress_format",
        hint=f"say what it is with --format ({', '.join(FORMATS)}), or name columns with --column",
    )
