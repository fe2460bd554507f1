"""One gateway of a team for all tests that change nothing of it, and one of a person alone."""

import pytest
from http_samples import gateway


@pytest.fixture
def solo(tmp_path):
    with gateway(tmp_path / "workspace", claimed=True) as served:
        yield served
