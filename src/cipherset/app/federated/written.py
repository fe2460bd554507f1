"""An agreement as a file, which all owners have and whose digest their ledgers name."""

import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cipherset.app.federated.agreement import SCHEMA, Agreement
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors, read_regular
from cipherset.pipeline.private import guarantee_of

_MOST_BYTES: Final = 2**20
# Beyond anything that is trained; no sum of these and no row divided by these overflows.
_MOST: Final = 2**40
_PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Guarantee(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    epsilon: float
    delta: float


class _Written(BaseModel):
    """As ``Agreement.as_json`` writes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_: Literal["cipherset/agreement/1"] = Field(alias="schema")
    roster: dict[str, _PublicKey]
    classes: list[str]
    dim: int = Field(ge=1, le=_MOST)
    n_rows: int = Field(ge=1, le=_MOST)
    honest: int
    guarantee: _Guarantee | None
    row_norm: float = Field(ge=1 / _MOST, le=_MOST)
    repeats: int = Field(ge=0, le=_MOST)
    steps: int
    absent: int = Field(ge=0, le=_MOST)
    name: str
    purpose: str | None


def read_agreement(path: Path) -> Agreement:
    """The agreement in a file.

    Raises:
        InputError: ``agreement``; ``guarantee``; ``private_budget``.
        UsageError: ``honest``; ``agreed_roster``; ``agreed_classes``.
        BackendError: it cannot be read.
    """
    with disk_errors(path):
        raw = read_regular(path, most_bytes=_MOST_BYTES)
    try:
        # A name that has no UTF-8 has no digest either.
        read = json.loads(raw or b"")
        json.dumps(read, ensure_ascii=False).encode()
        told = _Written.model_validate(read)
    except (ValueError, ValidationError, RecursionError):
        raise _refused(path, f"it is no agreement of {SCHEMA}") from None
    kept = told.guarantee
    found = Agreement(
        {name: bytes.fromhex(key) for name, key in told.roster.items()},
        tuple(told.classes),
        told.dim,
        told.n_rows,
        told.honest,
        None if kept is None else guarantee_of(kept.epsilon, kept.delta),
        row_norm=told.row_norm,
        repeats=told.repeats,
        name=told.name,
        purpose=told.purpose,
        absent=told.absent,
    )
    if told.steps != found.steps:
        raise _refused(path, f"it takes {found.steps} steps, and it says {told.steps}")
    return found


def _refused(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} is not agreed on: {why}",
        code="agreement",
        hint="write what Agreement.as_json() says, as JSON",
    )
