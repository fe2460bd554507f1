"""Keep only the directions that the purpose needs: fitted maps from unit rows to unit rows.

Room: pipeline/minimize. Holds data-derived parameters and no key. Knows core alone.
"""

from cipherset.pipeline.minimize.anchoring import class_anchors, thresholds
from cipherset.pipeline.minimize.bottleneck import MOST_SHRUNK_NOISE, FitSettings, ball_noise
from cipherset.pipeline.minimize.columns import FittedColumn, beside, fit_columns
from cipherset.pipeline.minimize.fit import class_means, fit, likely_fits
from cipherset.pipeline.minimize.fitted import FittedMinimizer, Labels, Placed, load
from cipherset.pipeline.minimize.network import Loss
from cipherset.pipeline.minimize.scored import from_scores
from cipherset.pipeline.minimize.spec import MinimizerKind, MinimizerSpec, parse_spec

__all__ = [
    "MOST_SHRUNK_NOISE",
    "FitSettings",
    "FittedColumn",
    "FittedMinimizer",
    "Labels",
    "Loss",
    "MinimizerKind",
    "MinimizerSpec",
    "Placed",
    "ball_noise",
    "beside",
    "class_anchors",
    "class_means",
    "fit",
    "fit_columns",
    "from_scores",
    "likely_fits",
    "load",
    "parse_spec",
    "thresholds",
]
