"""The checks of ``doctor``. Each looks, changes nothing, and says what would mend it.

A workspace that is not there is none of its business to make.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from cipherset.app.audit.verify import verify
from cipherset.app.encoders import DEFAULT_ENCODER, catalog
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core.errors import CiphersetError
from cipherset.custody.ledger.access import principals
from cipherset.pipeline.encrypt import noise_engine

# Packages of the extras, and what they are for.
_EXTRAS: Final = (
    ("pkcs11", "pkcs11", "keys in an HSM"),
    ("awskms", "boto3", "keys wrapped by a KMS"),
    ("hcvault", "hvac", "keys wrapped by a vault"),
    ("keyring", "keyring", "keys opened by the system's keyring"),
    ("names", "spacy", "names found by a model"),
    ("ray", "ray", "stages on many machines"),
    ("openvino", "openvino", "vectors of bfloat16, on processors that multiply it"),
    ("postgres", "psycopg", "a ledger that several gateways share"),
)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at; ``hint`` says what to do, or what is so. Not needed is not wrong."""

    name: str
    ok: bool
    hint: str
    is_needed: bool = True

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        return {"name": self.name, "ok": self.ok, "hint": self.hint, "needed": self.is_needed}


def examine(session: Session) -> list[Check]:
    """Everything that there is to look at here."""
    return [*_installed(session), *_workspace(session)]


def _installed(session: Session) -> Iterator[Check]:
    compiled = noise_engine() == "compiled"
    yield Check(
        "noise engine",
        compiled,
        "compiled"
        if compiled
        else "numpy makes it, at half the speed: install gcc, then reinstall",
        is_needed=False,
    )
    here = next(info for info in catalog(session.cache) if info.name == DEFAULT_ENCODER)
    yield Check(
        f"encoder {here.name}",
        here.cached,
        str(here.path) if here.cached else f"cipherset encoder get {here.name}",
    )
    for extra, package, purpose in _EXTRAS:
        there = find_spec(package) is not None
        yield Check(
            f"extra {extra}",
            there,
            purpose if there else f"for {purpose}: pip install 'cipherset[{extra}]'",
            is_needed=False,
        )


def _workspace(session: Session) -> Iterator[Check]:
    home = session.home
    if not (home / "workspace.json").exists():
        yield Check("workspace", ok=False, hint=f"none at {home}: cipherset init", is_needed=False)
        return
    yield _private("workspace", home, "700")
    if (home / "kek").exists():
        yield _private("kek", home / "kek", "600")
    try:
        chain = verify(session, None, None)
        yield Check(
            "ledger",
            chain["valid"],
            f"{chain['events']} events" if chain["valid"] else chain["because"],
        )
        with open_workspace(session) as workspace:
            yield from _kept(workspace)
    except CiphersetError as error:
        yield Check("workspace opens", ok=False, hint=f"{error.message}; {error.hint}")


def _kept(workspace: Workspace) -> Iterator[Check]:
    ledger = workspace.gate.ledger
    policies = ledger.transact(workspace.gate.policies)
    alone = policies.limits.grants.self_approval
    told = "one person may do everything; to part duties: cipherset init --policy team elsewhere"
    yield Check("policies", ok=True, hint=told if alone else policies.digest)
    if not alone:
        names = [
            each.name
            for each in ledger.transact(lambda transaction: principals(transaction.connection))
            if each.public_key is None
        ]
        yield Check(
            "principals prove who they are",
            not names,
            f"a name is enough for {', '.join(names)}: cipherset principal key FILE"
            if names
            else "each has a key",
            is_needed=False,
        )
    yield from _keys(workspace)


def _keys(workspace: Workspace) -> Iterator[Check]:
    for key in workspace.ring.list():
        beside = key.provider == "file:kek"
        yield Check(
            f"key {key.name}",
            not beside,
            "what unwraps it lies beside it: whoever copies the workspace has it; use "
            "file:?passphrase-file=, a keyring, an HSM or a KMS (cipherset key rotate --provider)"
            if beside
            else key.provider,
            is_needed=False,
        )


def _private(name: str, path: Path, mode: str) -> Check:
    is_private = not path.stat().st_mode & _OTHERS
    return Check(name, is_private, str(path) if is_private else f"not private: chmod {mode} {path}")
