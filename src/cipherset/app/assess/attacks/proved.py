"""What needs no attack: two records told apart, proved; and whom the clear columns single out."""

from typing import Any

from cipherset.app.assess.case import Case
from cipherset.evidence.attack.inversion.clear_columns import clear_column_risk
from cipherset.evidence.attack.inversion.closed_form import delta_table
from cipherset.pipeline.export import Cipherset


def proved(case: Case) -> dict[str, Any]:
    """How well one ciphertext tells which of two records it is, by their distance.

    Key and minimizer known; exact, so a bound of every attack there is.
    """
    cipher = case.protection.cipher
    law = cipher.noise
    table = delta_table(case.victims.z, case.victims.clear, noise=law, seed=case.seed)
    return {
        "noise": law.kind.value,
        "dim": cipher.dim,
        "worst_pair_exact": table.worst_exact,
        "rows": [
            {
                "among": row.among,
                "quantile": row.quantile,
                "distance": row.distance,
                "delta": row.delta,
            }
            for row in table.rows
        ],
    }


def _whole(value: object) -> object:
    """A value to be told apart from others; of a set of labels, all of them together."""
    return tuple(value) if isinstance(value, list) else value


def clear_columns(there: Cipherset) -> list[dict[str, Any]]:
    """k-anonymity and uniqueness of every combination of clear columns, over both splits."""
    manifest = there.manifest
    names = [*([] if manifest.label_column is None else ["label"]), *manifest.clear_columns]
    if not names:
        return []
    tables = [there.to_arrow(split).select(names) for split in ("train", "test")]
    values = {
        name: [_whole(value) for table in tables for value in table.column(name).to_pylist()]
        for name in names
    }
    return [
        {
            "columns": list(one.columns),
            "rows": one.rows,
            "k": one.k,
            "combinations": one.groups,
            "rows_alone": one.rows_alone,
            "reidentified": one.reidentified,
        }
        for one in clear_column_risk(values).combinations
    ]
