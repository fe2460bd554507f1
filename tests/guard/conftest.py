"""The detectors as they are shipped, and the real encoder."""

import pytest

from cipherset.app.encoders import DEFAULT_ENCODER, open_encoder
from cipherset.core.errors import BackendError, IntegrityError
from cipherset.interfaces.cli.settings import cache
from cipherset.pipeline.sanitize import default_policy
from cipherset.pipeline.sanitize.rules import every_detector


@pytest.fixture(scope="session")
def detectors():
    return every_detector(default_policy())


@pytest.fixture(scope="session")
def minilm():
    try:
        return open_encoder(DEFAULT_ENCODER, cache())
    except (BackendError, IntegrityError) as error:
        pytest.fail(f"the set-up did not bring the weights: {error.message}; {error.hint}")
