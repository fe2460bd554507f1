"""What ``redteam`` is asked and what it answers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cipherset.app.redteam.attack import Attackers
from cipherset.app.redteam.finding import RedTeamFinding
from cipherset.app.redteam.line import GARAK, Line
from cipherset.core.errors import PolicyError

_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class RedTeamRequest:
    """What is attacked, beside all that there is, with what, and how thoroughly.

    ``only`` are names of attacks; none given is all. ``garak`` are reports to take in.
    """

    places: tuple[Path, ...] = ()
    only: tuple[str, ...] = ()
    is_quick: bool = False
    seed: int = 0
    attackers: Attackers = field(default_factory=Attackers)
    garak: tuple[Path, ...] = ()

    def asks_for(self, line: Line) -> bool:
        """Whether a run like this one has to measure that line, be its target there or not."""
        if not self.only:
            return True
        if line.source == GARAK:
            return bool(self.garak)
        return not line.by or line.by in self.only


@dataclass(frozen=True, slots=True)
class RedTeamResult:
    """The finding, where it is, and how many results were taken over from a run that was killed."""

    finding: RedTeamFinding
    path: Path
    n_resumed: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether nothing got worse, is over a limit, or was left unmeasured."""
        return not (self.finding.worse or self.finding.over or self.finding.unmeasured)

    def as_json(self) -> dict[str, Any]:
        """The command's JSON."""
        told = self.finding.told()
        told["finding"] = str(self.path)
        told["resumed"] = self.n_resumed
        told["seconds"] = round(self.seconds, 1)
        return told

    def check(self) -> None:
        """Refuse a run that is not clean; what it found is written down already.

        Raises:
            PolicyError: ``redteam_regression``, ``redteam_limit`` or ``redteam_unmeasured``.
        """
        finding = self.finding
        if finding.worse:
            named = [
                f"{each['line']}: {each['before']:.3f} was {_to(each)}" for each in finding.worse
            ]
            raise _refused(
                "redteam_regression", "worse than what was accepted, beyond chance", named, self
            )
        if finding.over:
            raise _refused("redteam_limit", "over the limit", list(finding.over), self)
        if finding.unmeasured:
            raise _refused("redteam_unmeasured", "not measured", list(finding.unmeasured), self)


def _to(worse: dict[str, Any]) -> str:
    return f"accepted, it is {worse['value']:.3f} now"


def _refused(code: str, what: str, named: list[str], result: RedTeamResult) -> PolicyError:
    more = f"; and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return PolicyError(
        f"{len(named)} {what}: {'; '.join(named[:_NAMED])}{more}",
        code=code,
        hint=f"see {result.path}; mend it, or have somebody accept it: cipherset redteam accept "
        f"{result.finding.finding_id} --reason WHY",
    )
