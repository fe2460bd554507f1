"""The label of an asset, from what was said of it and of everything it was made of.

A ``classify`` run adds to what is known of its inputs. A ``relabel`` run, which took a grant where
it lowers, replaces it. Any other run hands the labels of its inputs on to its outputs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from cipherset.core.labels import Label, joined

CLASSIFY: Final = "classify"
RELABEL: Final = "relabel"
LABEL: Final = "label"
_DONE: Final = "done"


class Labeling(Protocol):
    """A run of the ledger, as far as labels go."""

    @property
    def kind(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def inputs(self) -> Sequence[str]: ...
    @property
    def outputs(self) -> Sequence[str]: ...


def label_of(asset_id: str, runs: Iterable[Labeling]) -> Label | None:
    """The label of an asset by ``runs``, the oldest first; None where nothing is known of it.

    Raises:
        IntegrityError: ``label_schema``.
    """
    return _label(asset_id, tuple(runs), frozenset())


def _label(asset_id: str, runs: Sequence[Labeling], below: frozenset[str]) -> Label | None:
    if asset_id in below:  # a run that reads what it wrote: nothing new
        return None
    seen = below | {asset_id}
    sources = {
        source
        for run in runs
        if asset_id in run.outputs and run.kind not in {CLASSIFY, RELABEL}
        for source in run.inputs
    }
    label = joined(_label(source, runs, seen) for source in sorted(sources))
    for run in runs:
        if run.status != _DONE or LABEL not in run.parameters or asset_id not in run.inputs:
            continue
        said = Label.parse(run.parameters[LABEL])
        if run.kind == RELABEL:
            label = said
        elif run.kind == CLASSIFY:
            label = joined([label, said])
    return label
