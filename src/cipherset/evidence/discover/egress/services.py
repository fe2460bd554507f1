"""The list of AI services, and which of them a host belongs to: whole labels, the longest wins.

``openai.com`` is the name and all names below it, and so neither ``notopenai.com`` nor
``openai.com.evil.example``. The list is data (``services.toml``), each row with its source; more
rows come from files of the same form.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cipherset.core.errors import InputError
from cipherset.evidence.discover.egress.lookalike import Lookalikes
from cipherset.evidence.discover.egress.names import labels_of, normalized

SCHEMA: Final = "cipherset/ai-services/1"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PATTERN: Final = re.compile(r"=?[a-z0-9*_-]+(\.[a-z0-9*_-]+)+")
_ANY: Final = "[a-z0-9-]+"
_MOST_KEPT: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Service:
    """An AI service: ``kind`` is what it is (chat, API, …), ``source`` where its row was read."""

    id: str
    name: str
    vendor: str
    kind: str
    domains: tuple[str, ...]
    apart: tuple[str, ...] = ()
    source: str = ""
    read: str = ""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(pattern=f"^{_ID.pattern}$")
    name: str = Field(min_length=1, max_length=80)
    vendor: str = Field(min_length=1, max_length=80)
    kind: str = Field(alias="is", min_length=1, max_length=40)
    domains: list[str] = Field(min_length=1, max_length=100)
    apart: list[str] = Field(default=[], max_length=100)
    source: str = Field(min_length=1, max_length=400)


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    at: str = Field(min_length=1, max_length=400)
    read: Any


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    schema_: str = Field(alias="schema", pattern=f"^{SCHEMA}$")
    service: list[_Row] = Field(min_length=1, max_length=10_000)
    brands: list[str] = []
    shared: list[str] = []
    sources: Mapping[str, _Source] = {}


@dataclass(frozen=True, slots=True)
class _Wild:
    """A pattern with ``*`` in it: ``labels`` are compiled, the top-level domain last."""

    text: str
    labels: tuple[re.Pattern[str], ...]

    def fits(self, labels: Sequence[str]) -> bool:
        """Whether it stands for these labels, as many as its own."""
        return all(mine.fullmatch(label) for mine, label in zip(self.labels, labels, strict=True))


@dataclass(slots=True)
class _Patterns:
    """What each domain stands for; None: it is apart, or shared."""

    plain: dict[str, Service | None] = field(default_factory=dict)
    exact: dict[str, Service | None] = field(default_factory=dict)
    wild: dict[int, list[tuple[_Wild, Service | None]]] = field(default_factory=dict)

    def add(self, pattern: str, service: Service | None) -> None:
        """Let ``pattern`` stand for ``service``; what was added before does so no more."""
        if pattern.startswith("="):
            self.exact[pattern[1:]] = service
        elif "*" in pattern:
            labels = labels_of(pattern)
            compiled = tuple(re.compile(label.replace("*", _ANY)) for label in labels)
            kept = self.wild.setdefault(len(labels), [])
            kept[:] = [each for each in kept if each[0].text != pattern]
            kept.append((_Wild(pattern, compiled), service))
        else:
            self.plain[pattern] = service

    def find(self, host: str) -> tuple[bool, Service | None]:
        """Whether any domain fits, and what the longest one stands for."""
        if host in self.exact:
            return True, self.exact[host]
        labels = labels_of(host)
        for start in range(len(labels)):
            rest = labels[start:]
            suffix = ".".join(rest)
            if suffix in self.plain:
                return True, self.plain[suffix]
            for wild, service in self.wild.get(len(rest), ()):
                if wild.fits(rest):
                    return True, service
        return False, None


class ServiceList:
    """Tells of any host which service it belongs to, or which one it looks like."""

    def __init__(
        self, services: Sequence[Service], brands: Sequence[str] = (), shared: Sequence[str] = ()
    ) -> None:
        """Of services with the same id, and of equal domains, the last one holds."""
        self.services = tuple({each.id: each for each in services}.values())
        self.brands, self.shared = tuple(brands), tuple(shared)
        self._patterns = _Patterns()
        for domain in self.shared:
            self._patterns.add(domain, None)
        for service in self.services:
            for domain in service.apart:
                self._patterns.add(domain, None)
            for domain in service.domains:
                self._patterns.add(domain, service)
        domains = [domain for each in self.services for domain in each.domains]
        self._lookalikes = Lookalikes(self.brands, domains)
        self._kept: dict[str, tuple[bool, Service | None]] = {}

    def of(self, host: str) -> Service | None:
        """The service that ``host`` belongs to; None where it is none, or only looks like one."""
        return self._found(host)[1]

    def looks_like(self, host: str) -> str | None:
        """What ``host`` imitates, though it belongs to nobody here; None where it does not."""
        known, _ = self._found(host)
        name = normalized(host)
        return None if known or name is None else self._lookalikes.of(name)

    def with_more(self, other: "ServiceList") -> "ServiceList":
        """Both lists; where they differ the other holds."""
        return ServiceList(
            (*self.services, *other.services),
            (*self.brands, *other.brands),
            (*self.shared, *other.shared),
        )

    def _found(self, host: str) -> tuple[bool, Service | None]:
        if host not in self._kept:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            name = normalized(host)
            self._kept[host] = (False, None) if name is None else self._patterns.find(name)
        return self._kept[host]

    def __repr__(self) -> str:
        return f"ServiceList({len(self.services)} services)"


@cache
def shipped() -> ServiceList:
    """The list that comes with the package."""
    text = files(__package__).joinpath("services.toml").read_text(encoding="utf-8")
    return read_services(text)


def read_services(text: str, name: str = "services.toml") -> ServiceList:
    """The list in a TOML text, called ``name``, of the form of ``services.toml``.

    Raises:
        InputError: ``egress_services``: it is not TOML, or a row is not of that form.
    """
    try:
        found = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        raise _bad(name, "not TOML") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:3])
        raise _bad(name, f"{where}: {first['msg']}") from None
    services = [_service(row, found.sources, name) for row in found.service]
    _check_brands(found.brands, name)
    return ServiceList(services, found.brands, list(_checked(f"{name}: shared", found.shared)))


def _service(row: _Row, sources: Mapping[str, _Source], name: str) -> Service:
    source = sources.get(row.source)
    made = Service(
        id=row.id,
        name=row.name,
        vendor=row.vendor,
        kind=row.kind,
        domains=tuple(_checked(f"{name}: {row.id}", row.domains)),
        apart=tuple(_checked(f"{name}: {row.id}", row.apart)),
        source=row.source,
    )
    return made if source is None else replace(made, source=source.at, read=str(source.read))


def _checked(where: str, domains: Sequence[str]) -> Iterator[str]:
    """Each in one form: two labels at least, the last two without ``*``, or all is accused."""
    for domain in domains:
        bare = domain.removeprefix("=")
        name = bare if "*" in bare else normalized(bare)
        pattern = f"={name}" if domain.startswith("=") else name
        if (
            name is None
            or pattern is None
            or not _PATTERN.fullmatch(pattern)
            or any("*" in label for label in labels_of(name)[-2:])
        ):
            raise _bad(where, "a domain that is none")
        yield pattern


def _check_brands(brands: Sequence[str], name: str) -> None:
    if any(not _ID.fullmatch(brand) or len(brand) < 6 for brand in brands):
        raise _bad(name, "brands: six small letters and more, or everything looks like one")


def _bad(where: str, found: str) -> InputError:
    return InputError(
        f"{where}: {found}",
        code="egress_services",
        hint="see docs/how-to/shadow-ai.md for what a list of services may say",
    )
