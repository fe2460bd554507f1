"""``audit export`` in the form of a record that a law asks for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cipherset.app.audit.files import check_free, put
from cipherset.app.audit.show import ExportResult
from cipherset.app.gate import Action
from cipherset.app.records.processing import record_of_processing
from cipherset.app.records.use import log_of_use
from cipherset.app.workspace import Session, Workspace, open_workspace
from cipherset.core import canonical

RECORDS: Final[Mapping[str, Callable[[Workspace], dict[str, Any]]]] = MappingProxyType(
    {"art30": record_of_processing, "art12": log_of_use}
)
_ENTRIES: Final = ("activities", "uses")


def export_record(session: Session, target: Path, form: str, *, overwrite: bool) -> ExportResult:
    """One of ``RECORDS`` as canonical JSON in ``target``; ``events`` counts its entries.

    Raises:
        UsageError: ``target_exists``, ``target_parent``.
        PolicyError: ``not_allowed``.
        BackendError: the ledger cannot be read or written; ``disk_full``, ``no_permission``.
    """
    check_free(target, overwrite=overwrite)
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "record", {"what": form}) as act,
    ):
        record = RECORDS[form](workspace)
        raw = canonical.encode(record)
        put(target, raw, overwrite=overwrite)
        digest = canonical.digest_bytes(raw)
        act.facts["sha256"] = digest
    entries = sum(len(record.get(name, ())) for name in _ENTRIES)
    return ExportResult(to=str(target), events=entries, sha256=digest)
