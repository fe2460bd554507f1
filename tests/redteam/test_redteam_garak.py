"""garak's report: counts of its evaluations, nothing of prompts and replies, strictly read.

The sample was written by hand after its documentation and its evaluator (0.14); it is no run's.
"""

import json

import pytest
import redteam_thread

from cipherset.app.redteam import garak
from cipherset.app.redteam.garak import read_report
from cipherset.app.redteam.line import LineVerdict
from cipherset.core.errors import InputError

KILROY = "kilroy was here"
SETUP = {
    "entry_type": "start_run setup",
    "_config.version": "0.14.0",
    "plugins.target_type": "openai",
    "plugins.target_name": "small-model",
    "run.generations": 5,
}
INIT = {
    "entry_type": "init",
    "garak_version": "0.14.0",
    "start_time": "2026-11-26T08:00:00.000000",
    "run": "9673e218-7f36-4cbd-acae-b0f0b3153bf2",
}
ATTEMPT = {
    "entry_type": "attempt",
    "uuid": "1cbf9434-4a0a-47c5-a24d-b48e5d7b9e4e",
    "seq": 0,
    "status": 2,
    "probe_classname": "dan.Ablation_Dan_11_0",
    "prompt": {"turns": [{"role": "user", "content": {"text": KILROY, "lang": "en"}}]},
    "outputs": [{"text": KILROY, "lang": "en"}],
    "detector_results": {"dan.DAN": [1.0]},
    "notes": {},
}
EVAL = {
    "entry_type": "eval",
    "probe": "dan.Ablation_Dan_11_0",
    "detector": "dan.DAN",
    "passed": 90,
    "fails": 30,
    "nones": 0,
    "total_evaluated": 120,
    "total_processed": 120,
    "confidence": "0.95",
    "confidence_lower": 0.18,
    "confidence_upper": 0.33,
}
NOTHING_SEEN = EVAL | {"probe": "test.Test", "detector": "always.Pass", "passed": 0}
OTHERS = [
    EVAL | {"probe": "encoding.InjectBase64", "detector": "encoding.DecodeMatch", "passed": 120},
    NOTHING_SEEN | {"total_evaluated": 0, "nones": 120},
    {"entry_type": "probe_summary", "probe": "test.Test"},
    {"entry_type": "digest", "meta": {}},
    {"entry_type": "completion", "run": "9673e218-7f36-4cbd-acae-b0f0b3153bf2"},
]
SAMPLE = [SETUP, INIT, ATTEMPT, EVAL, *OTHERS]


def written(path, entries):
    path.write_text("".join(json.dumps(each) + "\n" for each in entries) + "\n")
    return path


def test_a_line_for_each_probe_and_detector(tmp_path):
    report = read_report(written(tmp_path / "garak.report.jsonl", SAMPLE))
    assert (report.version, report.target, report.n_attempts) == ("0.14.0", "openai/small-model", 1)
    found = {line.attack: line for line in report.lines(0.1)}
    assert set(found) == {
        "dan.Ablation_Dan_11_0 by dan.DAN",
        "encoding.InjectBase64 by encoding.DecodeMatch",
    }
    dan = found["dan.Ablation_Dan_11_0 by dan.DAN"]
    assert (dan.value, dan.n, dan.source) == (0.25, 120, "garak")
    assert dan.verdict is LineVerdict.OVER_LIMIT
    assert "passed 90 of 120" in dan.given
    assert (
        found["encoding.InjectBase64 by encoding.DecodeMatch"].verdict is LineVerdict.WITHIN_LIMIT
    )
    assert KILROY not in repr(report)


def test_reports_from_before(tmp_path):
    older = {name: value for name, value in EVAL.items() if name != "total_evaluated"}
    older |= {"total": 120, "detector": "detector.dan.DAN"}
    setup = {"entry_type": "start_run setup", "plugins.model_type": "test"}
    report = read_report(written(tmp_path / "old.jsonl", [setup, INIT, older]))
    (line,) = report.lines(None)
    assert (line.attack, line.name) == ("dan.Ablation_Dan_11_0 by dan.DAN", "model:test")
    assert line.verdict is LineVerdict.UNLIMITED


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([SETUP, ATTEMPT, EVAL], "no entry of kind init"),
        ([INIT, EVAL], "no entry of kind init or start_run setup"),
        ([SETUP, INIT, ATTEMPT], "0 entries of kind eval"),
        ([SETUP, INIT, EVAL | {"passed": 121}], "line 3"),
        ([SETUP, INIT, EVAL | {"passed": "90"}], "line 3"),
        ([SETUP, INIT, EVAL | {"passed": -1}], "line 3"),
        ([SETUP, INIT, EVAL | {"probe": KILROY}], "line 3"),
        ([SETUP, INIT, EVAL | {"probe": "<script>"}], "line 3"),
        ([SETUP, [1]], "line 2 is no entry"),
        ([SETUP, {"entry_type": 1}], "line 2 is no entry"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, entries, found):
    with pytest.raises(InputError) as caught:
        read_report(written(tmp_path / "garak.report.jsonl", entries))
    assert caught.value.code == "garak_report"
    assert found in caught.value.message
    assert KILROY not in str(caught.value)


@pytest.mark.parametrize("raw", [b"{", b'{"entry_type": "eval"', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_cut_off_or_no_json_is_refused(tmp_path, raw):
    path = tmp_path / "garak.report.jsonl"
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        read_report(path)
    assert caught.value.code == "garak_report"


def test_what_is_too_large_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path / "garak.report.jsonl", SAMPLE)
    for name, most in (("MOST_BYTES", 100), ("MOST_LINE_BYTES", 100), ("MOST_EVALS", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(garak, name, most)
            with pytest.raises(InputError):
                read_report(path)


def test_a_target_is_named_without_anything_else_in_it(tmp_path):
    setup = SETUP | {"plugins.target_name": "<b>x</b>\n" * 100}
    report = read_report(written(tmp_path / "garak.report.jsonl", [setup, INIT, EVAL]))
    assert "<" not in report.target
    assert len(report.target) < 300


def test_a_report_becomes_part_of_the_finding_and_holds_no_reply(owner, tmp_path):
    path = written(tmp_path / "garak.report.jsonl", SAMPLE)
    result = redteam_thread.attack(owner, "values", garak=(path,))
    lines = [each for each in result.finding.lines if each["source"] == "garak"]
    assert len(lines) == 2
    assert result.finding.over == (
        "garak: dan.Ablation_Dan_11_0 by dan.DAN (attack_success) against model:openai/small-model",
    )
    assert KILROY.encode() not in result.path.read_bytes()
    assert KILROY.encode() not in (owner.session.home / "ledger.sqlite").read_bytes()
