"""A bundle answers what the model of its library answers, on every row of both splits.

One kind of model of each library that users bring, converted by the library's usual converter; and
kinds that are refused for an operator. Those of scikit-learn that take no time are quick.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import skl2onnx
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import cipherset
from cipherset.core.errors import PolicyError
from cipherset.pipeline.train import load_bundle, run_labels, to_onnx

DIM = 24
CLASSES = ("bad", "fine", "good")
ROWS = 1500
LINEAR = [
    LogisticRegression(),
    RidgeClassifier(),
    LinearSVC(),
    SGDClassifier(random_state=0),
    Perceptron(),
    LinearDiscriminantAnalysis(),
    make_pipeline(StandardScaler(), LogisticRegression()),
    make_pipeline(MinMaxScaler(), LogisticRegression()),
    make_pipeline(Normalizer(), LogisticRegression()),
    make_pipeline(PCA(8, random_state=0), LogisticRegression()),
    DecisionTreeClassifier(random_state=0),
]
SLOWER = [
    MLPClassifier(max_iter=60, random_state=0, tol=0.01),
    RandomForestClassifier(30, random_state=0),
    ExtraTreesClassifier(30, random_state=0),
    GradientBoostingClassifier(n_estimators=20, random_state=0),
]
REFUSED = [KNeighborsClassifier(), GaussianNB(), BaggingClassifier(n_estimators=2)]


@dataclass
class Lab:
    """What ``save_bundle`` asks of a cipherset, with rows drawn here."""

    manifest: object
    x: np.ndarray
    y: np.ndarray
    manifest_digest: str = "sha256:" + "d" * 64

    def to_numpy(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        return self.x, self.y


@pytest.fixture(scope="module")
def lab(owner_once) -> Lab:
    shown = cipherset.open(owner_once.folder / "rows.cipherset").manifest
    manifest = shown.model_copy(update={"dim": DIM, "classes": CLASSES})
    rng = np.random.default_rng(11)
    x = rng.standard_normal((ROWS, DIM)).astype(np.float32)
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + 0.3 * rng.standard_normal(ROWS)
    return Lab(manifest, x, np.array(CLASSES)[np.digitize(score, [-0.5, 0.5])])


def answers(path: Path, onnx_model: bytes, lab: Lab) -> np.ndarray:
    """The class names that the bundle gives for the lab's rows, read back from the disk."""
    cipherset.save_bundle(path, onnx_model, lab, {})
    return np.array(CLASSES)[run_labels(load_bundle(path), lab.x)]


def converted(model, x: np.ndarray) -> bytes:
    # LinearSVC has no probabilities, and so no such option
    options = None if isinstance(model, LinearSVC) else {"zipmap": False}
    return skl2onnx.to_onnx(model, x[:1], options=options).SerializeToString()


def _name(model) -> str:
    return "-".join(
        name for name, _ in getattr(model, "steps", [(type(model).__name__.lower(), 0)])
    )


@pytest.mark.parametrize("model", LINEAR, ids=_name)
def test_linear_models_and_a_tree_of_scikit_learn(model, lab, tmp_path):
    model.fit(lab.x, lab.y)
    assert (answers(tmp_path / "b", converted(model, lab.x), lab) == model.predict(lab.x)).all()


@pytest.mark.extra
@pytest.mark.parametrize("model", SLOWER, ids=_name)
def test_networks_and_forests_of_scikit_learn(model, lab, tmp_path):
    model.fit(lab.x, lab.y)
    assert (answers(tmp_path / "b", converted(model, lab.x), lab) == model.predict(lab.x)).all()


def test_what_its_own_converter_cannot_write_ours_can(lab, tmp_path):
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(lab.x, lab.y)
    assert (answers(tmp_path / "b", to_onnx(model), lab) == model.predict(lab.x)).all()


@pytest.mark.extra
def test_lightgbm(lab, tmp_path):
    import lightgbm
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = lightgbm.LGBMClassifier(n_estimators=30, verbose=-1, n_jobs=1).fit(lab.x, lab.y)
    kind = [("x", FloatTensorType([None, DIM]))]
    onnx_model = onnxmltools.convert_lightgbm(model, initial_types=kind, zipmap=False)
    given = answers(tmp_path / "b", onnx_model.SerializeToString(), lab)
    assert (given == model.predict(lab.x)).all()


@pytest.mark.extra
def test_xgboost(lab, tmp_path):
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    codes = np.searchsorted(CLASSES, lab.y)
    model = xgboost.XGBClassifier(n_estimators=30, max_depth=4, n_jobs=1).fit(lab.x, codes)
    kind = [("x", FloatTensorType([None, DIM]))]
    onnx_model = onnxmltools.convert_xgboost(model, initial_types=kind)
    given = answers(tmp_path / "b", onnx_model.SerializeToString(), lab)
    assert (given == np.array(CLASSES)[model.predict(lab.x)]).all()


@pytest.mark.extra
# torch's exporter asks its own libraries in a way that they do not like any more
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("layers", ["relu", "norm", "leaky", "batch", "silu", "elu", "tanh"])
def test_torch_by_its_own_exporter(layers, lab, tmp_path):
    import torch
    from torch import nn

    torch.manual_seed(1)
    between = {
        "relu": [nn.ReLU(), nn.Dropout(0.5)],
        "norm": [nn.LayerNorm(16), nn.GELU()],
        "leaky": [nn.LeakyReLU()],
        "batch": [nn.BatchNorm1d(16), nn.ReLU()],
        "silu": [nn.SiLU()],
        "elu": [nn.ELU()],
        "tanh": [nn.Tanh()],
    }[layers]
    scores = nn.Sequential(nn.Linear(DIM, 16), *between, nn.Linear(16, len(CLASSES)))
    x = torch.from_numpy(lab.x)
    codes = torch.from_numpy(np.searchsorted(CLASSES, lab.y))
    optimizer = torch.optim.AdamW(scores.parameters(), lr=0.02)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.cross_entropy(scores(x), codes).backward()
        optimizer.step()

    class Labels(nn.Module):
        def forward(self, rows):
            return scores(rows).argmax(1)

    model = Labels()
    model.scores = scores
    model.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    exported = torch.onnx.export(
        model,
        (torch.zeros(2, DIM),),
        input_names=["x"],
        output_names=["label"],
        dynamic_shapes={"rows": {0: torch.export.Dim.DYNAMIC}},
        verbose=False,
    )
    given = answers(tmp_path / "b", exported.model_proto.SerializeToString(), lab)
    with torch.no_grad():
        assert (given == np.array(CLASSES)[model(x).numpy()]).all()


@pytest.mark.parametrize("model", REFUSED, ids=_name)
def test_models_of_operators_that_are_not_listed_are_refused(model, lab, tmp_path):
    model.fit(lab.x[:200], lab.y[:200])
    with pytest.raises(PolicyError) as caught:
        cipherset.save_bundle(tmp_path / "b", converted(model, lab.x), lab, {})
    assert caught.value.code == "model_operator"
    assert not (tmp_path / "b").exists()
