"""The same rows in several exports: what does not identify a row once may do so together."""

from collections.abc import Sequence

import numpy.typing as npt

from cipherset.evidence.attack.linkage.single import Reidentification, score
from cipherset.evidence.attack.linkage.trial import Block, trial


def reidentify_joined(
    blocks: Sequence[Block],
    *,
    truth: npt.ArrayLike,
    ciphertext_groups: npt.ArrayLike,
    candidate_groups: npt.ArrayLike,
) -> Reidentification:
    """As ``reidentify``, of rows of which the attacker holds every export, row-linked.

    Knows: all the files, which rows of them are one source row (the worst case), all the keys
    (removed from the ciphertexts by the caller), all the minimizers (applied to the candidates),
    the clear columns of all of them, the laws of the noise.

    A candidate is possible where every export leaves it possible: noise in a ball excludes,
    Gaussian noise weighs. The nearest is that with the least sum of ``squared distance /
    sigma**2`` over the exports with Gaussian noise, where there are any, else of ``squared
    distance / radius**2``; of rows exported again under one key and minimizer that is the nearest
    to the mean of the ciphertexts.

    Args:
        blocks: One per export. Row i of each is one source row. Where an export has not got a
            row, its ciphertext and candidate are zeros, and the groups tell such rows apart.
        truth: Index of each row's own candidate, shape (m,); for scoring only.
        ciphertext_groups: Code of the combination of the clear columns of all exports, and of
            which exports have the row, shape (m,).
        candidate_groups: The same for the candidates, shape (N,).

    Raises:
        DimensionError: shapes disagree (code ``dimension``).
        InputError: code ``no_rows``, ``not_finite``, ``truth``, ``groups`` or ``noise_size``.
    """
    return score(
        trial(
            blocks,
            truth=truth,
            ciphertext_groups=ciphertext_groups,
            candidate_groups=candidate_groups,
        )
    )
