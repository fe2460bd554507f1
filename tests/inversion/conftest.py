"""One corpus for all tests of this room."""

import pytest
from inversion_corpus import Corpus


@pytest.fixture(scope="session")
def corpus():
    return Corpus()
