"""A gateway of a team, and one of a person alone."""

from dataclasses import replace

import pytest
from http_samples import TEAM, Gateway, gateway

from cipherset.app import keys
from cipherset.app.access.init import init
from cipherset.app.access.principals import Change, add
from cipherset.app.access.signing import make_signer
from cipherset.app.workspace import Session
from cipherset.custody.policy import BuiltIn
from cipherset.interfaces.cli.output import TerminalProgress


@pytest.fixture
def solo(tmp_path):
    with gateway(tmp_path / "workspace", claimed=True) as served:
        yield served


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Gateway:
    """A key, and one person for each piece of the work; cora has a key of her own, in ``cora``."""
    folder = tmp_path_factory.mktemp("team")
    root = Session(folder / "workspace", "root", folder, TerminalProgress())
    init(root, BuiltIn.TEAM)
    public = make_signer(folder / "cora")
    for name, role in TEAM.items():
        add(root, Change(name, (role,), public_key=public if name == "cora" else None))
    keys.create(replace(root, actor="kim"), "support", purpose="tests", provider=None)
    with gateway(root.home) as served:
        yield served
