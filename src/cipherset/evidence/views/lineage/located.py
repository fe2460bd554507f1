"""Where an artifact stopped being what its run had made, and what can no longer be relied on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cipherset.evidence.views.lineage.links import Links, Passage
from cipherset.evidence.views.lineage.trace import below


class State(StrEnum):
    """What a look at an artifact got.

    ``FOREIGN``: it is whole, and no run here made it. ``REPLACED``: another that a run here made is
    there, and it is not what the last run wrote to that place. ``MISSING``: it is not where it was
    put, or a later run wrote another there.
    """

    VERIFIED = "verified"
    ALTERED = "altered"
    FOREIGN = "foreign"
    REPLACED = "replaced"
    MISSING = "missing"


BAD = frozenset({State.ALTERED, State.FOREIGN, State.REPLACED})


@dataclass(frozen=True, slots=True)
class Check:
    """One artifact that was looked at: the file or folder ``path`` of the asset ``asset``.

    ``asset`` is None where nothing says which it was. ``because`` says what differs.
    """

    asset: str | None
    what: str
    path: str
    state: State
    because: str = ""

    def as_json(self) -> dict[str, Any]:
        """One of the command's ``checked`` or ``missing``."""
        return {
            "id": self.asset,
            "what": self.what,
            "path": self.path,
            "state": self.state.value,
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class Records:
    """Whether the ledger itself holds: runs and assets that are not what their events say.

    ``event`` is the first event of the chain that does not hold, None where it does.
    """

    event: int | None = None
    runs: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()

    @property
    def hold(self) -> bool:
        """Whether all of them are what the events say."""
        return self.event is None and not self.runs and not self.assets


@dataclass(frozen=True, slots=True)
class Located:
    """What every artifact was found to be, and the first run whose output is no longer its own.

    ``doubtful`` are all assets that came of one that is altered.
    """

    checks: tuple[tuple[Check, str | None], ...]
    records: Records
    first_bad: str | None
    doubtful: tuple[str, ...]

    @property
    def missing(self) -> tuple[Check, ...]:
        """What was not there to be looked at: of that nothing is known."""
        return tuple(check for check, _ in self.checks if check.state is State.MISSING)

    @property
    def is_valid(self) -> bool:
        """Whether all that is there is what its run made, by a ledger that holds."""
        return self.records.hold and not any(check.state in BAD for check, _ in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The command's ``verified``."""
        return {
            "valid": self.is_valid,
            "first_bad": self.first_bad,
            "checked": [check.as_json() | {"run": run} for check, run in self.checks],
            "missing": [check.as_json() for check in self.missing],
            "doubtful": list(self.doubtful),
            "ledger": {
                "valid": self.records.hold,
                "first_bad": self.records.event,
                "runs": list(self.records.runs),
                "assets": list(self.records.assets),
            },
        }


def located(links: Links, checks: Sequence[Check], records: Records) -> Located:
    """The checks with the run of each: the last that made it or, of what was brought, read it."""
    with_runs = tuple((check, _run_of(links, check)) for check in checks)
    bad = [run for check, run in with_runs if check.state in BAD and run is not None]
    changed = set(records.runs)
    bad += [each for each in links.passages if each.step.id in changed]
    first = min(bad, key=lambda each: each.position, default=None)
    altered = {check.asset for check in checks if check.state in BAD and check.asset is not None}
    outputs = {each for run in links.passages if run.step.id in changed for each in run.outputs}
    return Located(
        tuple((check, None if run is None else run.step.id) for check, run in with_runs),
        records,
        None if first is None else first.step.id,
        tuple(each.id for each in below(links, {*altered, *records.assets, *outputs})),
    )


def _run_of(links: Links, check: Check) -> Passage | None:
    if check.asset is None:
        return None
    made = links.makers.get(check.asset, ())
    read = links.readers.get(check.asset, ())
    return (made or read[:1] or (None,))[-1]
