"""A gateway in this process: a workspace, who asks, and a client that goes through every layer."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.requests import Request
from starlette.testclient import TestClient

from cipherset.app import keys
from cipherset.app.access.init import init
from cipherset.app.access.permissions import active
from cipherset.app.access.principals import Change, add
from cipherset.app.workspace import Session, hold
from cipherset.core import canonical
from cipherset.core.manifest import BundleManifest, CiphersetRef, ModelKind, Task, manifest_bytes
from cipherset.custody.ledger import Event, Ledger
from cipherset.custody.policy import Authenticated, BuiltIn
from cipherset.interfaces.cli.output import TerminalProgress
from cipherset.interfaces.http.app import build_app
from cipherset.interfaces.http.identity.claimed import ClaimedIdentity
from cipherset.interfaces.http.identity.known import Known, unidentified
from cipherset.interfaces.http.limits import DEFAULT_LIMITS, RequestLimits
from cipherset.interfaces.http.services import Services

HOST = "http://127.0.0.1"
WHO = "X-Test-Certificate"
TEAM = {
    "dora": "data-owner",
    "rita": "reviewer",
    "cora": "reviewer",
    "eve": "auditor",
    "ivan": "ingester",
    "kim": "key-custodian",
    "sam": "scientist",
}


class ShownIdentity:
    """Whoever shows a certificate with their name in it; here a header stands for the handshake."""

    def identify(self, request: Request) -> Known:
        name = request.headers.get(WHO)
        if not name:
            raise unidentified()
        return Known(name, Authenticated.CERTIFICATE, "127.0.0.1")


def team_in(home: Path, public_key: str) -> None:
    """A workspace under ``team`` with a key and one person for each piece of the work.

    Cora has a key of her own.
    """
    root = Session(home, "root", home.parent, TerminalProgress())
    init(root, BuiltIn.TEAM)
    for name, role in TEAM.items():
        add(root, Change(name, (role,), public_key=public_key if name == "cora" else None))
    keys.create(replace(root, actor="kim"), "support", purpose="tests", provider=None)


@dataclass(frozen=True)
class Gateway:
    home: Path
    client: TestClient

    def as_(self, name: str) -> dict[str, str]:
        """The headers of somebody who is known by that name."""
        return {WHO: name}

    def events(self, action: str | None = None) -> list[Event]:
        with Ledger(f"sqlite:///{self.home / 'ledger.sqlite'}") as ledger:
            return [e for e in ledger.events() if action is None or e.action == action]


@contextmanager
def gateway(
    home: Path,
    *,
    limits: RequestLimits = DEFAULT_LIMITS,
    claimed: bool = False,
    entered: bool = True,
) -> Iterator[Gateway]:
    """The workspace in ``home``, served; ``claimed``: to one person, by their own word.

    ``entered``: the app is up; otherwise somebody else brings it up.
    """
    session = Session(home, "root", home.parent, TerminalProgress())
    with hold(session) as held:
        identity = ClaimedIdentity("root", lambda: active(held).limits.grants.self_approval)
        services = Services(held, identity if claimed else ShownIdentity(), limits)
        app = build_app(services)
        client = TestClient(
            app, base_url=HOST, client=("127.0.0.1", 50_000), raise_server_exceptions=False
        )
        with client if entered else nullcontext():
            yield Gateway(home, client)


def upload(cipherset: str) -> dict[str, str]:
    """A bundle that names an export; its model is none."""
    onnx = b"no model"
    manifest = BundleManifest(
        created="2026-01-01T00:00:00Z",
        model=ModelKind.EXTERNAL,
        task=Task.CLASSIFICATION,
        classes=("a", "b"),
        value_range=None,
        scheme="rsap/1",
        key_id="support-0011223344556677",
        key_version=1,
        key_check="00" * 16,
        dim=2,
        trained_on=CiphersetRef(cipherset_id="0" * 32, manifest=cipherset),
        at_gate=False,
        metrics={},
        label=None,
        onnx=canonical.digest_bytes(onnx),
        packages={},
    )
    return {
        "cipherset": cipherset,
        "manifest": manifest_bytes(manifest).decode(),
        "onnx": b64encode(onnx).decode(),
    }


def error_of(response) -> tuple[int, str]:
    """Status and code of a refusal; the body has the one shape."""
    found = response.json()
    assert set(found) == {"error"}
    # Clients of OpenAI's API are told a type too.
    assert set(found["error"]) - {"type"} == {"code", "message", "hint"}
    return response.status_code, found["error"]["code"]
