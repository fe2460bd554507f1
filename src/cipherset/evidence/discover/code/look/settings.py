"""One setting of a configuration, whatever format it stands in: its name, its value, its place."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.found import Hit, Kind
from cipherset.evidence.discover.code.look.strings import (
    NAMED,
    address_hits,
    credential_hits,
    host_hits,
    is_prompt,
    model_hits,
    variable_hits,
)

_HOST_NAMES: Final = re.compile(r"host|url|uri|endpoint|base|api|server|domain", re.IGNORECASE)
_PROMPT_NAMES: Final = re.compile(r"prompt|system|instruction|persona|backstory", re.IGNORECASE)
_VARIABLE_NAMES: Final = re.compile(
    r"^(?:name|key|secret|variable|env|from|\w*env(?:var)?)$", re.IGNORECASE
)
_PROVIDER_NAMES: Final = re.compile(
    r"^(?:\w*provider|api_type|llm|vendor|backend|embedder)$", re.IGNORECASE
)
_IMAGE_NAMES: Final = re.compile(r"image|repository|^from$", re.IGNORECASE)
_MCP: Final = re.compile(
    r"(?:^|\.)(?:mcpServers|mcp_servers|mcp\.servers|context_servers)\.([^.]{1,100})\."
    r"(?:command|url|httpUrl|serverUrl|type)$"
)
_MCP_FILE: Final = re.compile(r"^servers\.([^.]{1,100})\.(?:command|url|type)$")
_CLEAN: Final = re.compile(r"[\"'`,\[\]]+")


def look_setting(way: Sequence[str], value: str, known: Catalog, line: int) -> Iterator[Hit]:
    """What the setting at ``way`` (its names, the outer first) gives away with ``value``."""
    name = way[-1] if way else ""
    whole = ".".join(way[-3:])
    yield from address_hits(value, known, line)
    yield from variable_hits(whole, value, known, line)
    yield from credential_hits(value, known, line)
    if len(value) > 300:
        if _PROMPT_NAMES.search(name) and is_prompt(value):
            yield Hit(Kind.PROMPT, name, line, "a text that tells a model what to be")
        return
    yield from model_hits(".".join(way[-2:]), value, known, line)
    yield from _own(way, known, line)
    if _VARIABLE_NAMES.match(name) and re.fullmatch(r"[\w-]{5,80}", value):
        yield from (hit for hit in variable_hits(value, "", known, line) if hit.how == NAMED)
    if _HOST_NAMES.search(name):
        yield from host_hits(value, known, line)
    if _IMAGE_NAMES.search(name):
        yield from image_hits(value, known, line)
    if _PROMPT_NAMES.search(name) and is_prompt(value):
        yield Hit(Kind.PROMPT, name, line, "a text that tells a model what to be")
    yield from _provider(name, value, known, line)


def _own(way: Sequence[str], known: Catalog, line: int) -> Iterator[Hit]:
    """A setting that a library calls its own."""
    for begins, service in known.settings.items():
        if f"{'.'.join(way)}.".startswith(f"{begins}."):
            yield Hit(service.kind, service.name, line, f"settings of {begins}", service.name)


def _provider(name: str, value: str, known: Catalog, line: int) -> Iterator[Hit]:
    if not _PROVIDER_NAMES.match(name):
        return
    service = known.provider(value)
    if service is not None:
        yield Hit(service.kind, service.name, line, f"{name} of a configuration", service.name)


def image_hits(value: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The model server whose container image ``value`` is."""
    bare = value.strip().split(" ")[0] if value else ""
    service = known.image(bare)
    if service is not None:
        yield Hit(Kind.SERVER, service.name, line, "container image", service.name)


def command_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """What runs or trains models and is started, in the form of a shell or of a list."""
    plain = re.sub(r"\s+", " ", _CLEAN.sub(" ", text))
    for match in known.command.finditer(plain):
        service = known.commands[match[1]]
        kind = Kind.LIBRARY if service.kind is Kind.LIBRARY else Kind.SERVER
        yield Hit(kind, service.name, line, f"command: {match[1]}", service.name)


def infra_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The kinds of resources of clouds and clusters that run or call models."""
    for match in known.resource.finditer(text.lower()):
        service = known.infra[match[1]]
        yield Hit(service.kind, match[1], line, "resource of a deployment", service.name)


def mcp_hits(way: Sequence[str], value: str, file_name: str, line: int) -> Iterator[Hit]:
    """The server of the Model Context Protocol that a setting begins to describe."""
    whole = ".".join(way)
    match = _MCP.search(whole)
    if match is None and "mcp" in file_name.lower():
        match = _MCP_FILE.match(whole)
    if match is not None:
        yield Hit(Kind.MCP, match[1], line, f"MCP server, {_launcher(value)}")


def _launcher(value: str) -> str:
    """By what it is reached: the host of an address, or the name of a program."""
    address = re.match(r"https?://(?:[^/@\s]*@)?([\w.-]+)", value)
    if address is not None:
        return f"at {address[1]}"
    program = re.search(r"([\w.-]{1,60})$", value)
    return f"by {program[1]}" if program else "by a program"
