"""A workspace that is held open, with people in it."""

import pytest
from identity_people import ROUTER, add, session_of

from cipherset.app.workspace import hold


@pytest.fixture
def held(tmp_path):
    """ada, with a certificate's URI; bob, without; everybody else is nobody."""
    with hold(session_of(tmp_path / "workspace")) as session:
        add(session, "ada", ROUTER)
        add(session, "bob")
        yield session
