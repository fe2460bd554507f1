"""A finding of the red team: its lines, signed, in a file; and the same in the ledger.

    findings/<id>/redteam.json    DSSE envelope, Ed25519, of the workspace's signer

What later runs are compared with, and what views show, is read from the ledger; the file is for
whoever has no access to that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from cipherset.app.assess.finding import read_signed, suite_digest
from cipherset.app.gate import Fact
from cipherset.app.redteam.line import EXCESS, Line, LineVerdict
from cipherset.app.redteam.targets import Target, What
from cipherset.app.workspace import Workspace
from cipherset.core import canonical
from cipherset.core.envelope import sign
from cipherset.core.files import disk_errors, replace_directory, stage_directory, write_atomic
from cipherset.core.manifest import Instant, SignerFacts
from cipherset.custody.policy import Verdict

REDTEAM_TYPE: Final = "application/vnd.cipherset.redteam.v1+json"
REDTEAM: Final = "redteam.json"
FINDINGS: Final = "findings"
# What is got of the rows; other metrics are of the guards in front of a model.
_OF_ROWS: Final = (EXCESS, "tpr_at_fpr_0.01")
# The worst first.
_VERDICTS: Final = {
    LineVerdict.OVER_LIMIT: Verdict.NOT_PROTECTIVE,
    LineVerdict.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    LineVerdict.WITHIN_LIMIT: Verdict.WITHIN_LIMIT,
}


class RedTeamFinding(BaseModel):
    """The payload, schema ``cipherset/redteam/1``; holds no row, prompt, reply or vector.

    ``failed`` are attacks that ended otherwise than they should, ``not_run`` those that could not
    be tried, and why. ``worse``, ``over`` and ``unmeasured`` are what makes the run fail; ``new``
    are lines that the accepted finding ``baseline`` does not have.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    schema_name: str = "cipherset/redteam/1"
    finding_id: str
    created: Instant
    quick: bool
    seed: int
    suite: str
    limits: dict[str, float | None]
    lines: tuple[dict[str, Any], ...]
    failed: tuple[dict[str, str], ...]
    not_run: tuple[str, ...]
    baseline: str | None
    worse: tuple[dict[str, Any], ...]
    over: tuple[str, ...]
    unmeasured: tuple[str, ...]
    new: tuple[str, ...]
    signer: SignerFacts

    def told(self) -> dict[str, Any]:
        """As the ledger keeps it and commands print it."""
        return self.model_dump(mode="json", exclude={"schema_name", "signer"})


def instant() -> str:
    """Now, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_finding(workspace: Workspace, finding: RedTeamFinding) -> Path:
    """Sign the finding; the file that it is in.

    Raises:
        BackendError: it cannot be written.
    """
    payload = canonical.encode(finding.model_dump(mode="json"))
    raw = sign(payload, REDTEAM_TYPE, workspace.ring.signer())
    findings = workspace.home / FINDINGS
    with disk_errors(findings):
        findings.mkdir(mode=0o700, exist_ok=True)
    folder = findings / finding.finding_id
    with stage_directory(folder) as staged:
        write_atomic(staged / REDTEAM, raw)
        replace_directory(staged, folder, overwrite=False)
    return folder / REDTEAM


def read_redteam(path: Path, *, signer: str | None) -> RedTeamFinding:
    """The finding in ``path``; ``signer`` None takes any.

    Raises:
        IntegrityError: changed, of another schema, or of another signer.
        BackendError: it cannot be read.
    """
    return read_signed(path, (REDTEAM_TYPE, RedTeamFinding), signer, again="cipherset redteam run")


def measured_by(target: Target, lines: Sequence[Line]) -> dict[str, Fact]:
    """Asset, suite, verdict, and the worst line's upper end and limit (shares); empty without.

    By these facts ``app.sight.gather`` takes the event of an attack for a finding. The worst is the
    line that comes furthest by its limit: without one that has a limit, nothing was measured that
    anybody could go by. ``reid`` is the most that was re-identified. Guards are nobody's asset.
    """
    limited = [
        (line, line.limit) for line in lines if line.limit is not None and line.metric in _OF_ROWS
    ]
    if target.what is What.GUARD or not limited:
        return {}
    worst, limit = max(limited, key=lambda each: each[0].ci[1] - each[1])
    found = {line.verdict for line, _ in limited}
    told: dict[str, Fact] = {
        "asset": target.about.id,
        "suite": suite_digest(),
        "high": worst.ci[1],
        "limit": limit,
        "verdict": next(said.value for seen, said in _VERDICTS.items() if seen in found),
    }
    highs = [line.ci[1] for line, _ in limited if line.metric == EXCESS]
    return told | ({"reid": max(highs)} if highs else {})
