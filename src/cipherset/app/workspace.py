"""The owner's folder: key ring, ledger, and what is sealed beside them; made on first use.

workspace.json    schema, and whether duties were ever parted here; the latter beside the keys too
kek, keys/        the key ring
ledger.sqlite     what happened, unless a server keeps it
head.json         where the ledger ended when it was last seen; beside the keys too
minimizers/       one sealed minimizer per key version
vectors/          sealed: what was embedded before, per key version and encoder
exports/ID/       per export, sealed: source vectors, row map, columns and settings
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import Signer

from cipherset.app.gate import Gate, KeptPolicies, Who, unheard
from cipherset.core import canonical
from cipherset.core.envelope import fingerprint, public_key_of
from cipherset.core.environment import NOWHERE, Environment
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import disk_errors, write_atomic
from cipherset.core.protocols import Progress
from cipherset.custody.keys import KeyRing
from cipherset.custody.keys.ring import SIGNER_FILE
from cipherset.custody.ledger import Heads, Ledger
from cipherset.custody.policy import Authenticated

SCHEMA: Final = "cipherset/workspace/1"


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace; made by ``open_workspace`` only."""

    home: Path
    ring: KeyRing
    gate: Gate
    store_password: str | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        """Of the key that signs here."""
        return fingerprint(public_key_of(self.ring.signer()))

    @property
    def exports(self) -> Path:
        """One folder per export, sealed."""
        return self.home / "exports"

    @property
    def minimizers(self) -> Path:
        """One sealed file per key version."""
        return self.home / "minimizers"


@dataclass(frozen=True, slots=True)
class LedgerAddress:
    """Where a ledger is: a URL without a password, and the password beside it."""

    url: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A ledger that is kept open for many sessions at once, and the policies that were parsed.

    ``signer_key`` is the public key of who signs here, once it was read.
    """

    ledger: Ledger
    policies: KeptPolicies
    signer_key: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks, in which workspace, where downloads are, who is told of progress, and from where.

    Of an environment that nobody gave nothing is known, so a key that is bound to one is refused.
    ``signer`` holds the principal's own private key, where there is one to prove the name with.
    The ledger is a file of the workspace where no address is given. ``store_password`` opens an
    index's store, where it takes one. ``network`` is the address
    that the one who asks is connected from, as the connection has it. ``held`` is what a process
    that answers many keeps open: see ``hold``. ``warn`` is told what must be known of an act that
    was allowed.
    """

    home: Path
    actor: str
    cache: Path
    progress: Progress
    environment: Environment = NOWHERE
    ledger: LedgerAddress | None = None
    store_password: str | None = field(default=None, repr=False)
    signer: Signer | None = field(default=None, repr=False)
    authenticated: Authenticated = Authenticated.CLAIMED
    emergency: str | None = None
    network: str | None = None
    held: Held | None = field(default=None, repr=False)
    warn: Callable[[str], None] = field(default=unheard, repr=False)

    @property
    def who(self) -> Who:
        """The one who asks, as the gate knows them."""
        return Who(self.actor, self.authenticated, self.emergency, self.signer, self.network)


@contextmanager
def open_workspace(session: Session) -> Iterator[Workspace]:
    """The session's workspace, created if it is not there, unless the session is held.

    Raises:
        IntegrityError: ``workspace.json`` is not one of ours; ``ledger_regressed``: the ledger
            was restored from an older copy, or cut.
        BackendError: the folder or the ledger cannot be written; ``workspace_gone``: it was there
            when the session was held.
    """
    home = session.home
    if session.held is None:
        _make(home)
    else:
        _check_there(home)
    with _held(session) as held:
        ring = KeyRing(home, admit=lambda key, use: gate.admit(key, use))
        key = held.signer_key or public_key_of(ring.signer())
        gate = Gate(
            held.ledger,
            session.who,
            session.environment,
            signer_key=key,
            policies=held.policies,
            warn=session.warn,
        )
        yield Workspace(home, ring, gate, session.store_password)


@contextmanager
def hold(session: Session) -> Iterator[Session]:
    """The session with its ledger kept open: what is replaced in it may be used by many threads.

    Each use opens the workspace with a gate of its own, so that no two callers share an act.

    Raises: as ``open_workspace``.
    """
    with open_workspace(session) as workspace:
        gate = workspace.gate
        yield replace(session, held=Held(gate.ledger, gate.kept, gate.signer_key))


@contextmanager
def _held(session: Session) -> Iterator[Held]:
    if session.held is not None:
        yield session.held
        return
    with open_ledger(session) as ledger:
        ledger.check_heads()
        yield Held(ledger, KeptPolicies(parted=is_parted(session.home)))


def open_ledger(session: Session) -> Ledger:
    """The session's ledger, created if it is not there; whether it goes on is not looked at.

    Raises:
        InputError: ``ledger_url``.
        IntegrityError: ``ledger_newer``, ``ledger_corrupt``.
        BackendError: the folder or the ledger cannot be written.
    """
    home = session.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = session.ledger or LedgerAddress(f"sqlite:///{home / 'ledger.sqlite'}")
    return Ledger(address.url, password=address.password, heads=heads_of(home))


def heads_of(home: Path) -> Heads:
    """What the workspace remembers of its ledger's end: two files, of which one is enough."""
    return Heads((home / "head.json", home / "keys" / "_head.json"))


def mark_parted(home: Path) -> None:
    """Remember that duties are parted here: a ledger that is lost is not to give all to one.

    Raises:
        BackendError: ``no_permission``, ``disk_full`` or ``disk``.
    """
    for path in _descriptions(home):
        write_atomic(path, canonical.encode({"parted": True, "schema": SCHEMA}))


def is_parted(home: Path) -> bool:
    """Whether that was ever remembered; one file is enough.

    Raises:
        IntegrityError: ``workspace_schema``.
    """
    return any(
        bool(_described(path).get("parted")) for path in _descriptions(home) if path.exists()
    )


def _make(home: Path) -> None:
    """The folder, with what is not in it yet."""
    with disk_errors(home):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in ("exports", "minimizers"):
            (home / folder).mkdir(exist_ok=True, mode=0o700)
    _check_description(home / "workspace.json")


def _check_there(home: Path) -> None:
    """Refuse where it is gone: a new one in its place would sign with another key."""
    path = home / "workspace.json"
    if not path.exists() or not (home / "keys" / SIGNER_FILE).exists():
        raise BackendError(
            f"{home} was moved or removed, or its keys were",
            code="workspace_gone",
            hint="put it back where it was; nothing was made in its place",
        )
    _described(path)


def _descriptions(home: Path) -> tuple[Path, Path]:
    """Beside the keys too, like the ledger's end."""
    return home / "workspace.json", home / "keys" / "_workspace.json"


def _check_description(path: Path) -> None:
    if not path.exists():
        write_atomic(path, canonical.encode({"schema": SCHEMA}))
    _described(path)


def _described(path: Path) -> dict[str, Any]:
    with disk_errors(path):
        raw = path.read_bytes()
    found = canonical.decode(raw, what=str(path))
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise IntegrityError(
            f"{path} does not describe a workspace of this version",
            code="workspace_schema",
            hint="give another --home, or upgrade cipherset",
        )
    return found
