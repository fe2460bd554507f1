"""What runs of the red team say, as measurements: the last of each attack on each asset."""

import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.evidence.views.picture import DONE, Step
from cipherset.evidence.views.threats.attackers import GUARD, PROMPTS
from cipherset.evidence.views.threats.path import Measurement

_RUN: Final = "redteam"
_KNOWLEDGE: Final = re.compile(r"K[0-6] ")
_LET_THROUGH: Final = "let_through"


class _Line(BaseModel):
    """What a path needs of a line."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    attack: str
    against: str
    metric: str
    value: float
    ci: tuple[float, float]
    limit: float | None = None
    given: str = ""
    chance: float | None = None


def tried(steps: Iterable[Step], suite: str) -> list[Measurement]:
    """One for each attack, asset and metric: that of the last run; fresh if by ``suite``."""
    last: dict[tuple[str, str, str], Measurement] = {}
    for step in steps:
        if step.kind != _RUN or step.status != DONE:
            continue
        for told in step.parameters.get("lines", ()):
            line = _read(told)
            if line is not None:
                last[line.against, line.attack, line.metric] = _measurement(
                    step, line, is_fresh=step.parameters.get("suite", suite) == suite
                )
    return list(last.values())


def _read(told: Any) -> _Line | None:  # noqa: ANN401 -- any JSON value
    try:
        return _Line.model_validate(told)
    except ValidationError:  # a line of another version: it measures nothing here
        return None


def _measurement(step: Step, line: _Line, *, is_fresh: bool) -> Measurement:
    """What stops prompts is one guard, whichever asset stands for it."""
    is_guard = line.metric == _LET_THROUGH
    named = _KNOWLEDGE.match(line.attack)
    knowledge = PROMPTS if is_guard else named.group().strip() if named else ""
    return Measurement(
        about=GUARD if is_guard else line.against,
        run=step.id,
        finding=str(step.parameters.get("finding_id", "")),
        time=step.finished or step.started,
        knowledge=knowledge,
        attack=line.attack,
        given=line.given,
        metric=line.metric,
        value=line.value,
        ci=line.ci,
        limit=line.limit,
        is_fresh=is_fresh,
        chance=line.chance,
    )
