"""What there is to attack: exports that left, models that answer, and the guards before both.

An export is looked for where it was put; of one that was moved, somebody must say where it is.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

from cipherset.app.assess.finding import suite_digest
from cipherset.app.assets.deploy import MODELS
from cipherset.app.gate import About, Action
from cipherset.app.gate.assets import described
from cipherset.app.gate.subjects import MANIFEST, MODEL, about_bundle, about_cipherset
from cipherset.app.serving.relay.rules import RULES_FILE as GUARD_FILE
from cipherset.app.serving.sanitizing import RULES_FILE as SANITIZE_FILE
from cipherset.app.workspace import Workspace
from cipherset.core import canonical
from cipherset.core.errors import CiphersetError, UsageError
from cipherset.core.files import disk_errors
from cipherset.custody.keys.identity import source_identity
from cipherset.custody.ledger import Outcome, Transaction
from cipherset.custody.ledger.records import events_of
from cipherset.custody.policy import Kind, Standing
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.train import load_bundle

GUARDS: Final = "the gateway's guards"
_CODE: Final = ("cipherset.guard", "cipherset.pipeline.sanitize", "cipherset.app.redteam")
_SHORT: Final = 8
_CHUNK: Final = 1 << 20
_STOPPED: Final = (Standing.SUSPENDED, Standing.RETIRED)


class What(StrEnum):
    """What is attacked."""

    EXPORT = "export"
    MODEL = "model"
    GUARD = "guard"


@dataclass(frozen=True, slots=True)
class Target:
    """One of them; ``place`` is where it is, the workspace for the guards.

    By its ``name`` a later run knows it again, whatever its digest is then.
    """

    what: What
    about: About
    place: Path
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """The targets, by kind and name; ``missing`` says of what else why it is not attacked."""

    targets: tuple[Target, ...]
    missing: tuple[str, ...]


def find_targets(workspace: Workspace, places: Sequence[Path]) -> Found:
    """Everything that can be attacked here, and what is in ``places``.

    Raises:
        UsageError: ``redteam_target``: there is neither an export nor a model in a place.
        IntegrityError, InputError: what is there was changed.
    """
    targets = {target.about.id: target for target in map(_at, places)}
    missing: list[str] = []
    for found in (*_exports(workspace), *_models(workspace)):
        if isinstance(found, str):
            missing.append(found)
        else:
            targets.setdefault(found.about.id, found)
    missing = [each for each in missing if not any(name in each for name in targets)]
    guards = _guards(workspace)
    return Found((guards, *_told_apart(targets.values())), tuple(missing))


def _told_apart(targets: Iterable[Target]) -> Iterator[Target]:
    """In order; of two with one name, both with the beginning of their digests."""
    found = sorted(targets, key=lambda target: (target.name, target.about.id))
    counts = Counter(target.name for target in found)
    for target in found:
        is_alone = counts[target.name] == 1
        short = target.about.id.rpartition(":")[2][:_SHORT]
        yield target if is_alone else replace(target, name=f"{target.name}@{short}")


def _at(place: Path) -> Target:
    if (place / MODEL).is_file():
        return _target(What.MODEL, about_bundle(load_bundle(place), place), place)
    if (place / MANIFEST).is_file():
        return _target(What.EXPORT, about_cipherset(open_cipherset(place), place), place)
    raise UsageError(
        f"{place} is neither an export nor the bundle of a model",
        code="redteam_target",
        hint="give folders that protect or train made",
    )


def _exports(workspace: Workspace) -> Iterator[Target | str]:
    """Every export in the ledger, or that it is not where it was put."""
    ledger = workspace.gate.ledger
    put = ledger.transact(_places)
    for asset in ledger.assets():
        if "cipherset_id" not in asset.attributes:
            continue
        here = (_same(place, asset.id) for place in reversed(put))
        found = next((target for target in here if target is not None), None)
        yield found or f"{asset.id} ({asset.name}): not where it was put; say where it is"


def _places(transaction: Transaction) -> list[Path]:
    """Where exports were put, or assessed, the oldest first, each once."""
    found: dict[Path, None] = {}
    for action in (Action.PROTECT, Action.ASSESS):
        for event in events_of(transaction.connection, action, Outcome.DONE):
            if {"cipherset", "cipherset_id"} & set(json.loads(event.body)):
                found[Path(event.subject)] = None
    return list(found)


def _same(place: Path, asset_id: str) -> Target | None:
    """The export in that place, if it is that one and whole."""
    if not (place / MANIFEST).is_file():
        return None
    try:
        target = _at(place)
    except CiphersetError:
        return None
    return target if target.about.id == asset_id else None


def _models(workspace: Workspace) -> Iterator[Target | str]:
    """Every model that is deployed and not stopped."""
    for place in sorted((workspace.home / MODELS).glob(f"*/{MODEL}")):
        try:
            target = _at(place.parent)
        except CiphersetError as error:
            yield f"model:{place.parent.name}: {error.code}"
            continue
        if _standing(workspace, target.about) in _STOPPED:
            yield f"{target.about.id} ({target.name}): it was stopped"
        else:
            yield target


def _standing(workspace: Workspace, about: About) -> Standing:
    return workspace.gate.ledger.transact(lambda work: described(work, about)).status


def keyed(workspace: Workspace, path: Path) -> str:
    """The keyed digest of a file: a plain one would confirm guesses of rows, or of rules.

    Raises:
        BackendError: it cannot be read.
    """

    def chunks(file: IO[bytes]) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            yield chunk

    with disk_errors(path), path.open("rb") as file:
        return source_identity(workspace.ring.signer(), chunks(file))


def _guards(workspace: Workspace) -> Target:
    """The guards by the digest of their rules and their code."""
    home = workspace.home
    rules = {
        name: keyed(workspace, path)
        for name in (GUARD_FILE, SANITIZE_FILE)
        if (path := home / name).is_file()
    }
    digest = canonical.digest({"guards": rules, "code": suite_digest(_CODE)})
    return _target(What.GUARD, About(Kind.SERVICE, digest, GUARDS), home)


def _target(what: What, about: About, place: Path) -> Target:
    return Target(what, about, place, f"{what}:{about.name}")
