"""What the scan knows by name, read from ``catalog.toml`` and from a file of the user's.

The rows are data and each has its source. Nothing in them is a pattern: a ``*`` in a host, an
image or a package stands for what such a name may hold, so no row can make the scan slow.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cipherset.evidence.discover.code.found import Kind

REGISTRIES: Final = (
    *("pypi", "npm", "go", "maven", "cargo"),
    *("nuget", "gem", "composer", "hex", "cran"),
)
MOST_NAME: Final = 200  # characters
# What imports a module whose name may be put together, and what may be called a prompt.
_BY_NAME: Final = re.compile(
    r"__import__|import_module|lazy_import|[Pp]rompt|PROMPT|[Yy]ou are|[Aa]ct as|['\"]sk-\w{20}"
)
# What is called or written however the service is called.
_CALLED: Final = (
    *(("call", "from_pretrained"), ("call", "InferenceSession")),
    *(("", "role system"), ("", "role developer")),
)
# What code names; packages are named in lists, which are always read.
_IN_CODE: Final = (
    *("python", "npm", "go", "cargo", "rust", "nuget", "csharp", "java", "php", "gem", "ruby"),
    *("headers", "hosts", "variables", "key_prefixes", "models", "boto3", "commands", "sql"),
)
_WHOLE: Final = frozenset({"npm", "variables", "key_prefixes", "models", "boto3"})


@dataclass(frozen=True, slots=True)
class Service:
    """A row: what is known of one service, library or server; ``names`` by their list."""

    name: str
    kind: Kind
    source: str
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """What an address gives away by its path, port or host, whoever runs it."""

    what: str
    paths: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    under: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    """A call that loads a model or rows: which argument names them.

    ``fallback`` is the position that names something where ``position`` is not given; an
    ``is_uncertain`` call loads anything at all and counts only beside other signs.
    """

    name: str
    kind: Kind
    argument: str
    position: int
    fallback: int
    is_uncertain: bool


@dataclass(frozen=True, slots=True)
class NamedFile:
    """Files that say by their name or place what they are."""

    kind: Kind
    what: str
    names: tuple[str, ...]


def _wild(name: str) -> str:
    """A regular expression for ``name``, in which ``*`` stands for a part of such a name."""
    return r"[\w.*@:-]+".join(re.escape(part) for part in name.split("*"))


def _any_of(names: Iterable[str]) -> str:
    return "|".join(sorted((_wild(name) for name in names), key=len, reverse=True)) or r"(?!)"


@dataclass(frozen=True)
class Catalog:
    """All rows, with the look-ups that the readers of files need."""

    services: tuple[Service, ...]
    addresses: tuple[Address, ...]
    calls: tuple[Loading, ...]
    named_files: tuple[NamedFile, ...]
    digest: str

    def _rows(self, *lists: str) -> Iterator[tuple[str, Service]]:
        for service in self.services:
            for name in lists:
                for value in service.names.get(name, ()):
                    yield value, service

    @cached_property
    def python(self) -> dict[str, tuple[Service, frozenset[str]]]:
        """By dotted module: whose it is, and the names one of which must be taken from it."""
        modules = {}
        for value, service in self._rows("python"):
            module, _, names = value.partition(":")
            modules[module] = (service, frozenset(filter(None, names.split(","))))
        return modules

    @cached_property
    def packages(self) -> dict[str, dict[str, Service]]:
        """By registry and name, in lower case and, for PyPI, as PEP 503 writes it."""
        return {
            registry: {package_key(registry, value): own for value, own in self._rows(registry)}
            for registry in REGISTRIES
        }

    def package(self, registry: str, name: str) -> Service | None:
        """Whose package it is, if it is known; a whole group of Maven where the row says ``*``."""
        known = self.packages[registry]
        key = package_key(registry, name)
        if registry == "maven":
            return known.get(key) or known.get(key.partition(":")[0] + ":*")
        while registry == "go" and key not in known and "/" in key:
            key = key.rpartition("/")[0]  # a package, or a version, of a module
        return known.get(key)

    @cached_property
    def namespaces(self) -> dict[str, dict[str, Service]]:
        """By language: the first parts of what is imported."""
        rust = {value.replace("-", "_"): service for value, service in self._rows("cargo", "rust")}
        return {
            "java": dict(self._rows("java")),
            "csharp": dict(self._rows("nuget", "csharp")),
            "php": dict(self._rows("php")),
            "ruby": dict(self._rows("gem", "ruby")),
            "rust": rust,
            "headers": dict(self._rows("headers")),
            "go": dict(self._rows("go")),
        }

    @cached_property
    def variables(self) -> dict[str, Service]:
        """By the name of an environment variable that holds a credential."""
        return dict(self._rows("variables"))

    @cached_property
    def boto3(self) -> dict[str, Service]:
        """By the name that the AWS SDK for Python takes."""
        return dict(self._rows("boto3"))

    @cached_property
    def infra(self) -> dict[str, Service]:
        """By kind of resource, in lower case."""
        return {value.lower(): service for value, service in self._rows("infra")}

    @cached_property
    def commands(self) -> dict[str, Service]:
        """By program and first words."""
        return dict(self._rows("commands"))

    @cached_property
    def settings(self) -> dict[str, Service]:
        """By the first names of the settings that are its own."""
        return dict(self._rows("settings"))

    @cached_property
    def command(self) -> re.Pattern[str]:
        """A known command where a shell or a list of words would start it."""
        every = "|".join(map(re.escape, sorted(self.commands, key=len, reverse=True)))
        return re.compile(rf"(?:^|[\s/;&|=(])({every or '(?!)'})(?=[\s.;)]|(?<=-)\w|$)")

    @cached_property
    def resource(self) -> re.Pattern[str]:
        """A known kind of resource, as a word, in lower case."""
        every = "|".join(map(re.escape, sorted(self.infra, key=len, reverse=True)))
        return re.compile(rf"(?<![\w/-])({every or '(?!)'})(?![\w/-])")

    @cached_property
    def providers(self) -> dict[str, Service]:
        """By the names that configurations give a service: its own and its module's, no signs."""
        named = {_plain(own.name): own for own in self.services}
        modules = {_plain(module): row[0] for module, row in self.python.items()}
        short = {"gemini": "googlegemini", "bedrock": "amazonbedrock", "azure": "azureopenai"}
        return {word: named[own] for word, own in short.items() if own in named} | modules | named

    def provider(self, value: str) -> Service | None:
        """The service that a configuration means by ``value``."""
        return self.providers.get(_plain(value))

    @cached_property
    def sql(self) -> dict[str, Service]:
        """By function, in upper case."""
        return {value.upper(): service for value, service in self._rows("sql")}

    @cached_property
    def by_call(self) -> dict[str, Loading]:
        """By dotted name."""
        return {call.name: call for call in self.calls}

    @cached_property
    def _hosts(self) -> tuple[dict[str, Service], list[tuple[re.Pattern[str], Service]]]:
        plain = {host: own for host, own in self._rows("hosts") if "*" not in host}
        wild = [(re.compile(_wild(host)), own) for host, own in self._rows("hosts") if "*" in host]
        return plain, wild

    def host(self, name: str) -> Service | None:
        """Whose host it is."""
        plain, wild = self._hosts
        key = name.lower().rstrip(".")
        for pattern, service in wild:
            if pattern.fullmatch(key):
                return service
        return plain.get(key)

    @cached_property
    def _images(self) -> list[tuple[re.Pattern[str], Service]]:
        return [(re.compile(_wild(name)), own) for name, own in self._rows("images")]

    def image(self, name: str) -> Service | None:
        """Whose container image it is, whatever registry mirrors it and whatever its tag."""
        bare = re.sub(r"(?::[\w.{}$-]*)?(?:@sha256:\w+)?$", "", name).removeprefix("docker.io/")
        for pattern, service in self._images:
            if pattern.fullmatch(bare):
                return service
        return None

    @cached_property
    def key_value(self) -> re.Pattern[str]:
        """What begins as a credential of a known service does, to its end."""
        begins = _any_of(value for value, _ in self._rows("key_prefixes"))
        return re.compile(rf"(?<![\w-])({begins})[A-Za-z0-9_-]{{16,512}}(?![\w-])")

    @cached_property
    def key_owner(self) -> dict[str, Service]:
        """By how a credential begins."""
        return dict(self._rows("key_prefixes"))

    @cached_property
    def _models(self) -> re.Pattern[str]:
        begins = _any_of(value for value, _ in self._rows("models"))
        return re.compile(rf"(?:[\w.-]+/)?(?i:{begins})(?:(?<=[/_-])\w|[^\w\s]|\d|$)")

    @cached_property
    def _model_rows(self) -> list[tuple[str, Service]]:
        rows = [(value.lower(), service) for value, service in self._rows("models")]
        return sorted(rows, key=lambda row: len(row[0]), reverse=True)

    def model(self, name: str) -> Service | None:
        """Whose model it is, by how its name begins."""
        if len(name) > MOST_NAME or not re.fullmatch(r"[\w.:/@-]*\w", name):
            return None
        if not self._models.match(name):
            return None
        low = name.lower()
        return next((service for begins, service in self._model_rows if begins in low), None)

    @cached_property
    def _signs(self) -> dict[str, list[tuple[frozenset[str], tuple[str, ...]]]]:
        """What code that names a thing has in it, by the longest word of that: see ``_sign``."""
        named = [(name, value) for name in _IN_CODE for value, _ in self._rows(name)]
        named += [("call", call.name) for call in self.calls]
        named += [("way", text) for one in self.addresses for text in (*one.labels, *one.paths)]
        named += [("way", str(port)) for one in self.addresses for port in one.ports]
        signs: dict[str, list[tuple[frozenset[str], tuple[str, ...]]]] = {}
        for kind, value in (*named, *_CALLED):
            words, texts = _sign(kind, value.lower())
            signs.setdefault(max(words, key=len), []).append((words, texts))
        return signs

    def may_name(self, text: str) -> bool:
        """Whether code or settings in ``text`` can be of this catalog: most files end here."""
        low = text.lower()
        words = words_of(low)
        for word in words & self._signs.keys():
            for together, texts in self._signs[word]:
                if together <= words and (not texts or any(one in low for one in texts)):
                    return True
        return _BY_NAME.search(text) is not None


def _sign(kind: str, value: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words that stand in code that names ``value``, and texts one of which does.

    Hosts and modules may be put together from parts, so of them there are only the words.
    """
    plain = value.partition(":")[0] if kind == "python" else value
    words = frozenset(words_of(plain)) or frozenset({plain})
    if kind == "python" and len(words) == 1:
        return words, tuple(before + plain for before in ("import ", "from ", "'", '"', ", "))
    if kind == "call":
        return words, (value.rpartition(".")[2],)
    if kind in _WHOLE and "*" not in value:
        return words, (value,)
    return words, ()


def package_key(registry: str, name: str) -> str:
    """The one form of a package's name in its registry."""
    low = name.lower()
    return re.sub(r"[-_.]+", "-", low) if registry == "pypi" else low


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


def words_of(text: str) -> set[str]:
    """The words of ``text``, which is in lower case, taken apart at every sign."""
    return set(re.findall(r"[a-z0-9]+", text))
