"""A name alone: where one person works alone, on the machine itself, and nowhere else."""

import pytest
from starlette.requests import Request

from cipherset.core.errors import PolicyError
from cipherset.custody.policy import Authenticated
from cipherset.interfaces.http.identity.claimed import HEADER, ClaimedIdentity


def asked(client, name=None):
    headers = [] if name is None else [(HEADER.lower().encode(), name.encode())]
    return Request({"type": "http", "client": client, "headers": headers})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.1"])
def test_who_is_here_is_taken_at_their_word(host):
    identity = ClaimedIdentity("root", lambda: True)
    known = identity.identify(asked((host, 1)))
    assert (known.name, known.authenticated) == ("root", Authenticated.CLAIMED)
    assert identity.identify(asked((host, 1), "ada")).name == "ada"


@pytest.mark.parametrize(
    ("client", "name", "is_alone"),
    [
        (("10.0.0.7", 1), None, True),
        (("a-name", 1), None, True),
        (None, None, True),
        (("127.0.0.1", 1), "no name", True),
        (("127.0.0.1", 1), "", True),
        (("127.0.0.1", 1), "x" * 200, True),
        (("127.0.0.1", 1), "ada", False),
    ],
)
def test_nobody_else_is(client, name, is_alone):
    with pytest.raises(PolicyError) as caught:
        ClaimedIdentity("root", lambda: is_alone).identify(asked(client, name))
    assert caught.value.code == "unidentified"
