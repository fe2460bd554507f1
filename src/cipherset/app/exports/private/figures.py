"""What a synthetic release is worth and gives away: for its owner, as figures keep no epsilon."""

from dataclasses import asdict, dataclass, field

from cipherset.app.exports.codes import Codes
from cipherset.app.exports.utility import LINEAR, ON_EXPORT, Protection
from cipherset.core.manifest import Task
from cipherset.core.values import Float32s
from cipherset.evidence.attack.model import DrawnMembership
from cipherset.pipeline.train import train_model


@dataclass(frozen=True, slots=True)
class Real:
    """Rows of the source: plain vectors (n, d), and their classes by the release's codes, (n,)."""

    x: Float32s = field(repr=False)
    y: Codes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Figures:
    """Accuracies on held-out rows, and how well a thief of file and key tells who was in it.

    ``membership_auc`` is .5 by chance, ``membership_at_1pct`` .01; each with a 95 % interval.
    """

    plain: float
    owner_head: float
    synthetic: float
    membership_auc: float
    membership_auc_ci: tuple[float, float]
    membership_at_1pct: float
    membership_at_1pct_ci: tuple[float, float]

    def as_json(self) -> dict[str, object]:
        """Everything by name."""
        return asdict(self)


def measured(
    protection: Protection, released: tuple[Float32s, Codes], fit: Real, held: Real, *, seed: int
) -> Figures:
    """Train on what leaves, ask with held-out rows, and try to tell these from those fitted on."""
    task = Task.CLASSIFICATION
    query = protection.query(held.x)
    model = train_model(*released, ON_EXPORT, task=task, seed=seed)
    plain = train_model(fit.x, fit.y, LINEAR, task=task, seed=seed)
    attack = DrawnMembership(protection.cipher.remove_key(released[0]), released[1]).run(
        members=(protection.minimizer.transform(fit.x), fit.y),
        others=(protection.minimizer.transform(held.x), held.y),
    )
    return Figures(
        plain=float((plain.predict(held.x) == held.y).mean()),
        owner_head=float((protection.head(held.x) == held.y).mean()),
        synthetic=float((model.predict(query) == held.y).mean()),
        membership_auc=attack.area.value,
        membership_auc_ci=(attack.area.low, attack.area.high),
        membership_at_1pct=attack.at_001.value,
        membership_at_1pct_ci=(attack.at_001.low, attack.at_001.high),
    )
