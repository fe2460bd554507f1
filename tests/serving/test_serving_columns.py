"""A model of vectors that columns stand beside is not asked over HTTP, nor is its key."""

import pytest
import serving_thread

from cipherset.app.oracle.encrypt import EncryptRequest, encrypt
from cipherset.app.serving.models.answer import Question
from cipherset.app.serving.models.predict import open_models
from cipherset.app.workspace import hold
from cipherset.core.errors import InputError


def test_who_sends_no_columns_is_refused(tmp_path):
    owner = serving_thread.columns_owner(tmp_path / "owner")
    x, _ = serving_thread.vectors(20, seed=3)
    with hold(owner.session) as session, open_models(session) as models:
        with pytest.raises(InputError) as refused:
            models.predict(session, "router", Question(vectors=x))
        assert refused.value.code == "columns_beside"
    with pytest.raises(InputError) as refused:
        encrypt(owner.session, EncryptRequest("support", vectors=(tuple(x[0].tolist()),)))
    assert refused.value.code == "columns_beside"
