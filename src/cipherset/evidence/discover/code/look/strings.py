"""What one text of code or configuration gives away: an address, a credential, a model, a prompt.

Of a credential only whose it is; of an address only the host.
"""

import re
from collections.abc import Iterator
from typing import Final

from cipherset.evidence.discover.code.catalog import Catalog
from cipherset.evidence.discover.code.found import Hit, Kind

HELD: Final = "a value is held here (not shown)"
NAMED: Final = "named here; its value is elsewhere"
_URL: Final = re.compile(
    r"(?:https?|wss?|grpc)://(?:[^/@\s]{1,200}@)?(\[[0-9a-fA-F:]{2,40}\]|[\w.*-]{1,253})"
    r"(?::([\w*$\{\}-]{1,40}))?([/?#:][^\s\"'<>]{0,2000})?",
    re.ASCII,
)
_FILLED: Final = re.compile(
    r"\$?\{\{?[^{}\"'`]{0,200}\}\}?|\#\{[^{}\"'`]{0,200}\}|\$\(?\w+\)?|\\\(\w[\w.]{0,80}\)|%[sdv](?!\w)"
)
_PLACEHOLDER: Final = re.compile(
    r"your|example|change|replace|insert|dummy|fake|placeholder|redacted|todo|x{4}|\*{3}|\.\.\.|"
    r"<|>|\$|\{\{|%\(|0{8}|1234567|abcdef|_key_here|test-?key",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"(?:vault|arn|op|env|secret|ssm|sops|awssm|gcpsm|projects|keyvault|file|doppler|infisical)[:/]",
    re.IGNORECASE,
)
# What clients call the key that they are handed, and how keys of OpenAI and those like it look.
_KEY_NAME: Final = re.compile(r"(?:\w+_)?(?:API_?KEY|API_TOKEN|AUTH_TOKEN)")
_KEY: Final = re.compile(r"sk-[A-Za-z0-9]{20,200}")
_OF_A_NAME: Final = re.compile(r"[A-Z0-9]*_[A-Z0-9_]*|[a-z]+(?:[_-][a-z0-9]+)+")
_LEAST_KEY: Final = 16
_LEAST_LETTERS: Final = 8  # different ones, or it is no credential
# A text that tells a model what to be; of a person one says it otherwise.
_ROLE: Final = re.compile(
    r"\byou(?:'re| are) (?:an? |the )?(?:\w+[ ,-]+){0,5}?(?:assistant|agent|expert|bot|chatbot|ai|"
    r"analyst|engineer|tutor|translator|reviewer|copilot|classifier|writer|editor|model|specialist|"
    r"advisor|lawyer|doctor|summarizer|planner|moderator)\b|\bact as (?:an? |the )\w+|"
    r"\byour (?:task|role|job) is to\b|\bas an? (?:ai|llm|language model)\b|"
    r"\b(?:respond|reply|answer|return) (?:only )?(?:with|in|as) (?:valid |a )?json\b|"
    r"\b(?:summari[sz]e|classify|translate|rewrite) the following\b",
    re.IGNORECASE,
)
_LIKE_A_NAME: Final = re.compile(r"[\w.:-]{3,}")
_LEAST_MODEL: Final = 5
_MOST_NAME: Final = 120
_LEAST_PROMPT: Final = 24
_MOST_SEARCHED: Final = 20_000


def address_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The service or model server that the address ``text`` is of: one, or none."""
    text = filled(text)
    match = _URL.match(text)
    if match is None:
        yield from _way_hits(text, known, line)
        return
    host, port, path = match[1].lower(), match[2] or "", match[3] or ""
    service = known.host(host)
    if service is not None:
        yield Hit(Kind.ENDPOINT, host, line, "address", service.name)
        return
    what = _served(host, port, path, known)
    if what:
        shown = f"{host}:{port}" if port else host
        yield Hit(Kind.ENDPOINT, f"{what} at {shown}", line, "address", what)


def filled(text: str) -> str:
    """``text`` with ``*`` where a language or a template puts something in."""
    return _FILLED.sub("*", text) if any(sign in text for sign in "{$%(") else text


def _way_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """What a way without a host, or with one that is not known here, leads to."""
    if text[:1] not in {"*", "/"} or len(text) > _MOST_NAME or not text.isprintable():
        return
    for address in known.addresses:
        if " " not in text and any(end in text for end in address.paths):
            yield Hit(
                Kind.ENDPOINT, f"{address.what} at *", line, "path of an address", address.what
            )
            return


def _served(host: str, port: str, path: str, known: Catalog) -> str:
    labels = set(host.split("."))
    for address in known.addresses:
        at_port = port.isdigit() and int(port) in address.ports and path.startswith(address.under)
        by_path = any(end in path for end in address.paths)
        if at_port or by_path or (labels & set(address.labels) and "." not in host):
            return address.what
    return ""


def host_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The service whose bare host ``text`` is."""
    bare = text.partition(":")[0]
    service = known.host(bare)
    if service is not None:
        yield Hit(Kind.ENDPOINT, bare.lower(), line, "host", service.name)


def credential_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """Credentials in ``text`` that begin as those of a known service do."""
    for match in known.key_value.finditer(text[:_MOST_SEARCHED]):
        if is_credential(match[0].removeprefix(match[1])):
            service = known.key_owner[match[1]]
            yield Hit(Kind.KEY, f"{service.name} credential", line, HELD, service.name)


def variable_hits(name: str, value: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The credential that a setting called ``name`` holds, or names, if it is one of a service."""
    if len(name) > _MOST_NAME or not _LIKE_A_NAME.fullmatch(name):
        return
    parts = variable(name).split("_")
    for first in range(len(parts)):
        service = known.variables.get("_".join(parts[first:]))
        if service is not None:
            how = HELD if is_credential(value) else NAMED
            yield Hit(Kind.KEY, f"{service.name} credential", line, how, service.name)
            return


def variable(name: str) -> str:
    """``name`` as an environment variable would be called: ``openai.apiKey`` is OPENAI_API_KEY."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", parted).upper()


def is_credential(value: str) -> bool:
    """Whether ``value`` is one, and not a placeholder or a reference to where it is kept."""
    return (
        _LEAST_KEY <= len(value) <= 1000
        and not re.search(r"\s", value)
        and not _PLACEHOLDER.search(value)
        and not _REFERENCE.match(value)
        and len(set(value)) >= _LEAST_LETTERS
    )


def is_key_name(name: str) -> bool:
    """Whether what is called ``name`` is the key of a client."""
    return len(name) <= _MOST_NAME and _KEY_NAME.fullmatch(variable(name)) is not None


def looks_like_key(value: str) -> bool:
    """Whether ``value`` begins as the keys of many services do, and is long enough for one."""
    return _KEY.fullmatch(value) is not None


def is_held(value: str) -> bool:
    """Whether ``value`` is a credential, and not words or a name in its place."""
    has_digit = any(sign.isdigit() for sign in value)
    return (
        has_digit
        and is_credential(value)
        and (looks_like_key(value) or not _OF_A_NAME.fullmatch(value))
    )


def model_hits(name: str, value: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The model that a setting called ``name`` chooses."""
    if not re.search(r"model|engine|deployment|llm|^from$", name, re.IGNORECASE):
        return
    service = known.model(value)
    if service is not None:
        yield Hit(Kind.MODEL, value, line, "chosen by name", service.name)


def named_model_hits(text: str, known: Catalog, line: int) -> Iterator[Hit]:
    """The model that ``text`` is the name of, where nothing else says that it is one."""
    if len(text) > _LEAST_MODEL and re.search(r"\d", text) and re.search(r"[-:/]", text):
        service = known.model(text)
        if service is not None:
            yield Hit(Kind.MODEL, text, line, "named", service.name)


def is_prompt(text: str) -> bool:
    """Whether ``text`` tells a model what to be."""
    return len(text) >= _LEAST_PROMPT and _ROLE.search(text[:_MOST_SEARCHED]) is not None


def nameable(value: str) -> str:
    """``value`` if it can be the name of a model or dataset; empty otherwise."""
    return value if re.fullmatch(r"[\w.:/@+=*{} -]{1,200}", value) else ""
