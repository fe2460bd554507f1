"""Texts to padded batches of token ids, short beside short, so that almost nothing is padding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from cipherset.core.errors import InputError

Ids = npt.NDArray[np.int64]
# A window is tokenized at once: enough texts to find neighbors of one length, and few enough
# characters that the tokens beyond the truncation, which the tokenizer keeps, stay small.
WINDOW_TEXTS: Final = 2048
WINDOW_CHARACTERS: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids and mask, shape (n, tokens), and the rows that they are of."""

    rows: Ids
    ids: Ids = field(repr=False)
    mask: Ids = field(repr=False)


def windows(texts: Sequence[str]) -> Iterator[range]:
    """Consecutive rows to be tokenized together, all of ``texts`` in order.

    Raises:
        InputError: ``text_expected`` or ``text_not_unicode``; the message names the row.
    """
    start = n_characters = 0
    for row, text in enumerate(texts):
        _check(text, row)
        n_characters += len(text)
        if row + 1 - start == WINDOW_TEXTS or n_characters >= WINDOW_CHARACTERS:
            yield range(start, row + 1)
            start, n_characters = row + 1, 0
    if start < len(texts):
        yield range(start, len(texts))


def batches(
    texts: Sequence[str],
    window: range,
    tokenizer: Tokenizer,
    batch_tokens: int,
    span: int | None = None,
) -> Iterator[Batch]:
    """The rows of ``window`` by length; padded tokens per batch <= ``batch_tokens``, or one row.

    With ``span``, all lengths // ``span`` of a batch are equal.
    """
    encodings = tokenizer.encode_batch_fast([texts[row] for row in window])
    tokens = [encoding.ids for encoding in encodings]
    order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
    lengths = [len(tokens[index]) for index in order]
    start = 0
    for end in range(1, len(order) + 1):
        # In this order the next text is the longest, so it decides the width of all.
        full = (
            end == len(order)
            or (end + 1 - start) * lengths[end] > batch_tokens
            or (span is not None and lengths[end] // span != lengths[start] // span)
        )
        if full:
            chosen = order[start:end]
            yield _padded([tokens[index] for index in chosen], chosen, window)
            start = end


def _padded(tokens: Sequence[Sequence[int]], chosen: Sequence[int], window: range) -> Batch:
    lengths = np.array([len(each) for each in tokens])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    ids = np.zeros_like(mask)
    ids[mask.astype(bool)] = np.concatenate([np.asarray(each) for each in tokens])
    return Batch(np.asarray(chosen, dtype=np.int64) + window.start, ids, mask)


def _check(text: object, row: int) -> None:
    if not isinstance(text, str):
        raise InputError(
            f"row {row} is a {type(text).__name__}, not a text",
            code="text_expected",
            hint="drop rows without a text, or give them an empty one",
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"the text of row {row} holds half a character (a lone surrogate)",
            code="text_not_unicode",
            hint="decode the source as UTF-8 before it comes here",
        ) from None
