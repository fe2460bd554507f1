"""K0: whoever holds the file and nothing else, not even text of its kind."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cipherset.app.assess.case import Case, Step
from cipherset.app.assess.lines import Line, Stopwatch
from cipherset.evidence.attack import Knowledge, Metric, Outcome, clopper_pearson
from cipherset.evidence.attack.alignment.ciphertexts import CiphertextReader


def _surface(case: Case) -> Iterator[Line]:
    """Norms, equal rows, and how far clusters of the ciphertexts are the clear columns' groups."""
    watch = Stopwatch()
    c = np.concatenate([case.victims.c, case.others.c])
    clear = np.concatenate([case.victims.clear, case.others.clear])
    reader = CiphertextReader(c, case.noise_length)
    seen, grouping = reader.surface(), reader.grouping(clear, case.seed)
    plain = CiphertextReader(np.concatenate([case.victims.x, case.others.x]))
    n = len(c)
    yield Line(
        Outcome(
            attack="clusters of ciphertexts against the clear columns",
            knowledge=Knowledge.CIPHERTEXTS,
            metric=Metric.PURITY,
            value=grouping.purity,
            ci=clopper_pearson(grouping.purity * n, n),
            chance=grouping.purity_by_luck,
            unprotected=plain.grouping(clear, case.seed).purity,
            n=n,
            seed=case.seed,
            seconds=watch.seconds(),
            given=f"the file; scale read as {seen.scale:.3f}, {seen.equal_rows} rows equal to "
            f"another, {grouping.groups} groups",
        )
    )


STEPS: Final = (Step("the file alone", _surface),)
