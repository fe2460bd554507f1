"""What a gateway is opened with must be what the export was made with."""

import pytest

from cipherset.app import gateway, state
from cipherset.core.errors import IntegrityError
from cipherset.core.manifest import Task
from cipherset.interfaces.cli.settings import cache
from cipherset.pipeline.sanitize import default_policy


def test_another_encoder_than_the_recorded_one():
    settings = state.Settings(
        minimizer="none",
        approximation_factor=4.0,
        scheme="rsap/1",
        encoder="sha256:" + "0" * 64,
        classes=("a", "b"),
        fit_share=1.0,
        test_share=0.25,
        seed=0,
    )
    meta = state.Meta(
        signer="00" * 32,
        source_digest="hmac-sha256:00",
        request="sha256:00",
        target="/somewhere/out",
        cipherset_id="c1",
        manifest_digest="sha256:00",
        key_id="k",
        key_version=1,
        text=("body",),
        vector=None,
        label="topic",
        group=None,
        keep=(),
        encoder_spec="minilm-l6-v2",
        rules=default_policy().text,
        dim_in=384,
        task=Task.CLASSIFICATION,
        settings=settings,
    )
    with pytest.raises(IntegrityError) as refused:
        gateway.encoder_of(meta, cache())
    assert refused.value.code == "encoder_changed"
