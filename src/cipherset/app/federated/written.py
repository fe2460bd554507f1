"""An agreement as a file, which all owners have and whose digest their ledgers name."""

import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from cipherset.app.federated.agreement import SCHEMA, Agreement
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors, read_regular
from cipherset.pipeline.private import guarantee_of

_MOST_BYTES: Final = 2**20
_PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Guarantee(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    epsilon: FiniteFloat
    delta: FiniteFloat


class _Written(BaseModel):
    """As ``Agreement.as_json`` writes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_: Literal["cipherset/agreement/1"] = Field(alias="schema")
    roster: dict[str, _PublicKey]
    classes: list[str]
    dim: int = Field(ge=1)
    n_rows: int = Field(ge=1)
    honest: int
    guarantee: _Guarantee | None
    row_norm: FiniteFloat = Field(gt=0)
    repeats: int = Field(ge=0)
    steps: int
    name: str
    purpose: str | None


def read_agreement(path: Path) -> Agreement:
    """The agreement in a file.

    Raises:
        InputError: ``agreement``; ``guarantee``.
        UsageError: ``honest``; ``agreed_classes``.
        BackendError: it cannot be read.
    """
    with disk_errors(path):
        raw = read_regular(path, most_bytes=_MOST_BYTES)
    try:
        told = _Written.model_validate(json.loads(raw or b""))
    except (ValueError, ValidationError):
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
