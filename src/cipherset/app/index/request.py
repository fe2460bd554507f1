"""What building an index is asked, and what it answers."""

from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

from cipherset.core.envelope import fingerprint
from cipherset.core.errors import UsageError
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.index import IndexManifest, store_kind
from cipherset.pipeline.sanitize import Policy, default_policy


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a source are embedded, and which give the tokens that rows are chosen by."""

    text: tuple[str, ...] = ()
    vector: str | None = None
    label: str | None = None
    tenant: str | None = None
    image: str | None = None
    pool: str | None = None
    label_separator: str | None = None

    @property
    def roles(self) -> ColumnRoles:
        """The same, as sources are read; the tenant is a column that is kept."""
        keep = () if self.tenant is None else (self.tenant,)
        roles = ColumnRoles(self.text, self.vector, self.label, None, keep, self.image, self.pool)
        return replace(roles, label_separator=self.label_separator)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What ``build`` is asked to do; the defaults are the command's.

    ``source`` is a file of rows, or a cipherset made in this workspace: then its sealed source
    vectors are indexed, of full width. ``store`` is as ``pipeline.index.stores`` says; None for
    files.
    """

    source: str
    key: str
    target: Path
    columns: Columns = field(default_factory=Columns)
    approximation_factor: float | None = None
    max_reid: float = 0.05
    accept_risk: str | None = None
    encoder: str = "minilm-l6-v2"
    rules: Policy = field(default_factory=default_policy)
    store: str | None = None
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: ``usage``, ``index_store``.
        """
        columns = self.columns
        if sum(map(bool, (columns.text, columns.vector, columns.image))) > 1:
            raise _usage("give either text columns, a vector column or an image column")
        if not 0 < self.max_reid < 1:
            raise _usage(f"the limit of re-identification lies between 0 and 1: {self.max_reid:g}")
        factor = self.approximation_factor
        if factor is not None and not 0 < factor < inf:
            raise _usage(f"the approximation factor of an index is above 0: {factor:g}")
        if self.store is not None:
            store_kind(self.store)


def _usage(message: str) -> UsageError:
    return UsageError(message, code="usage", hint="see: cipherset index build --help")


@dataclass(frozen=True, slots=True)
class IndexResult:
    """An index as it is now."""

    manifest: IndexManifest
    target: Path
    changed: int = 0
    ids: tuple[str, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        manifest = self.manifest
        return {
            "index": str(self.target),
            "index_id": manifest.index_id,
            "key_id": manifest.key_id,
            "key_versions": [key.version for key in manifest.keys],
            "rows": manifest.rows,
            "changed": self.changed,
            "dim": manifest.dim,
            "scheme": manifest.scheme,
            "approximation_factor": manifest.approximation_factor,
            "encoder": manifest.encoder.name,
            "store": manifest.store.value,
            "address": manifest.address,
            "sanitized": dict(manifest.sanitizer),
            "assessment": dict(manifest.assessment),
            "risk_accepted": manifest.risk_accepted,
            "label": None if manifest.label is None else manifest.label.as_json(),
            "signer": fingerprint(manifest.signer.public_key),
        }
