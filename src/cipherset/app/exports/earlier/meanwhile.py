"""What other runs have exported since this one looked: seen under the lock, before it places.

A run may take an hour, so the lock is not held from the look to the placing, and runs on other rows
do not wait for each other. What was not measured is not placed; asked again, it is measured.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cipherset.app import state
from cipherset.app.exports.earlier.live import Known, exports_but
from cipherset.app.exports.request import Owner
from cipherset.core.errors import PolicyError
from cipherset.custody.keys.identity import Identities
from cipherset.custody.keys.lock import changing


@contextmanager
def placing(
    owner: Owner, known: Known, identities: Identities, *, new_minimizer: bool
) -> Iterator[None]:
    """Inside, no other run of the workspace places an export, and none has placed one that matters.

    One matters that is not among ``known`` and holds one of the rows ``identities``, or cannot be
    read, or gave the key version a minimizer where this run has one of its own.

    Raises:
        PolicyError: ``export_meanwhile``.
        BackendError: the lock cannot be had.
    """
    with changing(owner.workspace.home):
        added = exports_but(owner, known)
        sharing = [
            live.cipherset_id
            for live in added.readable
            if np.isin(live.charged(), identities).any()
        ]
        if sharing or added.unreadable:
            raise _meanwhile(f"exports {', '.join([*sharing, *added.unreadable])} of these rows")
        path = state.minimizer_path(owner.workspace.minimizers, owner.key)
        if new_minimizer and path.exists():
            raise _meanwhile("the minimizer of this key version")
        yield


def _meanwhile(what: str) -> PolicyError:
    return PolicyError(
        f"another run has made {what} while this one was running, so it was not reckoned with",
        code="export_meanwhile",
        hint="run the same command again: then it is",
    )
