"""A call is signed, says nothing of the text, survives a restart, goes nowhere else."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import serving_thread
from serving_thread import vectors

from cipherset.app.serving.models.answer import Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.serving.webhooks.alarm import MOST_TRIES, Sender, verify_call
from cipherset.app.serving.webhooks.rules import Rule, read_rules
from cipherset.app.workspace import hold, open_workspace
from cipherset.core.errors import CiphersetError

SECRET = bytes(range(32))
X, _ = vectors(40, seed=3)


class Receiver:
    """A real server on this machine that answers as it is told, and keeps what came."""

    def __init__(self, *statuses, promised=0):
        self.statuses = list(statuses)
        self.calls = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 60

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                receiver.calls.append((self.path, dict(self.headers.items()), body))
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.send_header("content-length", str(promised))
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._server.server_close()


@pytest.fixture
def receiving():
    made = []

    def make(*statuses, **options):
        made.append(Receiver(*statuses, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def sending(workspace, tmp_path):
    """Senders on one spool."""
    made = []

    def make(rule, **options):
        options = {"first_pause_s": 0.001, **options}
        sender = Sender(tmp_path / "spool", [rule], workspace.gate.ledger, **options)
        made.append(sender)
        return sender

    yield make
    for each in made:
        each.close()


def rule_for(url, **changed):
    return Rule(
        **{"model": "router", "label": "a", "at_least": 0.5, "url": url, "secret": SECRET} | changed
    )


def wait_until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def ends(workspace):
    return [
        (event.outcome, json.loads(event.body))
        for event in workspace.gate.ledger.events()
        if event.action == "webhook"
    ]


def test_a_call_is_signed_tried_again_and_written_down(workspace, receiving, sending):
    there = receiving(500, 503)
    rule = rule_for(there.url + "/alerts")
    sending(rule).put(rule, {"label": "a"})
    wait_until(lambda: ends(workspace))
    assert ends(workspace) == [("done", {"rule": rule.id, "tries": 3, "status": 204})]
    assert len({headers["webhook-id"] for _, headers, _ in there.calls}) == 1
    for path, headers, body in there.calls:
        assert path == "/alerts"
        verify_call(SECRET, headers, body)
        assert json.loads(body) == {"type": "prediction.threshold", "data": {"label": "a"}}
    with pytest.raises(CiphersetError) as refused:
        verify_call(bytes(32), *there.calls[0][1:])
    assert refused.value.code == "webhook_signature"


def test_the_signature_is_as_the_standard_says():
    """Computed a second way, from the text of the specification."""
    import hashlib
    import hmac

    from cipherset.app.serving.webhooks.alarm import signature

    mac = hmac.new(SECRET, b"msg_1.1700000000.{}", hashlib.sha256).digest()
    assert signature(SECRET, "msg_1", 1_700_000_000, "{}") == "v1," + base64.b64encode(mac).decode()


def test_a_redirect_is_not_followed(workspace, receiving, sending):
    there = receiving(*[302] * MOST_TRIES)
    rule = rule_for(there.url)
    sending(rule).put(rule, {})
    wait_until(lambda: ends(workspace))
    assert [(outcome, body["status"]) for outcome, body in ends(workspace)] == [("failed", 302)]
    assert {path for path, _, _ in there.calls} == {"/"}


def test_a_response_whose_body_never_comes_is_one(workspace, receiving, sending):
    there = receiving(200, promised=1 << 40)
    rule = rule_for(there.url)
    sending(rule).put(rule, {})
    wait_until(lambda: ends(workspace))
    assert ends(workspace) == [("done", {"rule": rule.id, "tries": 1, "status": 200})]


def test_what_waits_survives_a_restart(workspace, receiving, sending):
    there = receiving()
    away = rule_for("http://127.0.0.1:9/", label="a")
    first = sending(away, first_pause_s=3600.0)
    first.put(away, {"label": "a"})
    wait_until(lambda: '"tries": 1' in next(first._folder.glob("msg_*")).read_text())
    first.close()
    assert ends(workspace) == []
    back = rule_for(there.url)
    (path,) = first._folder.glob("msg_*")
    told = json.loads(path.read_text()) | {"rule": back.id, "not_before": 0}
    path.write_text(json.dumps(told))
    second = sending(back)
    wait_until(lambda: ends(workspace))
    wait_until(lambda: second.waiting() == [])
    assert len(there.calls) == 1


def test_what_finds_no_place_or_no_rule_is_written_down(workspace, sending):
    rule = rule_for("http://127.0.0.1:9/")
    sender = sending(rule, most_waiting=0)
    sender.put(rule, {})
    assert [body["because"] for _, body in ends(workspace)] == ["too many calls wait"]
    other = rule_for("http://127.0.0.1:9/other")
    full = sending(rule)
    full.put(other, {})
    wait_until(lambda: len(ends(workspace)) == 2)
    assert "no such rule" in ends(workspace)[1][1]["because"]


def rules_in(home, **changed):
    home.mkdir(exist_ok=True, parents=True)
    secret = home / "alerts.secret"
    secret.write_text("whsec_" + base64.b64encode(SECRET).decode() + "\n")
    secret.chmod(0o600)
    told = {"model": "router", "label": "a", "at_least": 0.5, "url": "https://desk.example/x"}
    told |= {"secret-file": "alerts.secret", **changed}
    lines = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in told.items()]
    (home / "webhooks.toml").write_text("\n".join(["[[webhook]]", *lines]))
    return home


def test_rules_are_read_from_the_workspace(tmp_path):
    (rule,) = read_rules(rules_in(tmp_path))
    assert rule == rule_for("https://desk.example/x")
    assert "secret" not in repr(rule)
    assert read_rules(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"url": "http://desk.example/x"}, "webhook_url"),
        ({"url": "https://user:word@desk.example/"}, "webhook_url"),
        ({"url": "https:///x"}, "webhook_url"),
        ({"url": "file:///etc/passwd"}, "webhook_url"),
        ({"url": "http://127.0.0.1.desk.example/"}, "webhook_url"),
        ({"at_least": 1.5}, "webhooks_file"),
        ({"more": 1}, "webhooks_file"),
    ],
)
def test_a_rule_that_is_none(tmp_path, changed, code):
    with pytest.raises(CiphersetError) as refused:
        read_rules(rules_in(tmp_path, **changed))
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["AAAA", "whsec_AAAA", "whsec_!"])
def test_a_secret_that_is_none(tmp_path, text):
    home = rules_in(tmp_path)
    (home / "alerts.secret").write_text(text)
    with pytest.raises(CiphersetError) as refused:
        read_rules(home)
    assert refused.value.code == "webhook_secret"


def from_one_class_to_another(n=60):
    """Rows of which a model, whatever its key, is sure at first and then less and less."""
    x, labels = vectors(400)
    ends = [x[labels == each].mean(axis=0) for each in (1, 0)]
    share = np.linspace(0, 1, n)[:, None]
    rows = (1 - share) * ends[0] + share * ends[1]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("is_assessed", [False, True])
def test_a_prediction_past_the_threshold_calls(tmp_path, receiving, is_assessed):
    """With its rounded probability only where a pair of the key is left for it."""
    owner = serving_thread.vector_owner(tmp_path / "owner")
    there = receiving()
    x = from_one_class_to_another()
    rules_in(owner.session.home, label="topic-1", at_least=0.65, url=there.url)
    with hold(owner.session) as session, open_models(session) as models:
        if is_assessed:
            serving_thread.told_assessed(session, models, n_star=40, n_star_noise_free=40)
        answer = models.predict(session, "router", Question(vectors=x))
        asked = [models.digests.of(repr(row.tolist()).encode()) for row in x]
        wait_until(lambda: models.alarms.sender.waiting() == [])
    told = [json.loads(body)["data"] for _, _, body in there.calls]
    labels = [each.label for each in answer.predictions]
    assert told
    for each in told:
        assert labels[asked.index(each["input"])] == each["label"] == "topic-1"
    given = [each["probability"] for each in told if each["probability"] is not None]
    assert len(given) == (min(10, len(told)) if is_assessed else 0)
    assert all(round(each, 1) == each >= 0.6 for each in given)
    assert len(told) < labels.count("topic-1")
    with open_workspace(owner.session) as workspace:
        events = list(workspace.gate.ledger.events())
    done = [e for e in events if e.action == "predict" and e.outcome == "done"]
    assert json.loads(done[-1].body)["calls"] == len(told)


def test_a_ledger_that_is_gone_for_a_while_loses_no_call(session, tmp_path, receiving):
    there = receiving()
    rule = rule_for(there.url)
    with hold(session) as held:
        sender = Sender(tmp_path / "spool", [rule], held.held.ledger, first_pause_s=0.001)
        try:
            sender.check()
            ledger = session.home / "ledger.sqlite"
            away = ledger.rename(ledger.with_name("away"))
            sender.put(rule, {"label": "a"})
            wait_until(lambda: len(there.calls) >= 2)
            with pytest.raises(CiphersetError) as failing:
                sender.check()
            assert failing.value.code == "webhooks"
            away.rename(ledger)
            wait_until(lambda: sender.waiting() == [])
            wait_until(lambda: sender._n_failed == 0)
            sender.check()
        finally:
            sender.close()
        with pytest.raises(CiphersetError) as ended:
            sender.check()
        assert ended.value.code == "webhooks"
    with open_workspace(session) as workspace:
        assert [outcome for outcome, _ in ends(workspace)] == ["done"]


def test_a_spool_that_cannot_be_written_for_a_while_loses_no_call(
    workspace, tmp_path, receiving, sending
):
    there = receiving()
    rule = rule_for(there.url)
    sender = sending(rule)
    (tmp_path / "spool" / "msg_0.json").mkdir()
    sender.put(rule, {})
    wait_until(lambda: sender._n_failed > 1)
    (tmp_path / "spool" / "msg_0.json").rmdir()
    wait_until(lambda: sender.waiting() == [])
    assert len(there.calls) == 1


def test_rules_are_told_apart_by_all_that_they_say():
    rules = [
        rule_for("https://desk.example/x"),
        rule_for("https://desk.example/x", at_least=0.6),
        rule_for("https://desk.example/x", secret=bytes(32)),
        rule_for("https://desk.example/x", label="b"),
    ]
    assert len({rule.id for rule in rules}) == len(rules)
