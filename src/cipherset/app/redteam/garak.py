"""The report of garak, an open scanner of language models, as lines of a finding.

Read are entries of four kinds: ``start_run setup``, ``init``, ``attempt`` and ``eval``; others are
passed over, as its own readers do. An ``eval`` counts, for one probe and one detector, how many
replies it looked at and in how many it found nothing. Prompts and replies stand in ``attempt``
entries only, of which nothing is kept but that there are some.

Source: garak's docs/source/reporting.rst, and garak/evaluators/base.py (0.14), which writes
``passed``, ``fails``, ``nones``, ``total_evaluated`` and ``total_processed``; before 0.14 it was
``total``.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cipherset.app.redteam.line import GARAK, Line, rate
from cipherset.core import canonical
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors

MOST_BYTES: Final = 1 << 28
MOST_LINE_BYTES: Final = 1 << 24
MOST_EVALS: Final = 10_000
METRIC: Final = "attack_success"
_SETUP, _INIT, _EVAL = "start_run setup", "init", "eval"
_NAME: Final = r"^[A-Za-z0-9_]{1,64}(\.[A-Za-z0-9_]{1,64}){0,4}$"
_SAFE: Final = re.compile(r"[^\w./:@+-]")
_MOST_TARGET: Final = 120
_Count = Annotated[int, Field(ge=0, le=2**53)]
_Name = Annotated[str, Field(pattern=_NAME)]


class _Eval(BaseModel):
    """One probe, judged by one detector."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    probe: _Name
    detector: Annotated[str, Field(pattern=r"^(detector\.)?" + _NAME[1:])]
    passed: _Count
    total_evaluated: _Count

    @model_validator(mode="before")
    @classmethod
    def _older(cls, told: Any) -> Any:  # noqa: ANN401 -- whatever JSON holds
        """Before 0.14 the count had another name."""
        if isinstance(told, dict) and "total_evaluated" not in told and "total" in told:
            return told | {"total_evaluated": told["total"]}
        return told

    @model_validator(mode="after")
    def _within(self) -> "_Eval":
        if self.passed > self.total_evaluated:
            raise ValueError("more passed than were looked at")
        return self


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says: by which version, of what, and its counts.

    ``digest`` is the SHA-256 of the file.
    """

    version: str
    target: str
    evals: tuple[_Eval, ...]
    n_attempts: int
    digest: str

    @property
    def name(self) -> str:
        """The target as lines name it."""
        return f"model:{self.target}"

    def lines(self, limit: float | None) -> list[Line]:
        """A line for each probe and detector that looked at anything."""
        return [_line(self, each, limit) for each in self.evals if each.total_evaluated]


def read_report(path: Path) -> Report:
    """The report in ``path``.

    Raises:
        InputError: ``garak_report``: not such a report, or cut off, or too large.
        BackendError: it cannot be read.
    """
    setup: dict[str, Any] = {}
    version, attempts = "", 0
    evals: dict[tuple[str, str], _Eval] = {}
    digest, entries = _entries(path)
    for number, entry in entries:
        kind = entry.get("entry_type")
        if kind == _SETUP:
            setup = entry
        elif kind == _INIT:
            version = _text(entry.get("garak_version"))
        elif kind == "attempt":
            attempts += 1
        elif kind == _EVAL:
            found = _eval(path, number, entry)
            evals[found.probe, found.detector] = found
    if not version or not setup:
        raise _bad(path, "has no entry of kind init or start_run setup")
    if not evals or len(evals) > MOST_EVALS:
        raise _bad(path, f"has {len(evals)} entries of kind eval, and may have 1 to {MOST_EVALS}")
    return Report(version, _target(setup), tuple(evals.values()), attempts, digest)


def _entries(path: Path) -> tuple[str, Iterator[tuple[int, dict[str, Any]]]]:
    with disk_errors(path):
        if path.stat().st_size > MOST_BYTES:
            raise _bad(path, f"is larger than {MOST_BYTES} bytes")
        raw = path.read_bytes()
    return canonical.digest_bytes(raw), _parsed(path, raw)


def _parsed(path: Path, raw: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(io.BytesIO(raw), 1):
        if not line.strip():
            continue
        if len(line) > MOST_LINE_BYTES:
            raise _bad(path, f"line {number} is longer than {MOST_LINE_BYTES} bytes")
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            raise _bad(path, f"line {number} is not JSON") from None
        if not isinstance(entry, dict) or not isinstance(entry.get("entry_type"), str):
            raise _bad(path, f"line {number} is no entry")
        yield number, entry


def _eval(path: Path, number: int, entry: dict[str, Any]) -> _Eval:
    try:
        return _Eval.model_validate(entry)
    except ValidationError:
        raise _bad(path, f"line {number} is no entry of kind eval") from None


def _target(setup: dict[str, Any]) -> str:
    """Type and name of what was scanned; ``model_type`` and ``model_name`` before 0.13."""
    found = [
        _text(setup.get(f"plugins.target_{what}") or setup.get(f"plugins.model_{what}"))
        for what in ("type", "name")
    ]
    return "/".join(part for part in found if part) or "unnamed"


def _text(value: object) -> str:
    return _SAFE.sub("_", value)[:_MOST_TARGET] if isinstance(value, str) else ""


def _line(report: Report, found: _Eval, limit: float | None) -> Line:
    n = found.total_evaluated
    value, ci = rate(n - found.passed, n)
    return Line(
        source=GARAK,
        attack=f"{found.probe} by {found.detector.removeprefix('detector.')}",
        against=canonical.digest({"garak target": report.target}),
        name=report.name,
        metric=METRIC,
        value=value,
        ci=ci,
        n=n,
        limit=limit,
        given=f"garak {report.version}; passed {found.passed} of {n}",
        bound=report.digest,
    )


def _bad(path: Path, found: str) -> InputError:
    return InputError(
        f"{path.name} {found}",
        code="garak_report",
        hint="give the file that garak writes: garak.RUN.report.jsonl",
    )
