"""A set of labels as one text, so that it travels as any label does: a sorted JSON array."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

# A model that nobody vouches for answers one bit for each name, of a vector without noise.
MOST_NAMES: Final = 32
Indicators = npt.NDArray[np.int8]


def set_text(labels: Iterable[str]) -> str:
    """The one text of a set of labels: sorted, none twice.

    >>> set_text(["late", "broken", "late"])
    '["broken", "late"]'
    """
    return json.dumps(sorted(set(labels)), ensure_ascii=False)


def set_of_cell(cell: str, separator: str) -> str | None:
    """The set in a cell: of a JSON array of texts, or of what stands between separators.

    None where an array holds something that is no text, or a label cannot be written as UTF-8.

    >>> set_of_cell(" late; broken;;late ", ";"), set_of_cell('["late"]', ";"), set_of_cell("", ";")
    ('["broken", "late"]', '["late"]', '[]')
    """
    listed = _array(cell)
    found: Sequence[object] = cell.split(separator) if listed is None else listed
    labels = [label.strip() for label in found if isinstance(label, str)]
    if len(labels) < len(found):
        return None
    text = set_text(filter(None, labels))
    return None if any("\ud800" <= character <= "\udfff" for character in text) else text


def labels_of(text: str) -> tuple[str, ...]:
    """The labels of a set, sorted; the inverse of ``set_text``."""
    return tuple(json.loads(text))


def names_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Every label that some set holds, sorted."""
    return tuple(sorted({label for text in texts for label in labels_of(text)}))


def indicators(sets: Sequence[Iterable[str]], names: Sequence[str]) -> Indicators:
    """1 where a set holds a name, else 0, shape (len(sets), len(names)); other labels are left out.

    >>> indicators([("late",), (), ("late", "lost")], ("broken", "late")).tolist()
    [[0, 1], [0, 0], [0, 1]]
    """
    column = {name: at for at, name in enumerate(names)}
    found: Indicators = np.zeros((len(sets), len(names)), dtype=np.int8)
    for row, labels in enumerate(sets):
        found[row, [column[label] for label in labels if label in column]] = 1
    return found


def _array(cell: str) -> list[object] | None:
    if not cell.lstrip().startswith("["):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None
