"""Keys, through the gate."""

from typing import TypedDict

from cipherset.app.gate import Action
from cipherset.app.workspace import Session, open_workspace
from cipherset.custody.keys import KeyInfo


class KeyResult(TypedDict):
    """What may be told of a key."""

    key_id: str
    name: str
    version: int
    status: str
    provider: str
    purpose: str
    created: str


def create(session: Session, name: str, *, purpose: str, provider: str | None) -> KeyResult:
    """Create the key ``name``; UsageError where there is one of that name."""
    with open_workspace(session) as workspace:
        facts = {"name": name, "provider": provider}
        with workspace.gate.act(Action.KEY_CREATE, name, facts) as act:
            info = workspace.ring.create(name, purpose=purpose, provider_uri=provider)
            act.facts["key_id"] = info.key_id
    return _result(info)


def list_keys(session: Session) -> list[KeyResult]:
    """Every key of the workspace, by name."""
    with open_workspace(session) as workspace:
        return [_result(info) for info in workspace.ring.list()]


def show(session: Session, name: str) -> KeyResult:
    """The key ``name``; KeyAccessError where there is none."""
    with open_workspace(session) as workspace:
        return _result(workspace.ring.get(name))


def _result(info: KeyInfo) -> KeyResult:
    return KeyResult(
        key_id=info.key_id,
        name=info.name,
        version=info.version,
        status=str(info.status),
        provider=info.provider,
        purpose=info.purpose,
        created=info.created,
    )
