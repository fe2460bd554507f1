"""Whether what was measured on a finished export lets it leave, now or once more."""

from cipherset.app.exports.earlier.join import check_joined
from cipherset.app.exports.leak import TIMES, Leak
from cipherset.app.exports.request import ProtectRequest
from cipherset.core.errors import PolicyError


def check_measured(request: ProtectRequest, leak: Leak) -> None:
    """Refuse what was measured to give away too much, alone or joined, unless it is accepted.

    Raises:
        PolicyError: ``measured_risk``; ``most_exposed``; and as ``check_joined``.
    """
    if request.accept_risk is not None:
        return
    worst, exposed = leak.worst, leak.exposure
    if not worst.decidable or worst.high > request.max_reid:
        raise PolicyError(
            f"re-identification of the finished export, file, key and minimizer stolen: "
            f"{worst.excess:.4f}, up to {worst.high:.4f} (limit {request.max_reid:g}), among "
            f"{worst.candidates} candidates; from the clear columns alone {worst.label_alone:.4f}",
            code="measured_risk",
            hint="add noise (raise --approximation-factor, or lower epsilon), lower the "
            "minimizer's dimension, raise --max-reid, or record an exception with --accept-risk "
            "REASON (such an export can stay at home, for cipherset train --at-gate)",
        )
    if exposed.top_excess > TIMES * request.max_reid:
        raise PolicyError(
            f"the most exposed 1 % of the rows ({exposed.top_rows} held-out ones) are found at a "
            f"rate of {exposed.top_excess:.3f} beyond their clear columns, file, key and minimizer "
            f"stolen; the most is {TIMES} times the limit of {request.max_reid:g}",
            code="most_exposed",
            hint="add noise, raise --max-reid, use a key that has no minimizer "
            "yet, or record an exception with --accept-risk REASON",
        )
    check_joined(request, leak.joined)
