"""A server that others reach does not start without TLS and a way to tell who asks."""

from pathlib import Path

import pytest
from identity_people import session_of

from cipherset.app.workspace import hold
from cipherset.core.errors import UsageError
from cipherset.interfaces.http.identity.start import Listening, verified_identity
from cipherset.interfaces.http.identity.tls import TlsFiles
from cipherset.interfaces.http.settings import Oidc, Proof, Settings, Tokens

FILES = TlsFiles(Path("server.pem"), Path("server.key"))
WITH_CA = TlsFiles(Path("server.pem"), Path("server.key"), Path("ca.pem"))
TOKENS = Settings(tokens=Tokens(accept=True))
OIDC = Settings(oidc=Oidc(issuer="https://id.example.org", audience="x"))
ORIGINS = Proof(origins=("https://gateway.example.org",))
ELSEWHERE = ("0.0.0.0", "::", "10.0.0.1", "gateway.example.org", "", "127.0.0.1.example.org")


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize(
    ("tls", "settings", "code"),
    [
        (None, TOKENS, "tls_needed"),
        (FILES, Settings(), "identity_needed"),
        (FILES, TOKENS, "origins_needed"),
        (WITH_CA, OIDC, "origins_needed"),
    ],
)
def test_what_does_not_start(host, tls, settings, code):
    with pytest.raises(UsageError) as caught:
        Listening(host, tls, settings).check()
    assert caught.value.code == code


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize(
    ("tls", "settings"),
    [
        (WITH_CA, Settings()),
        (FILES, TOKENS.model_copy(update={"proof": ORIGINS})),
        (FILES, OIDC.model_copy(update={"proof": ORIGINS})),
    ],
)
def test_what_starts(host, tls, settings):
    listening = Listening(host, tls, settings)
    listening.check()
    assert listening.verifies
    assert not listening.is_local


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_on_this_machine_alone_anything_starts(host):
    listening = Listening(host, None, Settings())
    listening.check()
    assert (listening.is_local, listening.verifies) == (True, False)


def test_the_identity_is_over_the_session_s_ledger(tmp_path):
    with hold(session_of(tmp_path / "workspace")) as held:
        assert verified_identity(held, TOKENS)._takes_ours
        assert verified_identity(held, OIDC)._issued is not None
        assert verified_identity(held, Settings())._issued is None
