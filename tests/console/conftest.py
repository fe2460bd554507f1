"""A team's console, over a workspace in which something has happened."""

import pytest
from console_samples import Console, console, team_with


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Console:
    home = tmp_path_factory.mktemp("console") / "workspace"
    team_with(home)
    with console(home) as served:
        yield served
