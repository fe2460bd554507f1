"""The upstream services of a workspace: where they are, which models they have, whose key opens.

services/NAME.json    name, address, models, and the sealed credential; one file per service

A service is an asset of its own, addressed by the digest of its name, address and models: another
address or model is another asset, which nobody has approved yet. What is sealed is bound to that
digest, so a credential never goes to another address than the one that it was given for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cipherset.app.gate.about import About
from cipherset.core import canonical
from cipherset.core.errors import InputError, IntegrityError, UsageError
from cipherset.core.files import create_atomic, disk_errors
from cipherset.custody.policy import Kind

FOLDER: Final = "services"
SCHEMA: Final = "cipherset/service/1"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}")
_MOST_URL: Final = 400


@dataclass(frozen=True, slots=True)
class Address:
    """The name of a service, the base of its addresses (``https://host/v1``), and its models."""

    name: str
    url: str
    models: tuple[str, ...]

    @classmethod
    def checked(cls, name: str, url: str, models: Sequence[str]) -> "Address":
        """The same in one form, if it can be one.

        Raises:
            UsageError: ``service_name``, ``service_models``.
            InputError: ``service_url``.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                "that cannot be the name of a service",
                code="service_name",
                hint="small letters, digits and . _ -, for example: chat",
            )
        if not models or not all(map(_MODEL.fullmatch, models)):
            raise UsageError(
                "a service has models, each called by letters, digits and . _ : @ / + -",
                code="service_models",
                hint="give --model once for each model that may be asked",
            )
        return cls(name, checked_url(url), tuple(sorted(set(models))))

    @property
    def id(self) -> str:
        """The digest of all of it."""
        return canonical.digest(
            {"models": list(self.models), "name": self.name, "schema": SCHEMA, "url": self.url}
        )

    @property
    def about(self) -> About:
        """What an act with it is about."""
        return About(Kind.SERVICE, self.id, self.name)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    schema_: str = Field(alias="schema", pattern=f"^{SCHEMA}$")
    name: str
    url: str
    models: tuple[str, ...] = Field(min_length=1)
    sealed: str | None = Field(default=None, pattern="^[0-9a-f]+$", repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A service as it is kept; ``sealed`` is its credential, None where it takes none."""

    address: Address
    sealed: bytes | None = None


def checked_url(url: str) -> str:
    """``url`` without what stands at its end for nothing.

    Raises:
        InputError: ``service_url``: neither https nor http on this machine, or more than a place.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_url("it is no address") from None
    if len(url) > _MOST_URL or not url.isascii() or not url.isprintable() or " " in url or not host:
        raise _bad_url("it is no address")
    if _has_more(parts):
        raise _bad_url("it holds a name, a password, a query or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here(host)):
        raise _bad_url("it is neither https, nor http on this machine")
    if _is_nowhere(host):
        raise _bad_url("no service is at that address")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def is_here(host: str) -> bool:
    """Whether ``host`` is this very machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def find(home: Path, name: str) -> Kept | None:
    """The service of that name; None where there is none.

    Raises:
        IntegrityError: ``service_file``.
        BackendError: it cannot be read.
    """
    path = _path(home, name)
    if not _NAME.fullmatch(name):
        return None
    with disk_errors(path):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        stored = _Stored.model_validate_json(raw)
        address = Address.checked(stored.name, stored.url, stored.models)
    except (ValidationError, InputError, UsageError):
        raise _changed(path) from None
    if address.name != name:
        raise _changed(path)
    return Kept(address, None if stored.sealed is None else bytes.fromhex(stored.sealed))


def all_kept(home: Path) -> list[Kept]:
    """Every service, by name.

    Raises: as ``find``.
    """
    with disk_errors(home / FOLDER):
        names = sorted(path.stem for path in (home / FOLDER).glob("[!.]*.json"))
    found = (find(home, name) for name in names)
    return [one for one in found if one is not None]


def keep(home: Path, kept: Kept) -> bool:
    """Whether it was kept; False where there is one of that name already.

    Raises:
        BackendError: the disk is full or not writable.
    """
    address = kept.address
    stored = _Stored(
        schema=SCHEMA,
        name=address.name,
        url=address.url,
        models=address.models,
        sealed=None if kept.sealed is None else kept.sealed.hex(),
    )
    path = _path(home, address.name)
    with disk_errors(path):
        path.parent.mkdir(exist_ok=True, mode=0o700)
    raw = canonical.encode(stored.model_dump(mode="json", by_alias=True, exclude_none=True))
    return create_atomic(path, raw)


def drop(home: Path, name: str) -> None:
    """Keep it no more, nor its credential."""
    path = _path(home, name)
    with disk_errors(path):
        path.unlink(missing_ok=True)


def unknown(name: str) -> UsageError:
    """The refusal of a service that is not there."""
    shown = name if _NAME.fullmatch(name) else "that"
    return UsageError(
        f"there is no service of the name {shown}",
        code="service_unknown",
        hint="see which there are: cipherset service list; a model is called SERVICE/MODEL",
    )


def _path(home: Path, name: str) -> Path:
    return home / FOLDER / f"{name}.json"


def _has_more(parts: SplitResult) -> bool:
    return bool(parts.username or parts.password or parts.query or parts.fragment) or (
        "@" in parts.netloc
    )


def _is_nowhere(host: str) -> bool:
    """Whether it is an address that no service has: where clouds tell secrets, or none at all."""
    try:
        found = ip_address(host)
    except ValueError:
        return False
    return found.is_link_local or found.is_multicast or found.is_unspecified


def _bad_url(why: str) -> InputError:
    return InputError(
        f"the address of the service cannot be used: {why}",
        code="service_url",
        hint="give the base of its addresses, for example https://llm.example/v1",
    )


def _changed(path: Path) -> IntegrityError:
    return IntegrityError(
        f"{path} does not describe a service of this version",
        code="service_file",
        hint="remove the file, and add the service again",
    )
