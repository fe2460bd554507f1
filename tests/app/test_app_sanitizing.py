"""Batches, workers and requests of ``sanitize``, without the command around them."""

import multiprocessing
import os
from collections import Counter
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pytest

from cipherset.app.sanitizing import workers
from cipherset.app.sanitizing.batch import Quarantined, Work, clean_batch
from cipherset.app.sanitizing.detokenize import MOST_BYTES, text_or_file
from cipherset.app.sanitizing.request import SanitizeRequest, uncovered
from cipherset.app.sanitizing.workers import Workers, in_order
from cipherset.core.errors import BackendError, InputError, UsageError
from cipherset.core.files import stage_file
from cipherset.pipeline.ingest.whole import RecordRows
from cipherset.pipeline.sanitize import SanitizeRules, Span, default_policy, default_rules, look

CANARY = "canary7f3a"


class Throws:
    name, version, entities = "throws", "1", frozenset({"X"})

    def detect(self, texts):
        if any(CANARY in text for text in texts):
            raise ValueError(texts)
        return [[Span(0, 1, "X")] if text.startswith("x") else [] for text in texts]


def cleaned(records, *, rules=None, text=("body",), largest=100):
    rules = rules or SanitizeRules((Throws(),))
    rows = RecordRows("a.jsonl", 10, records)
    return clean_batch(Work(text, rules, largest), rows, partial(look, rules.detectors))


def test_a_row_that_cannot_be_sanitized_is_set_apart_with_the_reason():
    records = [
        {"id": 0, "body": "x one"},
        {"id": 1, "body": f"x {CANARY}"},
        {"id": 2, "body": 7},
        {"id": 3, "body": "\ud800"},
        {"id": 4, "body": "y" * 101},
        {"id": 5, "body": None},
        {"id": 6},
    ]
    batch = cleaned(records)
    assert list(batch.clean.records()) == [{"id": 0, "body": "[X] one"}, records[5], records[6]]
    assert list(batch.apart.records()) == records[1:5]
    assert batch.found == Counter({"X": 1})
    assert batch.numbers == [10, 15, 16]
    assert batch.quarantined == [
        Quarantined(11, "detector_failed", "throws", "ValueError"),
        Quarantined(12, "not_text"),
        Quarantined(13, "not_unicode"),
        Quarantined(14, "oversized"),
    ]
    told = repr(batch) + str([entry.as_json() for entry in batch.quarantined])
    assert CANARY not in told


def test_a_text_that_never_settles_is_set_apart():
    class Grows:
        name, version, entities = "grows", "1", frozenset({"X"})

        def detect(self, texts):
            return [[Span(0, len(text), "Y")] for text in texts]

    batch = cleaned([{"body": "x"}], rules=SanitizeRules((Grows(),)))
    assert batch.quarantined in ([], [Quarantined(10, "unsettled")])


def test_several_text_columns_and_counts_of_written_rows_alone():
    records = [{"a": "x", "b": "x"}, {"a": "x", "b": CANARY}, {"a": "x", "b": "é🙂"}]
    batch = cleaned(records, text=("a", "b"))
    assert list(batch.clean.records()) == [{"a": "[X]", "b": "[X]"}, {"a": "[X]", "b": "é🙂"}]
    assert batch.found == Counter({"X": 3})
    assert [entry.row for entry in batch.quarantined] == [11]


def test_processes_find_what_is_found_here():
    texts = [[f"{n} jo@x.com", "(212) 555-0123", "nothing"] for n in range(5)]
    detectors = default_rules().detectors

    def work(batch, looking):
        return looking(batch).spans

    with Workers(default_policy(), 2) as workers:
        there = list(in_order(work, texts, workers, detectors))
    with Workers(default_policy(), 1) as workers:
        here = list(in_order(work, texts, workers, detectors))
    assert there == here == [look(detectors, batch).spans for batch in texts]


def test_nothing_to_do():
    with Workers(default_policy(), 2) as workers:
        assert list(in_order(lambda item, looking: item, [], workers, ())) == []
        assert list(in_order(lambda item, looking: item, [1], workers, ())) == [1]


def test_a_process_that_is_killed_is_said_to_be():
    with Workers(default_policy(), 2) as workers:
        looking = workers.start(2)
        looking(["warm"])
        for process in multiprocessing.active_children():
            process.kill()
        with pytest.raises(BackendError) as refused:
            for _ in range(50):
                looking(["one"])
    assert refused.value.code == "worker_lost"


class Forgetful:
    """A pool that breaks while it is handed a text: it forgets the text, and says so if asked."""

    def __init__(self, *args, **named):
        self._handed = []

    def submit(self, work, *args):
        if work is os.getpid and "_look" in self._handed:
            raise BrokenProcessPool
        self._handed.append(work.__name__)
        return Future()

    def shutdown(self, **named):
        pass


def test_a_text_that_a_broken_pool_forgets_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(workers, "ProcessPoolExecutor", Forgetful)
    monkeypatch.setattr(workers, "_ASK_S", 0.01)
    with Workers(default_policy(), 2) as started, pytest.raises(BackendError) as refused:
        started.start(2)(["one"])
    assert refused.value.code == "worker_lost"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"text": ()}, "usage"),
        ({"drop": ("a",), "keep": ("b",)}, "usage"),
        ({"drop": ("body",)}, "usage"),
        ({"drop": ("topic",), "label": "topic"}, "usage"),
        ({"label": "body"}, "usage"),
        ({"quarantine": Path("apart.xml")}, "target_kind"),
        ({"target": Path("out.xml")}, "target_kind"),
        ({"target": Path("absent/out.csv")}, "target_parent"),
        ({"target": Path("folder.csv")}, "target_not_ours"),
        ({"target": Path("there.csv")}, "target_exists"),
        ({"target": Path("link.csv")}, "target_exists"),
        ({"quarantine": Path("there.csv")}, "target_exists"),
        ({"quarantine": Path("out.csv")}, "usage"),
        ({"source": "src.csv", "target": Path("src.csv"), "overwrite": True}, "usage"),
    ],
)
def test_requests_that_contradict_themselves(tmp_path, monkeypatch, changes, code):
    monkeypatch.chdir(tmp_path)
    Path("folder.csv").mkdir()
    for name in ("there.csv", "src.csv"):
        Path(name).touch()
    Path("link.csv").symlink_to("nowhere")
    asked = {"source": "a.csv", "text": ("body",), "target": Path("out.csv")} | changes
    with pytest.raises(UsageError) as refused:
        SanitizeRequest(**asked)
    assert refused.value.code == code


def test_which_columns_are_written():
    asked = {"source": "a.csv", "text": ("body",), "target": Path("out.csv"), "label": "topic"}
    every = SanitizeRequest(**asked)
    some = SanitizeRequest(**asked, keep=("id",))
    less = SanitizeRequest(**asked, drop=("id",))
    columns = ("id", "body", "topic", "note")
    assert [[each.wants(name) for name in columns] for each in (every, some, less)] == [
        [True, True, True, True],
        [True, True, True, False],
        [False, True, True, True],
    ]


def test_languages_that_names_are_not_looked_for_in():
    assert uncovered(("en", "de", "fr")) == ("de", "fr")


def test_a_file_in_the_making_gives_way_to_one_that_came_first(tmp_path):
    target = tmp_path / "out"
    with stage_file(target) as staged:
        staged.stream.write(b"ours")
        target.write_bytes(b"theirs")
        with pytest.raises(UsageError) as refused:
            staged.place(overwrite=False)
        assert refused.value.code == "target_exists"
        assert target.read_bytes() == b"theirs"
        staged.place(overwrite=True)
    assert target.read_bytes() == b"ours"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_texts_to_detokenize(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("ü", encoding="utf-8")
    assert text_or_file(str(path)) == "ü"
    assert text_or_file("a text") == "a text"
    assert text_or_file("a" * 5000) == "a" * 5000
    assert text_or_file("a\0b") == "a\0b"
    path.write_bytes(b"\xff")
    with pytest.raises(InputError) as refused:
        text_or_file(str(path))
    assert refused.value.code == "source_encoding"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError) as refused:
        text_or_file(str(path))
    assert refused.value.code == "text_too_large"
