"""A finding: what an assessment got, signed, and bound to the digests of what it was about.

    findings/<id>/finding.json    DSSE envelope, Ed25519, of the workspace's signer
    findings/<id>/report.html     the same for people
    findings/<id>/samples.html    in the owner's own view only, and only where it was asked for

It goes stale as soon as any of those digests is another: the export, the version of its key, its
minimizer, the encoder, or the suite itself.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.app import state
from cipherset.app.gate import Action
from cipherset.app.gateway import Gateway
from cipherset.app.labels.code import sources_digest
from cipherset.app.workspace import Workspace
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign, verify
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import disk_errors
from cipherset.core.manifest import Instant, SignerFacts
from cipherset.custody.ledger import Outcome
from cipherset.custody.policy import Verdict
from cipherset.evidence.views.exposure.budgets import CAP_SHARE
from cipherset.pipeline.export import Cipherset

FINDING_TYPE: Final = "application/vnd.cipherset.finding.v1+json"
FINDING: Final = "finding.json"
REPORT: Final = "report.html"
SAMPLES: Final = "samples.html"
_WITHOUT_PAIRS: Final = ("K0", "K1")
_SUITE: Final = ("cipherset.evidence.attack", "cipherset.app.assess")
_READ: Final = (".py", ".toml", ".json")
Kind = TypeVar("Kind", bound=BaseModel)


class Bound(BaseModel):
    """The digests that a finding is about."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    cipherset_id: str
    manifest: str
    key_id: str
    key_version: int
    key_check: str
    minimizer: str
    encoder: str
    suite: str

    def differs(self, today: "Bound") -> tuple[str, ...]:
        """Which of them are others today."""
        then, now = self.model_dump(), today.model_dump()
        return tuple(name for name in then if then[name] != now[name])


class Finding(BaseModel):
    """The payload of a finding, schema ``cipherset/finding/1``; holds no row, text or vector.

    ``n_star`` is the fewest known pairs that pass the limit, None where no tested count does;
    ``n_star_noise_free`` the same for pairs without noise, as a model's probabilities give them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    schema_name: str = "cipherset/finding/1"
    finding_id: str
    created: Instant
    bound: Bound
    verdict: Verdict
    reasons: tuple[str, ...]
    limit: float
    n_star: int | None
    n_star_noise_free: int | None
    pairs_tested: int
    pair_curve: tuple[dict[str, Any], ...]
    attacks: tuple[dict[str, Any], ...]
    controls: tuple[dict[str, Any], ...]
    proved: dict[str, Any]
    clear_columns: tuple[dict[str, Any], ...]
    not_run: tuple[str, ...]
    seed: int
    signer: SignerFacts


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate may decide on; ``stale`` names what changed since, None is never assessed."""

    verdict: Verdict
    reid: float
    n_star: int | None
    pair_cap: int | None
    query_cap: int | None
    stale: tuple[str, ...]


def bound_to(workspace: Workspace, gateway: Gateway, there: Cipherset) -> Bound:
    """The digests of an export and of what measures it."""
    manifest = there.manifest
    path = state.minimizer_of(workspace.minimizers, manifest.key_id, manifest.key_version)
    return Bound(
        cipherset_id=manifest.cipherset_id,
        manifest=there.manifest_digest,
        key_id=manifest.key_id,
        key_version=manifest.key_version,
        key_check=manifest.key_check,
        minimizer="sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
        encoder=gateway.export.meta.settings.encoder,
        suite=suite_digest(),
    )


def suite_digest(packages: tuple[str, ...] = _SUITE) -> str:
    """Of the attacks' own source, and of the tables they read: another suite may find more."""
    return sources_digest(packages, _READ)


def signed(workspace: Workspace, finding: Finding) -> bytes:
    """The finding's envelope."""
    payload = canonical.encode(finding.model_dump(mode="json"))
    return sign(payload, FINDING_TYPE, workspace.ring.signer())


def signer_facts(workspace: Workspace) -> SignerFacts:
    """Who signs here."""
    return SignerFacts(public_key=public_key_of(workspace.ring.signer()))


def read_finding(path: Path, *, signer: str | None) -> Finding:
    """The finding in ``path``.

    Raises:
        IntegrityError: changed, of another schema, or of another signer than ``signer``.
    """
    return read_signed(path, (FINDING_TYPE, Finding), signer, again="cipherset assess DIR")


def read_signed(
    path: Path, form: tuple[str, type[Kind]], signer: str | None, *, again: str
) -> Kind:
    """What a file of that type and schema says; ``again`` is the command that makes it anew.

    Raises:
        IntegrityError: changed, of another schema, or of another signer than ``signer``.
        BackendError: it cannot be read.
    """
    payload_type, schema = form
    with disk_errors(path):
        raw = path.read_bytes()
    verified = verify(raw, payload_type, expected_fingerprint=signer)
    try:
        return schema.model_validate_json(verified.payload)
    except ValidationError:
        raise IntegrityError(
            f"{path} is not a finding of this version",
            code="finding_schema",
            hint=f"make it again: {again}",
        ) from None


def latest(workspace: Workspace, gateway: Gateway, there: Cipherset) -> Facts | None:
    """What the last finding about an export says, and whether it still holds; None without one.

    Which is the last, the ledger says: a newer one cannot be taken away to bring back an older.

    Raises:
        IntegrityError: that finding is missing or was changed (code ``finding_lost``).
    """
    today = bound_to(workspace, gateway, there)
    named = [
        body["finding"]
        for body in _recorded(workspace)
        if body.get("cipherset_id") == today.cipherset_id
    ]
    if not named:
        return None
    path = workspace.home / "findings" / named[-1] / FINDING
    try:
        last = read_finding(path, signer=workspace.fingerprint)
    except (BackendError, IntegrityError):
        raise IntegrityError(
            f"the last finding about this export, {named[-1]}, is missing or was changed",
            code="finding_lost",
            hint="assess again: cipherset assess DIR",
        ) from None
    return Facts(
        verdict=last.verdict,
        reid=most_found(last),
        n_star=last.n_star,
        pair_cap=cap(last, last.n_star),
        query_cap=cap(last, last.n_star_noise_free),
        stale=last.bound.differs(today),
    )


def most_found(finding: Finding) -> float:
    """The most that any attack found, at the upper end of its interval; all where none was made."""
    measured = [line["excess_ci"][1] for line in finding.attacks if "excess_ci" in line]
    return max(measured, default=1.0)


def cap(finding: Finding, n_star: int | None) -> int | None:
    """How many pairs may be out: a quarter of ``n_star``, None where no tested number passes.

    0 where an attack without a pair passes already, or where the suite missed what was planted.
    """
    open_ = any(
        line["knowledge"] in _WITHOUT_PAIRS and line["excess_ci"][0] > finding.limit
        for line in finding.attacks
        if "excess_ci" in line
    )
    if open_ or not all(control["holds"] for control in finding.controls):
        return 0
    return None if n_star is None else n_star // CAP_SHARE


def _recorded(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """What the ledger says of findings, the oldest first."""
    for event in workspace.gate.ledger.events():
        if event.action == Action.ASSESS and event.outcome == Outcome.DONE:
            body = json.loads(event.body)
            if "finding" in body:
                yield body
