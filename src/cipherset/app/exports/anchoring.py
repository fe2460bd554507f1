"""Hold the most exposed: an average under the limit says nothing of the rows that fare worst.

The most exposed 1 % of the rows may be found ten times as often as the limit says of all, beyond
what their clear columns give. Where they are found more often, rows far from the anchor of their
class are moved onto it: as few as will do, in the end all. The attack is told the rule.
"""

from dataclasses import replace
from typing import Final

from cipherset.app.exports.leak import Leak, measure_exposure
from cipherset.app.exports.utility import Protection, Rows
from cipherset.core.errors import PolicyError
from cipherset.core.manifest import Task
from cipherset.pipeline.minimize import class_anchors, thresholds

TIMES: Final = 10
# What is chosen over some draws of the noise is measured again over others.
MARGIN: Final = 0.8


def hold_exposed(
    protection: Protection, fitted: Rows, held_out: Rows, *, max_reid: float
) -> Protection:
    """``protection`` with the rule that moves the fewest rows and holds the most exposed.

    The rule is a distance, the first of a short list that does it on ``held_out``. Numeric labels
    have no anchors and stay as they are, for ``check_exposed`` to see.
    """
    most = MARGIN * TIMES * max_reid
    if most >= MARGIN or measure_exposure(protection, held_out).top_excess <= most:
        return protection
    if protection.task is not Task.CLASSIFICATION:
        return protection
    minimizer = protection.minimizer
    anchors = class_anchors(minimizer, fitted.x, fitted.y)
    ruled = protection
    for beyond in thresholds(anchors):
        ruled = replace(protection, minimizer=minimizer.anchored(anchors, beyond=beyond))
        if measure_exposure(ruled, held_out).top_excess <= most:
            break
    return ruled


def check_exposed(leak: Leak, *, max_reid: float) -> None:
    """Refuse a finished export whose most exposed rows are found too often.

    Raises:
        PolicyError: ``most_exposed``.
    """
    excess = leak.exposure.top_excess
    if excess <= TIMES * max_reid:
        return
    raise PolicyError(
        f"the most exposed 1 % of the rows ({leak.exposure.top_rows} held-out ones) are found at "
        f"a rate of {excess:.3f} beyond their clear columns, file, key and minimizer stolen; the "
        f"most is {TIMES} times the limit of {max_reid:g}",
        code="most_exposed",
        hint="raise --approximation-factor or --max-reid, use a key that is not bound to a "
        "minimizer yet, or record an exception with --accept-risk REASON",
    )
