"""One point of the frontier: a way to export, its worth, and what it gives away.

``reid`` is with the key (and minimizer) stolen. ``reid_key_safe`` is what somebody gets without a
key and without a pair, who has labeled text of the same domain; he knows the scheme and fits a
minimizer of his own. ``gain`` is what a model trained on the export adds over the better of the
owner's own head and a model that saw nothing but labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cipherset.evidence.attack import Interval, Reidentification

PLAIN: Final = "plain vectors"


@dataclass(frozen=True, slots=True)
class Point:
    """A way to export and everything measured on it; ``fitted`` tells fits of one kind apart."""

    minimizer: str
    scheme: str
    approximation_factor: float
    utility: float
    utility_interval: tuple[float, float]
    gain: Interval | None
    reid: Reidentification = field(repr=False)
    reid_key_safe: Reidentification | None = field(repr=False)
    fitted: str = ""
    is_ours: bool = True

    @property
    def name(self) -> str:
        """How tables and plots call it."""
        way = f" ({self.fitted})" if self.fitted else ""
        return f"{self.minimizer}{way}, {self.scheme}, factor {self.approximation_factor:g}"

    def as_json(self) -> dict[str, Any]:
        """The point as the command prints it."""
        safe, gain = self.reid_key_safe, self.gain
        return {
            "minimizer": self.minimizer,
            "scheme": self.scheme,
            "approximation_factor": self.approximation_factor,
            "fitted": self.fitted,
            "utility": self.utility,
            "utility_ci": list(self.utility_interval),
            "gain": None if gain is None else gain.value,
            "gain_ci": None if gain is None else [gain.low, gain.high],
            "reid": self.reid.excess,
            "reid_ci": [self.reid.low, self.reid.high],
            "reid_key_safe": None if safe is None else safe.excess,
            "reid_key_safe_ci": None if safe is None else [safe.low, safe.high],
            "offered": self.is_ours,
        }


@dataclass(frozen=True, slots=True)
class Recommended:
    """Points worth taking, None where there is none: what each is the best at.

    ``most_useful`` under the limit; ``safest`` of those that lose at most the tolerated utility to
    plain vectors; ``knee``, where a little more utility begins to cost much more leakage.
    """

    most_useful: Point | None
    safest: Point | None
    knee: Point | None


def recommend(
    points: Sequence[Point], *, plain: float, limit: float, tolerated: float, tie: float
) -> Recommended:
    """Of the points we offer. Within ``tie`` of the best utility the one that leaks less wins."""
    ours = [point for point in points if point.is_ours and point.reid.decidable]
    allowed = [point for point in ours if point.reid.high <= limit]
    best = max((point.utility for point in allowed), default=0.0)
    near = [point for point in allowed if point.utility >= best - tie]
    kept = [point for point in ours if point.utility >= plain - tolerated]
    return Recommended(
        most_useful=min(near, key=_leak, default=None),
        safest=min(kept, key=_leak, default=None),
        knee=_knee(efficient(ours)),
    )


def efficient(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in both utility and leakage, least leakage first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (_leak(p), -p.utility)):
        if not kept or point.utility > kept[-1].utility:
            kept.append(point)
    return kept


def _leak(point: Point) -> float:
    return point.reid.high


def _knee(points: Sequence[Point]) -> Point | None:
    """The point farthest above the line between both ends, leakage on a logarithmic scale.

    Source: V. Satopaa et al., Finding a "Kneedle" in a Haystack, ICDCSW 2011, section III.
    """
    if len(points) < 3:
        return points[-1] if points else None
    leak = np.log([max(_leak(point), 1e-4) for point in points])
    utility = np.array([point.utility for point in points])
    across = (leak - leak[0]) / max(leak[-1] - leak[0], 1e-9)
    up = (utility - utility[0]) / max(utility[-1] - utility[0], 1e-9)
    return points[int(np.argmax(up - across))]
