"""A linear model, learned at the gate, that keeps an (epsilon, delta) for each row of its own."""

from typing import Final

import numpy as np
import numpy.typing as npt

from cipherset.app.exports.earlier.exposure import epsilon_debits
from cipherset.app.exports.plan import FIT_ROWS, sample
from cipherset.app.gate import About, Act
from cipherset.app.gateway import Gateway
from cipherset.app.labels.origin import PROTECT
from cipherset.app.serving.lab.splits import TRAIN, identities_of
from cipherset.app.workspace import Workspace
from cipherset.core.errors import UsageError
from cipherset.core.manifest import HeadFacts, ModelKind, Task
from cipherset.core.values import Float32s, Guarantee
from cipherset.custody.ledger.budgets import Debit
from cipherset.custody.ledger.exposure import RowDebit
from cipherset.custody.policy import Kind
from cipherset.pipeline.private import private_scores
from cipherset.pipeline.train import Classifier, TrainSpec, linear_classifier

CONDITIONS: Final = (
    "for the vector and the label of one row, replaced by any others; of n rows of one person, or "
    "n copies of a row, it promises n times epsilon and delta at most",
    "given the names of the classes, the number of rows, and how rows are sanitized and split",
    "for this model and whatever it answers; not for other models or exports of the same rows: "
    "what was spent on them adds up in the ledger",
)


def check_private(task: Task | None, spec: TrainSpec) -> None:
    """Refuse what cannot be trained so.

    Raises:
        UsageError: ``private_model``: not a logistic model of classes.
    """
    if spec.kind is not ModelKind.LOGISTIC or task is not Task.CLASSIFICATION:
        raise UsageError(
            "a model with an epsilon is logistic and tells classes",
            code="private_model",
            hint="leave out --model, and export with a label of few values",
        )


def spend_on_head(
    workspace: Workspace, act: Act, gateway: Gateway, digest: str, kept: Guarantee
) -> None:
    """Charge every row of the training split, and their source, before one is looked at.

    ``digest`` is that of the export's manifest, by which the ledger knows what it was made of.

    Raises:
        PolicyError: ``budget``.
    """
    debit, of_rows = debits_of(workspace, gateway, digest, kept)
    act.spend(debit, of_rows=(of_rows,))


def debits_of(
    workspace: Workspace, gateway: Gateway, digest: str, kept: Guarantee
) -> tuple[Debit, RowDebit]:
    """What training on the training split of an export costs its source, and each of its rows."""
    gate = workspace.gate
    cap = gate.ledger.transact(gate.policies).limits.budgets.epsilon
    source = _source_of(workspace, digest)
    about = About(Kind.DATASET, source, source)
    return epsilon_debits(about, kept.epsilon, cap, identities_of(gateway, TRAIN))


def private_head(
    gateway: Gateway,
    rows: tuple[Float32s, npt.NDArray[np.str_]],
    classes: tuple[str, ...],
    kept: Guarantee,
    *,
    seed: int,
) -> Classifier:
    """A linear classifier of keyed vectors (n, dim); of more than 20,000 rows a sample.

    Raises:
        InputError: ``private_budget``; ``private_rows``; ``private_width``; ``one_class``.
    """
    x, labels = rows
    chosen = sample(np.arange(len(x)), FIT_ROWS, seed=seed)
    position = {name: code for code, name in enumerate(classes)}
    codes = np.array([position[str(label)] for label in labels[chosen].tolist()], dtype=np.int64)
    # The key's scale, known without a row: a unit vector's ciphertext is as long.
    first = np.eye(1, x.shape[1], dtype=np.float32)
    scale = float(np.linalg.norm(gateway.full_width.query(first).astype(np.float64)))
    found = private_scores(x[chosen] / scale, codes, n_classes=len(classes), guarantee=kept)
    return linear_classifier(found.matrix / scale, found.offset, np.array(classes))


def head_facts(kept: Guarantee) -> HeadFacts:
    """What the bundle says of it."""
    return HeadFacts(epsilon=kept.epsilon, delta=kept.delta, conditions=CONDITIONS)


def _source_of(workspace: Workspace, digest: str) -> str:
    """The asset that the export was made of; the export itself where the ledger does not say."""
    made = (
        run.inputs[0]
        for run in workspace.gate.ledger.runs()
        if run.kind == PROTECT and digest in run.outputs and run.inputs
    )
    return next(made, digest)
