"""Who is called for which predictions: what the rules of webhooks ask to hear of.

A call tells the keyed digest of the input, the label and its probability to one decimal. That
is a pair without noise like any other that leaves: where the key has none left, or was never
assessed, the call tells the label alone.
"""

from dataclasses import dataclass

from cipherset.app.serving.models.answer import ROUNDED_DIGITS
from cipherset.app.serving.models.deployments import Deployed
from cipherset.app.serving.models.sandbox.process import Answers
from cipherset.app.serving.pairs import pair_debits
from cipherset.app.serving.webhooks.alarm import Alarms
from cipherset.app.serving.webhooks.rules import Rule
from cipherset.app.workspace import Workspace
from cipherset.core.errors import PolicyError
from cipherset.custody.ledger.budgets import debit


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model said to the inputs that could be answered, and their keyed digests, in order."""

    model: Deployed
    digests: tuple[str, ...]
    answers: Answers


def call(alarms: Alarms, workspace: Workspace, answered: Answered) -> int:
    """How many calls were put on their way."""
    n_calls = 0
    classes = answered.model.bundle.manifest.classes
    for rule in alarms.of(answered.model.name):
        for row, digest in enumerate(answered.digests):
            code = classes.index(rule.label) if rule.label in classes else None
            if code is None or not _is_told(answered.answers, row, code):
                continue
            score = _score(answered.answers, row, code)
            if (score or 0.0) < rule.at_least:
                continue
            told = {
                "model": answered.model.name,
                "input": digest,
                "label": rule.label,
                "at_least": rule.at_least,
                "probability": _told(workspace, answered.model, rule, score),
            }
            alarms.sender.put(rule, told)
            n_calls += 1
    return n_calls


def _is_told(answers: Answers, row: int, code: int) -> bool:
    """Whether the answer is that class, or one of a set."""
    label = answers.labels[row]
    return bool(label[code]) if answers.labels.ndim == 2 else int(label) == code


def _score(answers: Answers, row: int, code: int) -> float | None:
    return None if answers.scores is None else float(answers.scores[row, code])


def _told(workspace: Workspace, model: Deployed, rule: Rule, score: float | None) -> float | None:
    """The probability, once it is paid for as a pair of whoever is called; None where it is not."""
    if score is None:
        return None
    try:
        debits = pair_debits(workspace, model.key, f"webhook {rule.id}", 1, noisy=False)
        workspace.gate.ledger.transact(lambda transaction: debit(transaction, debits))
    except PolicyError:
        return None
    return round(score, ROUNDED_DIGITS)
