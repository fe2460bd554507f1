"""A gateway with an approved service behind it, and the real client of the protocol before it."""

import pytest
from relay_gateway import RULES, Gateway, gateway, prepared
from relay_upstream import Service, service


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """Service, gateway and client, all up; the service is never left alone."""
    home = tmp_path_factory.mktemp("relay") / "workspace"
    rules = f"{RULES}most_failures = 100\n"
    with (
        service() as found,
        gateway(prepared(home, found.url, rules)) as served,
        served.client() as client,
    ):
        yield found, served, client


@pytest.fixture
def upstream(running) -> Service:
    """The service, as if it had just begun."""
    found = running[0]
    found.script = Service().script
    for each in (found.asked, found.headers, found.paths):
        each.clear()
    found.gone.clear()
    return found


@pytest.fixture
def served(running) -> Gateway:
    """The gateway; its events are those from now on."""
    running[1].begin()
    return running[1]


@pytest.fixture
def client(running, served, upstream):
    return running[2]


@pytest.fixture
def home(tmp_path, upstream):
    """A workspace of the test's own, with the service ``chat``, approved."""
    return prepared(tmp_path / "workspace", upstream.url, RULES)
