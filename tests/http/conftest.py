"""A gateway of a team, and one of a person alone."""

import pytest
from http_samples import Gateway, gateway, team_in

from cipherset.app.access.signing import make_signer


@pytest.fixture
def solo(tmp_path):
    with gateway(tmp_path / "workspace", claimed=True) as served:
        yield served


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Gateway:
    """One person for each piece of the work; cora has a key of her own, in the file ``cora``."""
    folder = tmp_path_factory.mktemp("team")
    team_in(folder / "workspace", make_signer(folder / "cora"))
    with gateway(folder / "workspace") as served:
        yield served
