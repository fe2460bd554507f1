"""Another deployment takes no worker from who waits for it; the last who uses it closes it."""

import threading

import pytest
import serving_thread
from serving_thread import vectors

from cipherset.app.gate import Action
from cipherset.app.serving.models.deployments import Deployments
from cipherset.app.workspace import hold, open_workspace

X, _ = vectors(4, seed=3)


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    return serving_thread.vector_owner(tmp_path_factory.mktemp("reloaded"))


@pytest.fixture
def session(owner):
    with hold(owner.session) as held:
        yield held


@pytest.fixture
def models():
    made = Deployments()
    yield made
    made.close()


def answered(session, models, model, meanwhile=lambda: None):
    """The worker that answered once ``meanwhile`` was over."""
    with (
        open_workspace(session) as workspace,
        workspace.gate.act(Action.AUDIT, "a test", {}),
        models.using(session, workspace, model) as opened,
    ):
        queries = opened.gateway.queries(X, at_gate=model.bundle.manifest.at_gate)
        opened.worker.run(queries)
        assert opened.worker.pid is not None
        meanwhile()
        assert len(opened.worker.run(queries).labels) == len(X)
        return opened.worker


def test_who_waits_is_answered_and_the_last_one_closes(owner, session, models):
    home = session.home
    old = models.find(home, "router")
    inside, deployed = threading.Barrier(4), threading.Barrier(4)
    workers, kept = [], []

    def meanwhile():
        inside.wait(60)
        deployed.wait(60)

    def ask():
        workers.append(answered(session, models, old, meanwhile))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    inside.wait(60)
    owner.deploy()
    new = models.find(home, "router")  # while three still use the one before: it waits for nobody
    kept.append(answered(session, models, new))
    deployed.wait(60)
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()
    assert new is not old
    assert len(workers) == 3
    assert len({id(worker) for worker in workers}) == 1
    assert workers[0].pid is None
    assert kept[0].pid is not None


def test_who_found_the_one_before_is_answered_by_it(owner, session, models):
    old = models.find(session.home, "router")
    first = answered(session, models, old)
    owner.deploy()
    models.find(session.home, "router")
    assert first.pid is None
    late = answered(session, models, old)
    assert late is not first
    assert late.pid is None


def test_what_is_given_up_is_closed_once_nobody_uses_it(session, models):
    model = models.find(session.home, "router")
    worker = answered(session, models, model, meanwhile=models.close)
    assert worker.pid is None
    assert models.find(session.home, "router") is not model
