"""What Gaussian noise promises of a row, on what conditions, and over all exports of the row."""

from typing import Final

from cipherset.app.exports.earlier.join import Shared
from cipherset.core.manifest import ComposedFacts, PrivacyFacts
from cipherset.pipeline.encrypt import Mechanism, VectorCipher, compose

CONDITIONS: Final = (
    "given the minimizer, the labels and clear columns, and the settings: they come from the rows "
    "and are not covered. Without that condition it holds only if the minimizer was fitted on "
    "public data or with differential privacy, and the labels are randomized",
    "for the vector of one row. Copies of a row share one ciphertext, which is one release for "
    "all of them (where rows were moved onto anchors, only copies with the same label do), and "
    "that they are copies shows; of n rows of one person it promises n times epsilon and delta "
    "at most",
    "for the ciphertexts and what is computed from them, such as a model. The figures in the "
    "manifest, and a model trained at the gate, are computed from the rows",
    "against whoever cannot tell AES-256 from chance",
)


def privacy_facts(
    cipher: VectorCipher, shared: Shared | None, *, unreadable: int
) -> PrivacyFacts | None:
    """The promise of an export with Gaussian noise; None for noise in a ball, which makes none.

    ``unreadable`` counts the live exports of which nobody knows whether they hold the same rows.
    """
    promise = cipher.mechanism
    if promise is None:
        return None
    return PrivacyFacts(
        epsilon=promise.guarantee.epsilon,
        delta=promise.guarantee.delta,
        sigma=promise.sigma,
        sensitivity=promise.sensitivity,
        per="exported row",
        conditions=CONDITIONS,
        composed=_composed(promise, shared, unreadable=unreadable),
    )


def _composed(promise: Mechanism, shared: Shared | None, *, unreadable: int) -> ComposedFacts:
    """Of a row that is in every export that shares a row with this one: no row is in more."""
    others = () if shared is None else shared.exports
    promises = [promise, *(live.protection.cipher.mechanism for live in others)]
    finite = [each for each in promises if each is not None]
    if unreadable or len(finite) < len(promises):
        return ComposedFacts(exports=len(promises) + unreadable, epsilon=None, delta=None)
    total = compose(finite)
    return ComposedFacts(exports=len(promises), epsilon=total.epsilon, delta=total.delta)
