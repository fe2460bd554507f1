"""Flower carries the rounds: the model is that of one process, and its server sees nothing.

``make test-all`` installs Flower by its digests into .venv/flower, apart from our own packages.
"""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from federated_samples import identities, roster
from flower_runs import trained, until
from sklearn.metrics import roc_auc_score
from thread_samples import QUICK, Owner, vector_rows, write_rows

from cipherset.app.federated import Agreement, Contribution, answer_at, train_together
from cipherset.app.federated import Owner as Member
from cipherset.core.values import Guarantee
from cipherset.evidence.attack.gradient import Layer, recover_row
from cipherset.pipeline.export import open_cipherset
from cipherset.pipeline.private import Part
from cipherset.pipeline.private.regression import CONSTANT

pytestmark = pytest.mark.extra
NAMES = ("north", "east", "south")
CLASSES = ("topic-0", "topic-1", "topic-2")
DIM, EACH = 16, 8


# ---- owners with a workspace each


@pytest.fixture(scope="module")
def exporters(tmp_path_factory):
    """Three owners with other rows and one key, whose minimizer the first one fitted."""
    folder = tmp_path_factory.mktemp("owners")
    first = Owner(folder / "north")
    first.folder.mkdir()
    first.key("support")
    protected(first, 0)
    found = [first]
    for at, name in enumerate(NAMES[1:], 1):
        owner = Owner(folder / name)
        owner.folder.mkdir()
        subprocess.run(["cp", "-a", first.home, owner.home], check=True, timeout=600)
        protected(owner, at)
        found.append(owner)
    return found


def protected(owner, seed):
    source = write_rows(owner.folder / "rows.parquet", vector_rows(300, seed=seed))
    owner.ok(
        *("protect", source, "--vector", "vec", "--label", "topic"),
        *("--key", "support", "--to", owner.folder / "rows.cipherset", *QUICK),
    )


def agreed(exporters, guarantee):
    keys = {}
    for name, owner in zip(NAMES, exporters, strict=True):
        place = owner.folder / f"{name}.pem"
        keys[name] = bytes.fromhex(
            (owner.folder / f"{name}.pem.pub").read_text()
            if place.exists()
            else owner.ok("principal", "key", place)["public_key"]
        )
    parts = [rows(owner) for owner in exporters]
    return Agreement(
        keys,
        CLASSES,
        parts[0].x.shape[1],
        sum(len(part.x) for part in parts),
        2,
        guarantee,
        row_norm=float(max(np.linalg.norm(part.x, axis=1).max() for part in parts)),
        purpose="routing",
    )


def rows(owner):
    x, y = open_cipherset(owner.folder / "rows.cipherset").to_numpy("train")
    return Contribution(x, y.tolist())


def joined(folder, exporters, agreement):
    """``cipherset rounds join`` of each, as processes, and the sockets they answer at."""
    (folder / "agreed.json").write_text(json.dumps(agreement.as_json()))
    sockets = [folder / f"{name}.sock" for name in NAMES]
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-c", "from cipherset.interfaces.cli.main import main; main()"),
                *("rounds", "join", owner.folder / "rows.cipherset", "--name", name),
                *("--agreement", folder / "agreed.json", "--home", owner.home, "--json"),
                *("--identity", owner.folder / f"{name}.pem", "--socket", place),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, owner, place in zip(NAMES, exporters, sockets, strict=True)
    ]
    return processes, sockets


def run(folder, exporters, agreement):
    processes, sockets = joined(folder, exporters, agreement)
    try:
        until(lambda: all(place.exists() for place in sockets))
        head, kept = trained(folder, agreement, sockets)
        told = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait(timeout=600)
    return head, kept, told


def test_the_model_is_that_of_one_process_digit_for_digit(exporters, tmp_path):
    agreement = agreed(exporters, None)
    head, kept, told = run(tmp_path, exporters, agreement)
    private = identities(NAMES)
    same = replace(agreement, roster=roster(NAMES))
    members = [
        Member(name, private[name], rows(owner), same)
        for name, owner in zip(NAMES, exporters, strict=True)
    ]
    model = train_together(members, same)
    assert (model.coef_ == head["matrix"].T).all()
    assert (model.intercept_ == head["offset"]).all()
    assert [one["steps"] for one in told] == [agreement.steps] * 3
    assert kept["hidden"].dtype == np.uint64
    assert kept["hidden"].shape[:2] == (agreement.steps, 3)
    for owner in exporters:
        done = [one for one in owner.events("train.together") if one.outcome == "done"]
        assert len(done) == agreement.steps


# ---- what the server has: owners of so few rows that a bare step gives them away


def few(seed, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, DIM))
    labels = [CLASSES[code] for code in rng.integers(len(CLASSES), size=n)]
    return Contribution(x / np.linalg.norm(x, axis=1, keepdims=True), labels)


FILES = {"north": few(1, 1), "east": few(2, EACH), "south": few(3, EACH)}


@contextmanager
def answering(folder, agreement):
    """Owners in this process, which answer at sockets until they are asked to leave."""
    private = identities(NAMES)
    members = {name: Member(name, private[name], FILES[name], agreement) for name in NAMES}
    places = {name: folder / f"{name}.sock" for name in NAMES}
    threads = [
        Thread(target=answer_at, args=(members[name], places[name], print), daemon=True)
        for name in NAMES
    ]
    for thread in threads:
        thread.start()
    until(lambda: all(place.exists() for place in places.values()))
    yield list(places.values())
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def curious(folder, guarantee):
    """What was agreed on, and what the server kept of a whole training."""
    n_rows = sum(len(part.x) for part in FILES.values())
    agreement = Agreement(roster(NAMES), CLASSES, DIM, n_rows, 2, guarantee)
    with answering(folder, agreement) as sockets:
        _, kept = trained(folder, agreement, sockets)
    return agreement, kept


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return curious(tmp_path_factory.mktemp("curious"), None)[1]


def step_of(part, weights):
    codes = np.array([CLASSES.index(label) for label in part.labels])
    whole = Part.of(part.x, codes, len(CLASSES))
    return whole.noisy_gradient(weights, sigma=0, words=None).astype(np.float64)


def bare(kept, name):
    """The owner's steps as they would be without masks, (rounds, dim + 1, classes)."""
    return np.array([step_of(FILES[name], weights) for weights in kept["weights"]])


def received(kept, name):
    """What the server has of the owner instead, as numbers of either sign."""
    of_rounds = zip(kept["names"], kept["hidden"], strict=True)
    hidden = [sent[list(names).index(name)] for names, sent in of_rounds]
    return np.array(hidden).view(np.int64).reshape(-1, DIM + 1, len(CLASSES)).astype(np.float64)


def inverted(steps, row):
    """The cosine to the one row there was of what each step is inverted to."""
    found = [recover_row((Layer(step[:-1], step[-1] / CONSTANT),)) for step in steps]
    return np.array([one @ row / np.linalg.norm(one) for one in found])


def test_a_bare_step_of_one_row_is_that_row_and_what_the_server_gets_is_not(seen):
    (row,) = FILES["north"].x
    assert (inverted(bare(seen, "north"), row) > 0.99).mean() > 0.9
    cosines = inverted(received(seen, "north"), row)
    assert cosines.max() < 0.99  # by chance: one in 1e13 of each of the 200 rounds
    assert abs(cosines.mean()) < 8 / np.sqrt(DIM * len(cosines))


def membership(kept, steps, name):
    """Area under the curve of the owner's rows against others, of one who knows them all.

    A step is explained by the candidates' own steps at the same weights: by those that were in it.
    """
    others, own = few(9, EACH), FILES[name]
    x, labels = np.concatenate([own.x, others.x]), [*own.labels, *others.labels]
    scores = []
    for step, weights in zip(steps, kept["weights"], strict=True):
        known = [step_of(Contribution(x[[at]], [labels[at]]), weights) for at in range(len(x))]
        columns = np.array([one.ravel() for one in known]).T
        scores.append(np.linalg.lstsq(columns, step.ravel())[0])
    is_there = np.tile(np.arange(len(x)) < EACH, len(scores))
    return roc_auc_score(is_there, np.concatenate(scores))


@pytest.mark.parametrize("name", ["east", "south"])
def test_membership_shows_in_bare_steps_and_not_in_what_the_server_gets(seen, name):
    without_masks = membership(seen, bare(seen, name), name)
    under_masks = membership(seen, received(seen, name), name)
    assert without_masks > 0.8  # rows that the model has by heart have hardly a step
    # 1,600 scores against as many, those of a round not independent: 0.5 give or take 0.02.
    assert abs(under_masks - 0.5) < 0.15


def test_what_the_server_adds_up_has_the_noise_that_was_agreed_on(tmp_path):
    agreement, kept = curious(tmp_path, Guarantee(1.0, 1e-6))
    total = kept["hidden"].sum(axis=1, dtype=np.uint64).view(np.int64)
    exact = sum(bare(kept, name) for name in NAMES).reshape(total.shape)
    spread = (total - exact).std() / (agreement.share * np.sqrt(len(NAMES)))
    # Of so many numbers the deviation is within a hundredth or two of the width.
    assert 0.9 < spread < 1.1
