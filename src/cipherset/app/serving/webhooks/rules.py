"""Which predictions call whom, by the owner's own file; nobody who asks can name an address.

webhooks.toml in the workspace
[[webhook]]
model = "router"
label = "complaint"
at_least = 0.8                        # 0 calls for each, and asks for no probability
url = "https://desk.example/alerts"
secret-file = "alerts.secret"         # mode 0600: whsec_ and base64 of at least 24 bytes
"""

import base64
import binascii
import tomllib
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.custody.keys.providers.private import read_credential

WEBHOOKS_FILE: Final = "webhooks.toml"
_PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24  # Standard Webhooks 1.0.0: between 24 and 64 bytes


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str = Field(min_length=1)
    label: str
    at_least: Annotated[float, Field(ge=0, le=1)]
    url: str
    secret_file: str = Field(alias="secret-file")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    webhook: list[_Entry] = []


@dataclass(frozen=True, slots=True)
class Rule:
    """Whoever is at ``url`` hears of ``label`` from ``at_least`` on, signed with ``secret``."""

    model: str
    label: str
    at_least: float
    url: str
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What stands for it in the spool and the ledger."""
        told = {"model": self.model, "label": self.label, "url": self.url}
        secret = canonical.digest_bytes(self.secret)
        return canonical.digest({**told, "at_least": repr(self.at_least), "secret": secret})


def read_rules(home: Path) -> tuple[Rule, ...]:
    """The rules of a workspace; none where it has no such file.

    Raises:
        InputError: ``webhooks_file``, ``webhook_url``, ``webhook_secret``.
        KeyAccessError: the secret's file is missing, or others may read it.
    """
    path = home / WEBHOOKS_FILE
    with disk_errors(path):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    try:
        found = _File.model_validate(tomllib.loads(text))
    except (ValidationError, tomllib.TOMLDecodeError):
        raise InputError(
            f"{path} is not a list of webhooks",
            code="webhooks_file",
            hint="each [[webhook]] has model, label, at_least, url and secret-file",
        ) from None
    return tuple(
        Rule(
            each.model, each.label, each.at_least, _url(each.url), _secret(home / each.secret_file)
        )
        for each in found.webhook
    )


def _url(text: str) -> str:
    """An address over TLS, or on this machine; without a name or password in it."""
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))
    if not is_safe or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise InputError(
            "the address of a webhook is not one that can be called",
            code="webhook_url",
            hint="https://HOST/PATH, or http://127.0.0.1:PORT/PATH, without a user in it",
        )
    return text


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secret(path: Path) -> bytes:
    line = read_credential(path)
    try:
        raw = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raw = b""
    if not line.startswith(_PREFIX) or len(raw) < _LEAST_BYTES:
        raise InputError(
            f"{path} does not hold a webhook's secret",
            code="webhook_secret",
            hint=f"{_PREFIX} and base64 of {_LEAST_BYTES} random bytes or more",
        )
    return raw
