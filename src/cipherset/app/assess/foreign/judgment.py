"""What it comes to for a file made elsewhere; pairs have a number of their own and decide nothing.

A break that was measured stands, whatever the planted permutation did: that control speaks of the
public text, and with text from far away a file may still lie open. Nothing found counts only where
the planted one was.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from cipherset.app.assess.lines import Line
from cipherset.app.assess.verdict import Control, Judgment, judge
from cipherset.custody.policy import Verdict
from cipherset.evidence.attack import Knowledge

# From here on an attacker may take his map for right; wrong ones came below, if not by much where
# rows were few.
ALARMING: Final = 0.6


def judged(
    lines: Sequence[Line],
    controls: Sequence[Control],
    objectives: Mapping[str, float],
    limit: float,
) -> Judgment:
    """The verdict and its reasons; the last of ``controls`` is the planted permutation."""
    if not lines:
        return Judgment(Verdict.INCONCLUSIVE, (_UNSCORED, in_words(objectives)))
    decisive = [line for line in lines if line.outcome.knowledge is Knowledge.PUBLIC_TEXT]
    found = judge(decisive, controls[:-1], limit)
    if found.verdict is Verdict.NOT_PROTECTIVE:
        return found
    return judge(decisive, controls, limit)


def with_pairs(found: Judgment, n_star: int | None) -> Judgment:
    """``found``, and where it is no break what known pairs change about it."""
    if n_star is None or found.verdict is Verdict.NOT_PROTECTIVE:
        return found
    reason = f"this is without known pairs: {n_star:,} of them pass the limit"
    return Judgment(found.verdict, (*found.reasons, reason))


_UNSCORED: Final = "without the plain records (--records) no guess can be scored"


def in_words(objectives: Mapping[str, float]) -> str:
    """What the attacker sees of his success, and what that is worth."""
    name, most = max(objectives.items(), key=lambda one: one[1])
    seen = f"the attacker's own objective reaches {most:.2f} of 1 ({name})"
    if most >= ALARMING:
        return f"{seen}: a warning, he may well have found the secret map"
    return f"{seen}: no assurance, better public text may give another result"
