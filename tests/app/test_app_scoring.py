"""The truth that answers are held against."""

import pyarrow as pa
import pytest

from cipherset.app import state
from cipherset.app.scoring.score import truth_of
from cipherset.core.errors import InputError
from cipherset.core.manifest import Task
from cipherset.core.sets import set_text
from cipherset.core.values import LABEL, ROW


def test_a_label_that_is_not_known_is_named_by_its_row_in_the_source():
    """Not by its place in a batch, of which a source has many."""
    settings = state.Settings.model_construct(classes=("cold", "late"))
    meta = state.Meta.model_construct(task=Task.MULTILABEL, settings=settings)
    sets = [set_text(["cold"]), set_text([]), set_text(["torn"])]
    rows = pa.table({ROW: [8192, 8193, 8194], LABEL: sets})
    assert truth_of(rows.slice(0, 2), meta).tolist() == [[1, 0], [0, 0]]
    with pytest.raises(InputError, match="row 8195 ") as found:
        truth_of(rows, meta)
    assert (found.value.code, "torn" in str(found.value)) == ("unknown_label", False)
