"""Batches on their way to the files: without copies of earlier rows, with canaries among them."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from cipherset.app.sanitizing.batch import CleanBatch
from cipherset.app.sanitizing.outputs import Outputs
from cipherset.app.sanitizing.request import Counts
from cipherset.core.errors import InputError
from cipherset.core.protocols import Progress
from cipherset.core.rows import Rows
from cipherset.pipeline.sanitize.canaries import Canaries
from cipherset.pipeline.sanitize.training import Duplicates

REPEATS: Final = 4  # rows of each canary, as of `canary plant`


class Planting:
    """Canaries, each put before the first row with a text from a random row of the source on.

    Such a row lends a canary its other columns, so that nothing else tells them from the rest.
    """

    def __init__(self, canaries: Canaries, column: str, n_rows: int) -> None:
        """Among ``n_rows`` of the source, of which some may not be written."""
        self._column = column
        self._left = canaries.rows
        chosen = secrets.SystemRandom()
        self._places = deque(sorted(chosen.randrange(max(n_rows, 1)) for _ in self._left))
        self._last: Rows | None = None

    def among(self, batch: CleanBatch) -> Rows:
        """The rows of ``batch`` that are written, with the canaries that belong there."""
        clean = batch.clean
        order: list[int] = []
        texts: list[object] = []
        for row, (number, text) in enumerate(
            zip(batch.numbers, clean.cells(self._column), strict=True)
        ):
            while isinstance(text, str) and self._places and self._places[0] <= number:
                self._places.popleft()
                order.append(row)
                texts.append(self._left.pop())
            order.append(row)
            texts.append(text)
        hosts = [row for row, text in zip(order, texts, strict=True) if isinstance(text, str)]
        if hosts:
            self._last = clean.taken([hosts[-1]])
        if len(order) == clean.n_rows:
            return clean
        return clean.taken(order).with_texts({self._column: texts})

    def rest(self) -> Rows | None:
        """What belongs behind the last row, None where nothing does.

        Raises:
            InputError: ``canary_rows``: no row with a text was written.
        """
        if not self._left:
            return None
        if self._last is None:
            raise InputError(
                "there is no row with a text to plant canaries among",
                code="canary_rows",
                hint="look at the reasons of the rows that were quarantined",
            )
        texts, self._left = self._left, []
        return self._last.taken([0] * len(texts)).with_texts({self._column: texts})


class Writing:
    """Writes batches in their order, and counts."""

    def __init__(
        self, outputs: Outputs, progress: Progress, planting: Planting | None, *, copies: bool
    ) -> None:
        """With ``copies`` of earlier rows, or without."""
        self.counts = Counts()
        self._outputs = outputs
        self._progress = progress
        self._planting = planting
        self._duplicates = None if copies else Duplicates(folder=outputs.folder)

    def texts(self, batches: Iterable[CleanBatch]) -> Iterator[list[str]]:
        """Write each of ``batches``; then the texts of its rows that were written, no canary."""
        for each in batches:
            batch = self._without_copies(each)
            rows = batch.clean if self._planting is None else self._planting.among(batch)
            self._outputs.write(rows)
            self._outputs.set_apart(batch)
            self._count(batch)
            yield batch.texts
        rest = None if self._planting is None else self._planting.rest()
        if rest is not None:
            self._outputs.write(rest)

    def _without_copies(self, batch: CleanBatch) -> CleanBatch:
        """What is set apart for another reason is nobody's original."""
        if self._duplicates is None:
            return batch
        texts = zip(batch.kept, batch.texts_before, strict=True)
        filled = {row: text for row, text in texts if text}
        verdicts = self._duplicates.judge_texts([*filled.values()])
        judged = zip(filled, verdicts, strict=True)
        return batch.without({row: reason for row, reason in judged if reason is not None})

    def _count(self, batch: CleanBatch) -> None:
        refused = batch.quarantined
        self.counts.rows += batch.rows.n_rows - len(refused)
        self.counts.found += batch.found
        self.counts.reasons.update(entry.reason for entry in refused)
        self._progress.advance(batch.rows.n_rows)
