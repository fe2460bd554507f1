"""A gateway with an approved service behind it, and the real client of the protocol before it."""

import pytest
from relay_gateway import RULES, Gateway, gateway, prepared
from relay_upstream import service


@pytest.fixture
def upstream():
    with service() as found:
        yield found


@pytest.fixture
def home(tmp_path, upstream):
    """A workspace with the service ``chat``, approved."""
    return prepared(tmp_path / "workspace", upstream.url, RULES)


@pytest.fixture
def served(home) -> Gateway:
    with gateway(home) as found:
        yield found


@pytest.fixture
def client(served):
    with served.client() as found:
        yield found
