"""What an attack of the red team is given, and what it is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from cipherset.app.assess.finding import suite_digest
from cipherset.app.assess.request import PublicSource
from cipherset.app.redteam.limits import Limits
from cipherset.app.redteam.line import Line, rate
from cipherset.app.redteam.targets import Target, What
from cipherset.app.serving.relay.guards import Guards
from cipherset.app.workspace import Session, Workspace
from cipherset.core import canonical

_SUITE: Final = ("cipherset.evidence.attack", "cipherset.app.assess", "cipherset.app.redteam")


@dataclass(frozen=True, slots=True)
class DataSource:
    """Texts of a data set that the guards are to know: a file, and its columns of text."""

    dataset: str
    source: str


@dataclass(frozen=True, slots=True)
class Attackers:
    """What the attackers are handed beside the targets.

    ``public`` is text of the kind of an export; ``injections`` a file of attacks on prompts
    (``sets.py``); ``rows`` are the texts of data sets whose copies are to be found; ``canaries``
    are data sets with planted secrets and the Python files of models that learned them.
    """

    public: PublicSource | None = None
    injections: Path | None = None
    rows: tuple[DataSource, ...] = ()
    text: tuple[str, ...] = ()
    canaries: tuple[DataSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """Where attacks run: an open workspace, in which the act was allowed, and all that is asked."""

    session: Session
    workspace: Workspace
    limits: Limits
    attackers: Attackers
    guards: Callable[[], Guards] = field(repr=False)
    inputs: Mapping[str, str]
    seed: int
    is_quick: bool

    def bound(self, target: Target) -> str:
        """The digest of all that a line about ``target`` depends on."""
        return canonical.digest(
            {
                "asset": target.about.id,
                "suite": suite_digest(_SUITE),
                "limits": self.limits.model_dump(mode="json"),
                "inputs": dict(self.inputs),
                "seed": self.seed,
                "quick": self.is_quick,
            }
        )

    def shares(self, target: Target, attack: str, counts: Iterable["Count"]) -> Iterator[Line]:
        """A line for each count of trials, those without any left out."""
        for each in counts:
            if each.n:
                value, ci = rate(each.hits, each.n)
                yield Line(
                    attack=attack,
                    against=target.about.id,
                    name=target.name,
                    metric=each.metric,
                    value=value,
                    ci=(value, value) if each.is_exact else ci,
                    n=each.n,
                    limit=each.limit,
                    given=each.given,
                    bound=self.bound(target),
                )


@dataclass(frozen=True, slots=True)
class Count:
    """``hits`` of ``n`` trials went the attacker's way; ``is_exact``: there is no other trial."""

    metric: str
    hits: int
    n: int
    limit: float | None
    given: str = ""
    is_exact: bool = False


class Run(Protocol):
    """The lines of an attack on a target."""

    def __call__(self, ground: Ground, target: Target) -> Iterable[Line]: ...


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack of the suite; ``without`` says what is missing where it cannot be run."""

    name: str
    what: What
    tells: str
    run: Run = field(repr=False)
    without: Callable[[Ground, Target], str | None] = field(
        repr=False, default=lambda _ground, _target: None
    )
