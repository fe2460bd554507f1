"""Which assets are above and below others: every run is looked at once."""

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
    leaving: dict[str, list[Sequence[str]]] = {}
    for start, end in steps:
        for each in start:
            leaving.setdefault(each, []).append(end)
    begun = frozenset(assets)
    found, waiting = set(begun), list(begun)
    while waiting:
        for end in leaving.pop(waiting.pop(), ()):
            new = [each for each in end if each not in found]
            found.update(new)
            waiting += new
    return frozenset(found) - begun
