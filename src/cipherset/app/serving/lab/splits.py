"""The sealed rows of an export, as the lab's operations use them: found by the ledger's id."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cipherset.app import state
from cipherset.app.gate import About
from cipherset.app.gateway import Gateway, open_sealed
from cipherset.app.workspace import Workspace
from cipherset.core.errors import InputError, PolicyError, UsageError
from cipherset.core.values import LABEL, Float32s
from cipherset.custody.keys.identity import Identities
from cipherset.custody.policy import Kind

# Below this a score is an oracle for single labels, whatever the noise.
LEAST_ROWS: Final = 20
TRAIN: Final = "train"
TEST: Final = "test"
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Export:
    """A cipherset that the ledger knows: its id there, its own, and the key version it is under."""

    about: About
    cipherset_id: str
    made_under: state.MadeUnder


@dataclass(frozen=True, slots=True)
class Split:
    """Noise-free ciphertexts (n, dim) of a split and their labels (n,)."""

    x: Float32s = field(repr=False)
    labels: Values = field(repr=False)


def find_export(workspace: Workspace, digest: str) -> Export | None:
    """The export of that id (the digest of its manifest), None where the ledger has none."""
    known = workspace.gate.ledger.asset(digest)
    if known is None or "cipherset_id" not in known.attributes:
        return None
    made_under = state.MadeUnder(
        key_id=known.attributes["key_id"], key_version=known.attributes["key_version"]
    )
    about = About(Kind(known.kind), known.id, known.name)
    return Export(about, known.attributes["cipherset_id"], made_under)


def open_export(workspace: Workspace, export: Export) -> Gateway:
    """What is sealed of it, opened; inside an act that was allowed.

    Raises:
        KeyAccessError: its key is not here, or may not be used.
        IntegrityError: a sealed part is missing or was changed.
        InputError: ``no_label``.
    """
    gateway = open_sealed(workspace, export.cipherset_id, export.made_under)
    if gateway.export.meta.task is None:
        raise InputError(
            "the cipherset has no labels", code="no_label", hint="export it with --label"
        )
    return gateway


def no_export() -> UsageError:
    """There is none, for whoever may know."""
    return UsageError(
        "no cipherset of that id was made here",
        code="cipherset_unknown",
        hint="give the digest that cipherset inspect and bundle.json tell",
    )


def sealed_split(gateway: Gateway, split: str, *, at_gate: bool) -> Split:
    """All rows of a split."""
    batches = list(_batches(gateway, split, at_gate=at_gate))
    if not batches:
        return Split(np.zeros((0, 0), dtype=np.float32), np.zeros(0))
    return Split(
        np.concatenate([each.x for each in batches]),
        np.concatenate([each.labels for each in batches]),
    )


def identities_of(gateway: Gateway, split: str) -> Identities:
    """What budgets know the rows of a split by, in whatever export they stand."""
    found = [
        state.charged(table.filter(np.asarray(table.column("split")) == split))
        for table in gateway.export.rows.chunks()
    ]
    return np.concatenate(found)


def check_rows(split: Split) -> None:
    """Refuse to score so few rows.

    Raises:
        PolicyError: ``evaluate_rows``.
    """
    if len(split.labels) < LEAST_ROWS:
        raise PolicyError(
            f"scores of {len(split.labels)} rows would say too much about each; it takes "
            f"{LEAST_ROWS}",
            code="evaluate_rows",
            hint="export with a larger --test-share",
        )


def _batches(gateway: Gateway, split: str, *, at_gate: bool) -> Iterator[Split]:
    for batch in gateway.stored(split):
        column = batch.columns.column(LABEL).combine_chunks()
        labels = np.asarray(column.to_numpy(zero_copy_only=False))
        yield Split(gateway.queries(batch.values, at_gate=at_gate), labels)
