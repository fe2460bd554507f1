"""One result of the red team: an attack, what it was run against, and how far it came.

Every value is what an attacker gets, so that more is worse, whatever was attacked.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from cipherset.evidence.attack import clopper_pearson

OURS: Final = "cipherset"
GARAK: Final = "garak"
# Of an export: what is re-identified beyond what its clear columns give away.
EXCESS: Final = "reid_excess"
_Text = Field(max_length=300)
_ROUNDING: Final = 1e-9


class LineVerdict(StrEnum):
    """Where a value lies, by its interval; ``UNLIMITED``: no limit is set for it."""

    WITHIN_LIMIT = "within limit"
    INCONCLUSIVE = "inconclusive"
    OVER_LIMIT = "over limit"
    UNLIMITED = "no limit"


class Line(BaseModel):
    """A line of a finding; holds no row, prompt, reply or vector.

    ``against`` is the asset's id, and ``name`` its kind and name, by which a later run knows it
    again: a model that is deployed anew is another asset. ``ci`` is the 95 % interval of ``value``,
    of ``n`` trials. ``bound`` is the digest of all that the value depends on. ``by`` is the name by
    which the attack is asked for, empty where no attack of the suite made the line.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    source: str = OURS
    attack: str = _Text
    against: str = _Text
    name: str = _Text
    metric: str = _Text
    value: FiniteFloat
    ci: tuple[FiniteFloat, FiniteFloat]
    n: int = Field(ge=0)
    chance: FiniteFloat | None = None
    limit: FiniteFloat | None = None
    given: str = Field(default="", max_length=1000)
    bound: str = _Text
    by: str = Field(default="", max_length=300)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = self.ci
        if not low - _ROUNDING <= self.value <= high + _ROUNDING:
            raise ValueError("the value lies outside of its interval")
        return self

    @property
    def key(self) -> str:
        """What makes it the same line in another run."""
        return f"{self.source}: {self.attack} ({self.metric}) against {self.name}"

    @property
    def verdict(self) -> LineVerdict:
        """Over the limit is what surely is, within it too; the rest is not known."""
        if self.limit is None:
            return LineVerdict.UNLIMITED
        if self.ci[0] > self.limit:
            return LineVerdict.OVER_LIMIT
        return LineVerdict.WITHIN_LIMIT if self.ci[1] <= self.limit else LineVerdict.INCONCLUSIVE

    def as_json(self) -> dict[str, Any]:
        """The line as commands print it, and the ledger keeps it."""
        return {**self.model_dump(mode="json"), "verdict": self.verdict.value}


def read_line(told: Mapping[str, Any]) -> Line:
    """The line that ``as_json`` made ``told`` of.

    Raises:
        pydantic.ValidationError: it is none.
    """
    kept = {name: value for name, value in told.items() if name != "verdict"}
    kept["ci"] = tuple(kept.get("ci", ()))
    for name in ("value", "chance", "limit"):
        kept[name] = _number(kept.get(name))
    kept["ci"] = tuple(map(_number, kept["ci"]))
    return Line.model_validate(kept)


def _number(value: object) -> object:
    """JSON does not tell 1 from 1.0."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def rate(hits: int, n: int) -> tuple[float, tuple[float, float]]:
    """``hits / n`` and its exact 95 % interval; of no trial nothing is known."""
    if n == 0:
        return 0.0, (0.0, 1.0)
    low, high = clopper_pearson(hits, n)
    share = hits / n
    return share, (min(low, share), max(high, share))
