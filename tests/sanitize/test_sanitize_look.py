"""A detector that throws spoils its row and no other, and its words are never told."""

import pyarrow as pa
import pytest
from sanitize_samples import Finds

from cipherset.core.values import Records
from cipherset.pipeline.sanitize import Fault, SanitizeRules, look, sanitize, sanitize_texts

CANARY = "canary7f3a"


class Throws(Finds):
    def __init__(self, error=ValueError):
        super().__init__({"x": "X"}, "throws")
        self.error = error

    def detect(self, texts):
        for text in texts:
            if CANARY in text:
                raise self.error(text)
        return super().detect(texts)


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, KeyError])
def test_one_row_is_withheld(error):
    rules = SanitizeRules((Finds({"b": "B"}), Throws(error)))
    done = sanitize_texts(["a b", f"b {CANARY}", "x"], rules)
    assert done.texts == ["a [B]", "[WITHHELD]", "[X]"]
    assert done.withheld == {1: Fault("throws", error.__name__)}
    assert dict(done.found) == {"B": 1, "WITHHELD": 1, "X": 1}
    assert CANARY not in repr(done) + repr(rules)


def test_what_others_find_in_such_a_row_is_told():
    """A column is labeled by it; the row itself is not written."""
    looked = look((Finds({"b": "B"}), Throws()), [f"b {CANARY}", "b"])
    assert [len(spans) for spans in looked.spans] == [1, 1]
    assert looked.faults == {0: Fault("throws", "ValueError")}


def test_a_detector_that_answers_for_too_few_texts_has_failed():
    class Short(Finds):
        def detect(self, texts):
            return []

    done = sanitize_texts(["a", "b"], SanitizeRules((Short({"x": "X"}, "short"),)))
    assert {fault.error for fault in done.withheld.values()} == {"IndexError"}
    assert done.texts == ["[WITHHELD]"] * 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_process_is_no_fault(stop):
    with pytest.raises(stop):
        look((Throws(stop),), [CANARY])


def test_records_with_such_a_row():
    records = Records([CANARY, "b"], pa.table({"row": [0, 1]}))
    clean = sanitize(records, SanitizeRules((Throws(),)))
    assert clean.texts == ["[WITHHELD]", "b"]
    assert clean.found == {"WITHHELD": 1}
