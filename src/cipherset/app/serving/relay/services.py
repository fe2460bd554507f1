"""``service add``, ``list`` and ``remove``: proposed until approved, by somebody else if any."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.gate import Action, Fact
from cipherset.app.gate.assets import RETIRE, described
from cipherset.app.labels.record import recorded_run
from cipherset.app.serving.relay import registry
from cipherset.app.serving.relay.registry import Address, Kept
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import InputError, UsageError
from cipherset.core.files import disk_errors
from cipherset.custody.keys import service_sealer
from cipherset.custody.policy import Kind, Standing

OFFER: Final = "service"
_KEY: Final = re.compile(rb"[\x21-\x7e]{1,4096}")
_MOST_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class Offered:
    """A service and where it stands; of its credential, whether there is one."""

    address: Address
    status: Standing
    has_key: bool

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {
            "service": self.address.name,
            "asset": self.address.id,
            "url": self.address.url,
            "models": list(self.address.models),
            "status": self.status.value,
            "key": self.has_key,
        }


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """What is to be added; ``key_file`` holds the credential that the service takes."""

    name: str
    url: str
    models: Sequence[str]
    key_file: Path | None = field(default=None)


def add(session: Session, request: ServiceRequest) -> Offered:
    """Keep a service, which nobody may ask before it is approved.

    Raises:
        UsageError: ``service_name``, ``service_models``, ``service_exists``.
        InputError: ``service_url``, ``service_key``.
        PolicyError: ``not_allowed``.
        BackendError: a file cannot be read or written.
    """
    address = Address.checked(request.name, request.url, request.models)
    facts: dict[str, Fact] = {
        "url": address.url,
        "models": ",".join(address.models),
        "key": request.key_file is not None,
    }
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.SERVICE_ADD, address.name, facts, about=address.about),
    ):
        _offer(workspace, address, request.key_file)
        return _offered(workspace, Kept(address, b"" if request.key_file else None))


def list_services(session: Session) -> list[Offered]:
    """Every service, by name.

    Raises:
        IntegrityError: ``service_file``.
    """
    with open_workspace(session) as workspace:
        return [_offered(workspace, kept) for kept in registry.all_kept(workspace.home)]


def remove(session: Session, name: str) -> Address:
    """Keep the service and its credential no more; what asks it from now on is refused.

    Raises:
        UsageError: ``service_unknown``.
        PolicyError: ``not_allowed``.
    """
    with open_workspace(session) as workspace:
        kept = registry.find(workspace.home, name)
        if kept is None:
            raise registry.unknown(name)
        about = kept.address.about
        with (
            workspace.gate.act(Action.SERVICE_REMOVE, name, {}, about=about),
            recorded_run(workspace, RETIRE, [about.id], {}),
        ):
            registry.drop(workspace.home, name)
        return kept.address


def standing(workspace: Workspace, address: Address) -> Standing:
    """Where a service stands, asked without waiting for whoever writes."""
    ledger = workspace.gate.ledger
    return ledger.look(lambda work: described(work, address.about)).status


def credential(workspace: Workspace, kept: Kept) -> str | None:
    """The credential of a service, to be sent to its address and nowhere else.

    Raises:
        IntegrityError: ``unseal``: it was given for another address, or changed.
    """
    if kept.sealed is None:
        return None
    sealer = service_sealer(workspace.ring.signer())
    return sealer.unseal(kept.sealed, context=_context(kept.address)).decode("ascii")


def _offer(workspace: Workspace, address: Address, key_file: Path | None) -> None:
    sealed = None
    if key_file is not None:
        sealer = service_sealer(workspace.ring.signer())
        sealed = sealer.seal(_read_key(key_file), context=_context(address))
    attributes = {"url": address.url, "models": list(address.models)}
    workspace.gate.ledger.record_asset(
        address.id,
        actor=workspace.gate.actor,
        kind=Kind.SERVICE.value,
        name=address.name,
        attributes=attributes,
    )
    with recorded_run(workspace, OFFER, [], {}) as outputs:
        if not registry.keep(workspace.home, Kept(address, sealed)):
            raise UsageError(
                f"there is a service {address.name} already",
                code="service_exists",
                hint=f"choose another name, or first: cipherset service remove {address.name}",
            )
        outputs.append(address.id)


def _offered(workspace: Workspace, kept: Kept) -> Offered:
    return Offered(kept.address, standing(workspace, kept.address), kept.sealed is not None)


def _read_key(path: Path) -> bytes:
    with disk_errors(path), path.open("rb") as file:
        found = file.read(_MOST_BYTES).strip()
    if not _KEY.fullmatch(found):
        raise InputError(
            f"{path} does not hold the key of a service",
            code="service_key",
            hint="write the key alone into the file, in one line",
        )
    return found


def _context(address: Address) -> str:
    return f"service/{address.id}"
