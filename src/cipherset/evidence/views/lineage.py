"""What an asset was made of, and what was made of it, however many runs apart."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class Step(Protocol):
    """A run of the ledger."""

    @property
    def inputs(self) -> Sequence[str]: ...
    @property
    def outputs(self) -> Sequence[str]: ...


def upstream(assets: Iterable[str], runs: Iterable[Step]) -> frozenset[str]:
    """Everything that went into ``assets``, without these."""
    return _reached(assets, [(run.outputs, run.inputs) for run in runs])


def downstream(assets: Iterable[str], runs: Iterable[Step]) -> frozenset[str]:
    """Everything that came of ``assets``, without these."""
    return _reached(assets, [(run.inputs, run.outputs) for run in runs])


def _reached(
    assets: Iterable[str], steps: Sequence[tuple[Sequence[str], Sequence[str]]]
) -> frozenset[str]:
    begun = frozenset(assets)
    found, new = begun, begun
    while new:
        reached = {each for start, end in steps if not new.isdisjoint(start) for each in end}
        new = frozenset(reached) - found
        found |= new
    return found - begun
