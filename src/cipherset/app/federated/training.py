"""The rounds of a training, in one process; over a wire go the four calls of ``_round``."""

from collections.abc import Sequence

import numpy as np

from cipherset.app.federated.agreement import Agreement
from cipherset.app.federated.owner import Owner
from cipherset.core.errors import BackendError
from cipherset.core.values import Floats
from cipherset.pipeline.federated import Round
from cipherset.pipeline.private import STEP, descended
from cipherset.pipeline.train import Classifier, linear_classifier


def train_together(owners: Sequence[Owner], agreement: Agreement) -> Classifier:
    """A linear head on the rows of all owners; it takes rows as they are, and goes to ONNX.

    An owner that is out of reach (``BackendError``) is left out from then on, and the round is run
    again by those that are left. Its rows are missing from the gradients then, which are still
    divided by the agreed number.

    Raises:
        InputError: ``round_size``: too few are left.
        PolicyError: ``round_spent``: more rounds were run again than was agreed.
        IntegrityError: a member was altered, or does not keep to the round.
    """
    there = list(owners)

    def gradient(weights: Floats) -> Floats:
        found = None
        while found is None:
            found = _round(there, agreement, weights)
        return found

    scores = descended(gradient, (agreement.dim, len(agreement.classes)), agreement.steps)
    names = np.asarray(agreement.classes)
    return linear_classifier(scores.matrix / agreement.row_norm, scores.offset, names)


def _round(there: list[Owner], agreement: Agreement, weights: Floats) -> Floats | None:
    """The mean gradient at ``weights``; None where an owner left: it is taken out of ``there``."""
    turn = Round(agreement.roster, weights.size)
    for owner in tuple(there):
        try:
            turn.announce(owner.join(turn.round_id))
        except BackendError:
            there.remove(owner)
    announced = turn.close()
    for owner in tuple(there):
        try:
            turn.take(owner.update(weights, announced))
        except BackendError:
            there.remove(owner)
    if turn.missing:
        return None
    return turn.total().reshape(weights.shape) * STEP**2 / agreement.n_rows
