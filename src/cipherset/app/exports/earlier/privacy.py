"""What Gaussian noise promises of a row, on what conditions, and over all exports of the row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cipherset.app.exports.dataset import Dataset
from cipherset.app.exports.earlier.join import Shared
from cipherset.app.exports.earlier.live import Live
from cipherset.app.exports.plan import Plan
from cipherset.app.exports.utility import Protection
from cipherset.core.manifest import ComposedFacts, PrivacyFacts, PromiseFacts
from cipherset.core.values import Guarantee
from cipherset.pipeline.encrypt import compose
from cipherset.pipeline.minimize import parse_spec

GIVEN_MINIMIZER: Final = (
    "given the minimizer, the labels and clear columns, and the settings: they come from the rows "
    "and are not covered. Without that condition it holds only if the minimizer was fitted on "
    "public data or with differential privacy, and the labels are randomized"
)
PRIVATE_MINIMIZER: Final = (
    "given the labels and clear columns, and the settings: they come from the rows and are not "
    "covered. The minimizer was fitted with differential privacy: what the two keep together is "
    "said over all exports"
)
CONDITIONS: Final = (
    "for the vector of one row. Copies of a row share one ciphertext, which is one release for "
    "all of them (where rows were moved onto anchors, only copies with the same label do), and "
    "that they are copies shows; of n rows of one person it promises n times epsilon and delta "
    "at most",
    "for the ciphertexts and what is computed from them, such as a model. The figures in the "
    "manifest, and a model trained at the gate, are computed from the rows",
    "against whoever cannot tell AES-256 from chance",
)
COPIES_FITTED: Final = (
    "a minimizer that n copies of a row were fitted on promises n times epsilon and delta for them"
)


@dataclass(frozen=True, slots=True)
class Beside:
    """Other live exports of the same rows, and what live synthetic releases keep of them."""

    shared: Shared | None
    synthetic: tuple[Guarantee, ...] = field(default=())

    @property
    def exports(self) -> tuple[Live, ...]:
        """The encrypted ones."""
        return () if self.shared is None else self.shared.exports


def synthetic_beside(
    exports: Sequence[Live], dataset: Dataset, plan: Plan
) -> tuple[Guarantee, ...]:
    """What the live synthetic releases keep that were made from rows of ``plan`` too."""
    rows = dataset.charged(np.concatenate([plan.train, plan.test]))
    return tuple(
        Guarantee(kept.epsilon, kept.delta)
        for live in exports
        if (kept := live.state.meta.synthetic) is not None and np.isin(live.charged(), rows).any()
    )


def privacy_facts(
    protection: Protection, beside: Beside, *, unreadable: int
) -> PrivacyFacts | None:
    """The promise of an export with Gaussian noise; None for noise in a ball, which makes none.

    ``unreadable`` counts the live exports of which nobody knows whether they hold the same rows.
    """
    promise = protection.cipher.mechanism
    if promise is None:
        return None
    fitted = _of_minimizer(protection)
    conditions = (
        (GIVEN_MINIMIZER, *CONDITIONS)
        if fitted is None
        else (PRIVATE_MINIMIZER, *CONDITIONS, COPIES_FITTED)
    )
    return PrivacyFacts(
        epsilon=promise.guarantee.epsilon,
        delta=promise.guarantee.delta,
        sigma=promise.sigma,
        sensitivity=promise.sensitivity,
        per="exported row",
        conditions=conditions,
        composed=_composed(protection, beside, unreadable=unreadable),
        minimizer=None
        if fitted is None
        else PromiseFacts(epsilon=fitted.epsilon, delta=fitted.delta),
    )


def _of_minimizer(protection: Protection) -> Guarantee | None:
    return parse_spec(protection.minimizer.spec).guarantee


def _composed(protection: Protection, beside: Beside, *, unreadable: int) -> ComposedFacts:
    """Of a row that is in every export that shares a row with this one: no row is in more.

    A key's minimizer is fitted once, whatever is exported through it.
    """
    all_ = [protection, *(live.protection for live in beside.exports)]
    mechanisms = [each.cipher.mechanism for each in all_]
    finite = [each for each in mechanisms if each is not None]
    count = len(all_) + len(beside.synthetic) + unreadable
    if unreadable or len(finite) < len(all_):
        return ComposedFacts(exports=count, epsilon=None, delta=None)
    fits = {each.cipher.key_check: _of_minimizer(each) for each in all_}
    beyond = [*(fit for fit in fits.values() if fit is not None), *beside.synthetic]
    total = compose(finite)
    return ComposedFacts(
        exports=count,
        epsilon=math.fsum([total.epsilon, *(each.epsilon for each in beyond)]),
        delta=math.fsum([total.delta, *(each.delta for each in beyond)]),
    )
