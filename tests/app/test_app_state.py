"""What stays sealed at home opens under its key, in its place, unchanged, or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cipherset.app import state
from cipherset.core.errors import IntegrityError, PolicyError
from cipherset.core.manifest import Task
from cipherset.custody.keys import ephemeral_sealer
from cipherset.pipeline.minimize import FitSettings, FittedColumn, fit, parse_spec
from cipherset.pipeline.sanitize import default_policy

SETTINGS = state.Settings(
    minimizer="lda:1",
    approximation_factor=4.0,
    scheme="rsap/1",
    encoder="given",
    classes=("a", "b"),
    fit_share=1.0,
    test_share=0.25,
    seed=0,
)
META = state.Meta(
    signer="00" * 32,
    source_digest="hmac-sha256:00",
    request="sha256:00",
    target="/somewhere/out",
    cipherset_id="c1",
    manifest_digest="sha256:00",
    key_id="k",
    key_version=1,
    text=(),
    vector="vec",
    label="topic",
    group=None,
    keep=("region",),
    encoder_spec=None,
    rules=default_policy().text,
    dim_in=4,
    task=Task.CLASSIFICATION,
    settings=SETTINGS,
)


@pytest.fixture
def sealer():
    return ephemeral_sealer()


@pytest.fixture
def minimizer():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    x = (rng.normal(size=(40, 4)) + 3 * y[:, None]).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return fit(parse_spec("lda:1"), x, y, settings=FitSettings(noise_radius=1.0, seed=0))


def _export(tmp_path, sealer):
    folder = tmp_path / "c1"
    folder.mkdir(exist_ok=True)
    state.write_meta(folder, META, sealer)
    return folder / state.META


def test_meta_comes_back(tmp_path, sealer):
    _export(tmp_path, sealer)
    found = state.read_state(tmp_path, "c1", sealer)
    assert found.meta == META
    assert found.meta.roles_for(labeled=True).label == "topic"
    assert found.meta.roles_for(labeled=False).label is None
    assert found.meta.roles_for(labeled=True).keep == ()


def test_minimizer_comes_back(tmp_path, sealer, minimizer):
    path = tmp_path / "k.v1"
    state.write_minimizer(path, minimizer, SETTINGS, sealer)
    found, bound = state.read_minimizer(path, sealer)
    assert bound == SETTINGS
    x = np.eye(4, dtype=np.float32)
    np.testing.assert_array_equal(found.transform(x), minimizer.transform(x))
    np.testing.assert_array_equal(
        found.head_predict(found.transform(x)), minimizer.head_predict(minimizer.transform(x))
    )


@pytest.mark.parametrize("part", ["meta", "minimizer"])
def test_any_change_is_seen(tmp_path, sealer, minimizer, part):
    path = tmp_path / "k.v1"
    state.write_minimizer(path, minimizer, SETTINGS, sealer)
    meta = _export(tmp_path, sealer)
    read, sealed = {
        "meta": (lambda with_: state.read_state(tmp_path, "c1", with_), meta),
        "minimizer": (lambda with_: state.read_minimizer(path, with_), path),
    }[part]
    whole = sealed.read_bytes()
    rng = np.random.default_rng(1)
    places = [0, len(whole) - 1, *rng.integers(len(whole), size=30).tolist()]
    damaged = [whole[:p] + bytes([whole[p] ^ 1]) + whole[p + 1 :] for p in places]
    for raw in (b"", whole[:-1], whole + b"\0", *damaged):
        sealed.write_bytes(raw)
        with pytest.raises(IntegrityError):
            read(sealer)
    sealed.write_bytes(whole)
    read(sealer)
    with pytest.raises(IntegrityError):
        read(ephemeral_sealer())
    sealed.unlink()
    with pytest.raises(IntegrityError) as refused:
        read(sealer)
    assert refused.value.code == "sealed_missing"
    assert str(sealed) in refused.value.message


def test_a_part_does_not_open_in_another_place(tmp_path, sealer, minimizer):
    path = tmp_path / "k.v1"
    state.write_minimizer(path, minimizer, SETTINGS, sealer)
    path.rename(tmp_path / "k.v2")
    with pytest.raises(IntegrityError):
        state.read_minimizer(tmp_path / "k.v2", sealer)
    _export(tmp_path, sealer).parent.rename(tmp_path / "c2")
    with pytest.raises(IntegrityError):
        state.read_state(tmp_path, "c2", sealer)


@given(st.sampled_from(sorted(state.Settings.model_fields)))
def test_every_setting_is_bound(name):
    state.check_same(SETTINGS, SETTINGS.model_copy())
    values = {"classes": ("a", "c"), "columns": (FittedColumn("plan"),), "seed": 1}
    other = values.get(name, "x" if name in TEXTS else 0.5)
    with pytest.raises(PolicyError) as refused:
        state.check_same(SETTINGS, SETTINGS.model_copy(update={name: other}))
    assert refused.value.code == "minimizer_bound"
    assert name in refused.value.message


TEXTS = {"minimizer", "noise", "scheme", "encoder"}
