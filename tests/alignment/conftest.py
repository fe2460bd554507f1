"""One narrow domain for all tests of this room."""

import pytest
from alignment_samples import Domain


@pytest.fixture(scope="session")
def domain():
    return Domain(0)


@pytest.fixture(scope="session")
def public(domain):
    """Vectors and topics."""
    return domain.sample(1500, 1)


@pytest.fixture(scope="session")
def private(domain):
    """Vectors and topics of the same domain, none of them public."""
    return domain.sample(1500, 2)
