"""A run: lines, a signed finding, the ledger; accepted, compared, resumed, refused."""

import json
import os
import shutil
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import redteam_thread
from redteam_thread import attack, bodies

from cipherset.app.access.activation import activate_set
from cipherset.app.assess.verdict import Control
from cipherset.app.assets.standing import suspend
from cipherset.app.gate import About
from cipherset.app.gate.assets import RETIRE
from cipherset.app.labels.record import recorded_run
from cipherset.app.models import TrainRequest, TrainSpec, train
from cipherset.app.redteam import run as running
from cipherset.app.redteam.accepted import RUN, Past, accept, due, history, when_due
from cipherset.app.redteam.attack import Attack
from cipherset.app.redteam.attacks import exports
from cipherset.app.redteam.finding import measured_by, read_redteam
from cipherset.app.redteam.line import Line
from cipherset.app.redteam.partial import FOLDER, PARTIAL, Unit, open_partial
from cipherset.app.redteam.request import RedTeamRequest
from cipherset.app.redteam.run import redteam
from cipherset.app.redteam.schedule import Rounds, Stop, parse_every, repeat, stopped_by_signal
from cipherset.app.redteam.targets import GUARDS, Target, What
from cipherset.app.sight.gather import picture
from cipherset.app.sight.inventory import see_inventory
from cipherset.app.sight.risk.run import view_risk
from cipherset.app.workspace import open_workspace
from cipherset.core import canonical
from cipherset.core.envelope import public_key_of, sign
from cipherset.core.errors import BackendError, InputError, IntegrityError, PolicyError, UsageError
from cipherset.core.manifest import ModelKind
from cipherset.custody.ledger import Ledger
from cipherset.custody.ledger.tables import runs
from cipherset.custody.policy import Kind

# What draws fresh noise for each encryption; all else is the same again with the same seed.
NOISY = ("oracle", "membership")


@pytest.fixture(scope="module")
def ran(made_once, tmp_path_factory):
    """The owner after one whole quick run, to read only."""
    owner = redteam_thread.copied(made_once, tmp_path_factory.mktemp("ran") / "copy")
    return owner, attack(owner)


def by_key(result):
    return {
        f"{line['attack']} {line['metric']} {line['name']}": line for line in result.finding.lines
    }


def test_everything_that_there_is_was_attacked(ran):
    _, result = ran
    finding = result.finding
    assert {line["name"] for line in finding.lines} == {
        "export:rows.cipherset",
        "guard:the gateway's guards",
        "model:router",
    }
    attacks = {line["attack"] for line in finding.lines}
    assert {"K4 nearest and joint candidate", "K2 map learned from pairs"} <= attacks
    assert {"K6 random vectors", "K6 walks along the boundary", "honest questions"} <= attacks
    assert "K6 model copied from its answers: labels" in attacks
    assert any(each.startswith("own-prompts against") for each in finding.not_run)
    assert finding.failed == ()


def test_strong_ones_pass_and_the_first_run_says_that_nothing_was_accepted(ran):
    _, result = ran
    assert result.is_clean
    assert result.finding.baseline is None
    result.check()
    for line in result.finding.lines:
        low, high = line["ci"]
        assert low <= line["value"] <= high
        assert line["verdict"] in {"within limit", "inconclusive", "no limit"}


def test_probing_is_refused_and_honest_questions_are_not(ran):
    lines = {
        line["attack"]: line for line in ran[1].finding.lines if line["name"] == "model:router"
    }
    for name in ("K6 random vectors", "K6 walks along the boundary", "K6 variants of a few rows"):
        assert lines[name]["value"] <= 0.2
    assert lines["honest questions"]["value"] <= 0.5


def test_the_finding_is_signed_and_in_the_ledger(ran):
    owner, result = ran
    with open_workspace(owner.session) as workspace:
        signer = workspace.fingerprint
    finding = read_redteam(result.path, signer=signer)
    assert finding == result.finding
    with Ledger(f"sqlite:///{owner.session.home / 'ledger.sqlite'}") as ledger:
        (run,) = [each for each in ledger.runs() if each.kind == "redteam"]
        kinds = [ledger.asset(each).kind for each in run.inputs]
    assert sorted(kinds) == ["dataset", "model", "service"]
    assert run.parameters["finding_id"] == finding.finding_id
    assert run.parameters["sha256"] == canonical.digest_bytes(result.path.read_bytes())
    assert run.parameters["lines"] == json.loads(json.dumps(finding.told()["lines"]))
    done = bodies(owner, "redteam", "done")
    assert len(done) == len(bodies(owner, "redteam", "intended")) == 3
    assert {each["finding"] for each in done} == {finding.finding_id}
    assert sum(each["lines"] for each in done) == len(finding.lines)
    assert len({each["lines_sha256"] for each in done}) == 3


def test_every_view_shows_what_was_measured(ran):
    owner, result = ran
    with open_workspace(owner.session) as workspace:
        seen = picture(workspace)
    found = {seen.things[each.about].kind: each for each in seen.findings if each.action == RUN}
    assert found.keys() == {"dataset", "model"}
    export, model = found["dataset"], found["model"]
    lines = [each for each in result.finding.lines if each["against"] == export.about]
    most = max(each["ci"][1] for each in lines if each["limit"] is not None)
    assert export.facts["high"] == export.facts["reid"] == most
    assert export.is_fresh
    assert model.is_fresh
    assert export.facts["verdict"] == "within limit"
    assert model.facts["limit"] == 0.1
    told = json.dumps(view_risk(owner.session).as_json(100))
    assert f"event {export.seq}" in told
    assert GUARDS not in told
    assert GUARDS not in [row.thing.name for row in see_inventory(owner.session)]


def test_lines_without_a_limit_and_lines_of_guards_measure_no_asset():
    about, told = (
        About(Kind.MODEL, "sha256:m", "m"),
        {"n": 9, "bound": "b", "metric": "tpr_at_fpr_0.01"},
    )
    line = Line(attack="a", against="m", name="m", value=0.2, ci=(0.1, 0.3), **told)
    model, guard = (Target(what, about, Path(), "m") for what in (What.MODEL, What.GUARD))
    over = line.model_copy(update={"limit": 0.05})
    assert measured_by(model, [line]) == measured_by(guard, [over]) == {}
    near = line.model_copy(update={"limit": 0.29})
    probed = line.model_copy(update={"limit": 0.01, "metric": "answered"})
    said = measured_by(model, [near, line, over, probed])
    assert (said["high"], said["limit"], said["verdict"]) == (0.3, 0.05, "not protective")
    assert "reid" not in said


def test_a_changed_finding_is_refused(ran, tmp_path):
    owner, result = ran
    changed = tmp_path / "redteam.json"
    changed.write_bytes(result.path.read_bytes().replace(b"A", b"B", 1))
    with pytest.raises(IntegrityError):
        read_redteam(changed, signer=None)
    with open_workspace(owner.session) as workspace:
        key = workspace.ring.signer()
    payload = canonical.encode({"signer": {"public_key": public_key_of(key)}})
    changed.write_bytes(sign(payload, "application/vnd.cipherset.redteam.v1+json", key))
    with pytest.raises(IntegrityError) as caught:
        read_redteam(changed, signer=None)
    assert caught.value.code == "finding_schema"


def test_no_row_and_no_vector_is_in_a_finding(ran):
    owner, result = ran
    x, _ = redteam_thread.serving_thread.vectors(700)
    raw = result.path.read_text() + (owner.session.home / "ledger.sqlite").read_bytes().decode(
        "latin-1"
    )
    # Of five digits one is there by chance in some of a hundred runs, and three of one row are not.
    for row in np.abs(x[:50, :3]):
        assert not all(f"{number:.7f}"[:7] in raw for number in row)


@pytest.mark.attack
def test_the_same_again_is_the_same_and_not_worse(owner):
    first = attack(owner, "reidentify", "probing", "values")
    accept(owner.session, first.finding.finding_id, "it is good enough")
    second = attack(owner, "reidentify", "probing", "values")
    assert second.finding.baseline == first.finding.finding_id
    assert second.is_clean
    assert second.finding.new == ()
    before, after = by_key(first), by_key(second)
    assert before.keys() == after.keys()
    for key, line in after.items():
        if not any(noisy in key for noisy in NOISY):
            assert line == before[key]


def test_a_weak_export_is_over_the_limit_on_the_first_run(owner):
    redteam_thread.weakened(owner)
    result = attack(owner, "reidentify")
    with pytest.raises(PolicyError) as caught:
        result.check()
    assert caught.value.code == "redteam_limit"
    assert caught.value.exit_code == 3
    assert "K4 nearest and joint candidate (reid_excess) against export:rows.cipherset" in str(
        caught.value
    )
    (stolen,) = [
        each for each in result.finding.lines if each["attack"] == "K4 nearest and joint candidate"
    ]
    assert stolen["value"] > 0.95
    assert stolen["limit"] == 0.05


def test_a_weak_export_in_place_of_a_strong_one_is_a_regression(owner):
    first = attack(owner, "reidentify")
    accept(owner.session, first.finding.finding_id, "it is good enough")
    redteam_thread.weakened(owner)
    result = attack(owner, "reidentify")
    with pytest.raises(PolicyError) as caught:
        result.check()
    assert caught.value.code == "redteam_regression"
    assert "K4 nearest and joint candidate" in caught.value.message
    worse = {each["line"] for each in result.finding.worse}
    assert any("K4 nearest" in each for each in worse)


@pytest.mark.attack
def test_the_whole_suite_is_an_assessment_too(owner):
    result = attack(owner, "reidentify", quick=False)
    (assessed,) = bodies(owner, "assess", "done")
    assert assessed["verdict"] == "within limit"
    attacks = {line["attack"] for line in result.finding.lines}
    assert "K6 membership by shadow models" in attacks
    assert not result.finding.quick
    # A quick run is not compared with a thorough one.
    accept(owner.session, result.finding.finding_id, "it is good enough")
    assert attack(owner, "values").finding.baseline is None
    assert attack(owner, "values", quick=False).finding.baseline == result.finding.finding_id


def test_an_attack_that_fails_is_written_down_and_the_next_one_runs(owner, monkeypatch):
    def broken(_ground, _target):
        raise RuntimeError("kilroy was here")

    def gone(_ground, _target):
        raise BackendError("the encoder is away", code="encoder_missing")

    def few(_ground, _target):
        raise InputError("3 rows are too few", code="few_rows")

    known = running.chosen(("values",))
    others = [
        Attack(name, What.GUARD, "a test", run)
        for name, run in (("broken", broken), ("gone", gone), ("few", few))
    ]
    monkeypatch.setattr(running, "chosen", lambda _only: (*others, *known))
    result = attack(owner)
    guard = "guard:the gateway's guards"
    assert result.finding.failed == (
        {"attack": "broken", "target": guard, "code": "RuntimeError"},
        {"attack": "gone", "target": guard, "code": "encoder_missing"},
    )
    assert f"few against {guard}: 3 rows are too few" in result.finding.not_run
    assert len(result.finding.lines) == 2
    with pytest.raises(PolicyError) as caught:
        result.check()
    assert caught.value.code == "redteam_unmeasured"
    assert "kilroy" not in result.path.read_text() + str(caught.value)


def test_a_suite_that_misses_what_was_planted_says_nothing(owner, monkeypatch):
    missed = Control("a scheme that does nothing", 0.0, (0.9, 1.0))
    monkeypatch.setattr(exports, "controls", lambda _case: [missed])
    result = attack(owner, "reidentify")
    assert result.finding.lines == ()
    assert [each["code"] for each in result.finding.failed] == ["redteam_control"]


@pytest.mark.attack
def test_what_was_measured_and_failed_now_is_no_success(owner, monkeypatch):
    first = attack(owner)
    accept(owner.session, first.finding.finding_id, "it is good enough")
    shutil.rmtree(owner.session.home / "minimizers")
    result = attack(owner)
    assert {each["code"] for each in result.finding.failed} == {"sealed_missing"}
    assert any("export:rows.cipherset" in each for each in result.finding.unmeasured)
    with pytest.raises(PolicyError) as caught:
        result.check()
    assert caught.value.code == "redteam_unmeasured"


def test_a_killed_run_goes_on_where_it_was(owner, monkeypatch):
    calls = []
    (values,) = running.chosen(("values",))

    def killed(_ground, _target):
        raise KeyboardInterrupt

    def counted(ground, target):
        calls.append(target.name)
        return values.run(ground, target)

    first = replace(values, run=counted)
    last = Attack("last", What.GUARD, "a test", killed)
    monkeypatch.setattr(running, "chosen", lambda _only: (first, last))
    with pytest.raises(KeyboardInterrupt):
        attack(owner)
    assert not (owner.session.home / "findings").exists()
    path = owner.session.home / FOLDER / PARTIAL
    with path.open("ab") as file:
        file.write(b'{"attack": "torn')
    monkeypatch.setattr(running, "chosen", lambda _only: (first,))
    result = attack(owner)
    assert (len(calls), result.n_resumed) == (1, 1)
    assert len(result.finding.lines) == 2
    assert path.read_bytes() == b""
    assert attack(owner).n_resumed == 0
    assert len(calls) == 2


@pytest.mark.parametrize("change", ["value", "seed"])
def test_what_was_finished_counts_only_as_it_was_and_for_the_same(owner, monkeypatch, change):
    (values,) = running.chosen(("values",))
    monkeypatch.setattr(running, "chosen", lambda _only: (values,))
    stops = iter([False, True])
    assert (
        redteam(owner.session, RedTeamRequest(is_quick=True), stop=lambda: next(stops)) is not None
    )
    path = owner.session.home / FOLDER / PARTIAL
    later = Attack("later", What.GUARD, "a test", values.run)
    monkeypatch.setattr(running, "chosen", lambda _only: (values, later))
    stops = iter([False, True])
    assert redteam(owner.session, RedTeamRequest(is_quick=True), stop=lambda: next(stops)) is None
    assert len(path.read_bytes().splitlines()) == 1
    seed = 0
    if change == "value":
        path.write_bytes(path.read_bytes().replace(b'"value":0', b'"value":1'))
    else:
        seed = 1
    assert attack(owner, seed=seed).n_resumed == 0


def test_two_runs_at_once_are_one_too_many(owner):
    with (
        open_workspace(owner.session) as workspace,
        open_partial(owner.session.home, workspace.ring.signer()) as partial,
    ):
        partial.add(Unit("a", "b", "c"), ())
        with pytest.raises(UsageError) as caught:
            attack(owner, "values")
    assert caught.value.code == "redteam_running"


def test_who_may_not_is_refused_and_nothing_is_attacked(owner):
    activate_set(owner.session, "team")
    with pytest.raises(PolicyError) as caught:
        attack(owner, "values", actor="eve")
    assert caught.value.code == "not_allowed"
    assert bodies(owner, "redteam", "refused")
    assert not (owner.session.home / "findings").exists()
    with pytest.raises(PolicyError):
        history(replace(owner.session, actor="eve"))


def test_unknown_attacks_targets_and_findings(owner, tmp_path):
    for what, code in (
        (lambda: attack(owner, "other"), "redteam_attack"),
        (lambda: attack(owner, places=(tmp_path,)), "redteam_target"),
        (lambda: accept(owner.session, "0" * 32, "why"), "redteam_finding"),
        (lambda: parse_every("often"), "redteam_every"),
        (lambda: parse_every("0h"), "redteam_every"),
    ):
        with pytest.raises(UsageError) as caught:
            what()
        assert caught.value.code == code


def test_targets_that_moved_or_were_stopped_are_named(owner, tmp_path):
    elsewhere = owner.cipherset.rename(tmp_path / "moved.cipherset")
    result = attack(owner, "reidentify")
    assert result.finding.lines == ()
    assert any("not where it was put" in each for each in result.finding.not_run)
    again = attack(owner, "reidentify", places=(elsewhere,))
    assert {line["name"] for line in again.finding.lines} == {"export:moved.cipherset"}
    assert again.finding.not_run == ()
    suspend(owner.session, str(owner.bundle))
    assert any("it was stopped" in each for each in attack(owner, "values").finding.not_run)


def test_a_changed_model_is_named(owner):
    (owner.session.home / "models" / "router" / "model.onnx").write_bytes(b"changed")
    assert any("model:router" in each for each in attack(owner, "values").finding.not_run)


def test_two_targets_of_one_name_are_told_apart(owner, tmp_path):
    other = tmp_path / "other" / "router"
    other.parent.mkdir()
    shutil.copytree(owner.bundle, other)
    result = attack(owner, "membership", places=(other,))
    assert {line["name"] for line in result.finding.lines} == {"model:router"}  # the same model
    (tmp_path / "b").mkdir()
    spec = TrainSpec(ModelKind.LOGISTIC, inverse_penalty=0.001)
    train(TrainRequest(owner.cipherset, tmp_path / "b" / "router", spec))
    names = {
        line["name"]
        for line in attack(owner, "membership", places=(tmp_path / "b" / "router",)).finding.lines
    }
    assert len(names) == 2
    assert all(name.startswith("model:router@") for name in names)


def test_an_accepted_finding_that_was_changed_in_the_ledger_is_refused(owner):
    first = attack(owner, "values")
    accept(owner.session, first.finding.finding_id, "it is good enough")
    with open_workspace(owner.session) as workspace:

        def worse(work):
            (run,) = [each for each in workspace.gate.ledger.runs() if each.kind == "redteam"]
            told = dict(run.parameters)
            told["lines"] = [told["lines"][0] | {"value": 1.0, "ci": [0.5, 1.0]}]
            change = runs.update().where(runs.c.id == run.id)
            work.connection.execute(change.values(parameters=json.dumps(told)))

        workspace.gate.ledger.transact(worse)
    with pytest.raises(IntegrityError) as caught:
        attack(owner, "values")
    assert caught.value.code == "redteam_changed"


def test_lines_in_the_ledger_that_are_none_are_refused():
    with pytest.raises(IntegrityError):
        Past("f", "ada", "", {"lines": [{"text": "kilroy"}], "quick": True}).lines()


def test_history_has_every_run_and_how_each_value_went(owner):
    first, second = attack(owner, "values"), attack(owner, "values")
    accept(owner.session, first.finding.finding_id, "it is good enough")
    told = history(owner.session)
    assert [run["finding_id"] for run in told["runs"]] == [
        first.finding.finding_id,
        second.finding.finding_id,
    ]
    assert told["runs"][0]["accepted"]["reason"] == "it is good enough"
    assert told["runs"][1]["accepted"] is None
    assert told["baseline"] == first.finding.finding_id
    (key,) = [key for key in told["trend"] if "altered" in key]
    assert [point["finding"] for point in told["trend"][key]] == [
        first.finding.finding_id,
        second.finding.finding_id,
    ]
    json.dumps(told)


def test_when_a_run_is_due(owner):
    assert due(owner.session, timedelta(hours=1)).as_json() == {
        "due": True,
        "last": None,
        "next": None,
    }
    attack(owner, "values")
    assert not due(owner.session, timedelta(days=1)).is_due
    past = [Past("f", "ada", "2026-11-26T08:00:00+00:00", {})]
    for hour, is_due in ((9, False), (10, True)):
        now = datetime(2026, 11, 26, hour, tzinfo=UTC)
        assert when_due(past, timedelta(hours=2), now).is_due is is_due


@pytest.mark.parametrize(("text", "hours"), [("24h", 24), ("90m", 1.5), ("7d", 168), ("3600s", 1)])
def test_lengths_of_time(text, hours):
    assert parse_every(text) == timedelta(hours=hours)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_says_stop_and_ends_nothing(number):
    before = signal.getsignal(number)
    with stopped_by_signal() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(60)
    assert signal.getsignal(number) is before


def test_a_signal_in_the_middle_of_a_wait_ends_it():
    """Wherever in it: a timer goes off a little later each time."""
    stops = [Stop() for _ in range(2000)]
    before = signal.signal(signal.SIGALRM, lambda *_: stop.set())
    try:
        for at, stop in enumerate(stops):
            end = time.monotonic() + 60
            signal.setitimer(signal.ITIMER_REAL, 1e-6 + at * 2e-8)
            while not stop.wait(1e-6):
                assert time.monotonic() < end
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_again_and_again_until_told_to_stop(owner):
    stop, told, n = Stop(), [], iter(range(4))

    def once(stops):
        match next(n):
            case 0:
                return attack(owner, "values")
            case 1:
                raise BackendError("the disk is full", code="disk_full")
            case _:
                stop.set()
                return redteam(
                    owner.session, RedTeamRequest(only=("values",), is_quick=True), stop=stops
                )

    rounds = repeat(once, timedelta(0), stop, told.append)
    assert rounds.as_json() | {"last": None} == {
        "rounds": 1,
        "clean": 1,
        "failed": {"disk_full": 1},
        "last": None,
    }
    assert "disk_full: the disk is full" in told
    assert repeat(once, timedelta(0), stop, told.append) == Rounds()


def accepted(owner, *only, **more):
    """A run that was accepted: the baseline of those after it."""
    result = attack(owner, *only, **more)
    accept(owner.session, result.finding.finding_id, "it is good enough")
    return result


def unmeasured(result):
    """What the run is refused for, and for nothing else."""
    with pytest.raises(PolicyError) as caught:
        result.check()
    assert caught.value.code == "redteam_unmeasured"
    return result.finding.unmeasured


def only_suite(monkeypatch, *names):
    """The suite is these attacks, as if there were no others: a whole run takes no time."""
    suite = running.chosen(names)
    monkeypatch.setattr(
        running, "chosen", lambda only: [each for each in suite if not only or each.name in only]
    )


def away(owner):
    """The deployed model is not where it was served from any more."""
    place = owner.session.home / "models" / "router"
    return place, place.rename(owner.folder / "away")


def retire(owner, asset):
    with open_workspace(owner.session) as workspace, recorded_run(workspace, RETIRE, [asset], {}):
        pass


def test_a_target_that_is_gone_is_not_measured_until_it_is_retired(owner, monkeypatch):
    only_suite(monkeypatch, "values", "membership")
    first = accepted(owner)
    lines = [line for line in first.finding.lines if line["name"] == "model:router"]
    place, elsewhere = away(owner)
    again = attack(owner)
    assert len(again.finding.lines) == len(first.finding.lines) - len(lines)
    assert len(unmeasured(again)) == len(lines) > 0
    assert all("model:router" in each for each in again.finding.unmeasured)
    (asset,) = {line["against"] for line in lines}
    retire(owner, asset)
    assert attack(owner).is_clean
    # Another model by that name was deployed since: it is missed.
    with open_workspace(owner.session) as workspace:
        about = About(Kind.MODEL, f"sha256:{'0' * 64}", "router")
        workspace.gate.ledger.record_asset(
            about.id, actor="ada", kind="model", name=about.name, attributes={}
        )
        with recorded_run(workspace, "deploy", [about.id], {"name": "router"}):
            pass
    assert unmeasured(attack(owner))
    elsewhere.rename(place)


def test_a_report_that_is_left_out_is_not_measured(owner, monkeypatch, tmp_path):
    only_suite(monkeypatch, "values")
    report = tmp_path / "report.jsonl"
    entries = (
        {"entry_type": "start_run setup", "plugins.target_name": "small-model"},
        {"entry_type": "init", "garak_version": "0.14.0"},
        {
            "entry_type": "eval",
            "probe": "dan.Dan",
            "detector": "dan.DAN",
            "passed": 99,
            "total_evaluated": 100,
        },
    )
    report.write_text("".join(json.dumps(each) + "\n" for each in entries))
    first = accepted(owner, garak=(report,))
    n_garak = sum(line["source"] == "garak" for line in first.finding.lines)
    assert len(unmeasured(attack(owner))) == n_garak > 0
    assert attack(owner, garak=(report,)).is_clean
    assert attack(owner, "values").is_clean  # named: of a report nobody spoke


def test_an_attack_that_is_named_is_missed_by_its_name(owner, monkeypatch):
    accepted(owner)
    assert attack(owner, "values").is_clean
    away(owner)
    named = attack(owner, "membership")
    assert named.finding.lines == ()
    assert any("against model:router" in each for each in unmeasured(named))
    assert attack(owner, "values").is_clean


@pytest.mark.parametrize("only", ["canaries", "own-prompts", "probing"])
def test_an_attack_that_is_named_and_not_run_is_not_clean(owner, only):
    away(owner)
    result = attack(owner, only)
    assert result.finding.lines == ()
    assert any(each.startswith(only) for each in unmeasured(result))
    beside = attack(owner, only, "values")
    assert len(beside.finding.lines) == 2
    assert any(each.startswith(only) for each in unmeasured(beside))


def test_a_run_without_a_line_is_not_clean(owner, monkeypatch):
    monkeypatch.setattr(running, "chosen", lambda _only: ())
    assert unmeasured(attack(owner)) == ("anything: the run has no line",)
