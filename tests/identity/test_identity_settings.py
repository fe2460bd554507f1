"""serve.toml: strict, and what it leaves out is safe."""

import pytest

from cipherset.core.errors import InputError
from cipherset.interfaces.http.settings import SETTINGS_FILE, Settings, read_settings

FULL = """
[tls]
client_certificates = "optional"
[oidc]
issuer = "https://id.example.org/realms/main"
audience = "cipherset"
claim = "sub"
algorithms = ["ES256"]
types = ["at+jwt", "JWT"]
leeway_s = 2
[tokens]
accept = true
[proof]
origins = ["https://gateway.example.org"]
window_s = 30
[limits]
body_bytes = 1000
"""


def test_nothing_is_taken_where_nothing_is_said(tmp_path):
    found = read_settings(tmp_path)
    assert found == Settings()
    assert (found.oidc, found.tokens.accept, found.tls.client_certificates) == (
        None,
        False,
        "required",
    )


def test_the_whole_file(tmp_path):
    (tmp_path / SETTINGS_FILE).write_text(FULL)
    found = read_settings(tmp_path)
    assert found.oidc.types == ("at+jwt", "JWT")
    assert found.proof.origins == ("https://gateway.example.org",)
    assert (found.proof.window_s, found.limits.body_bytes) == (30.0, 1000)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[limit]\n", "limit"),
        ("[limits]\nbody = 1\n", "limits.body"),
        ("[limits]\nbody_bytes = '1'\n", "limits.body_bytes"),
        ("[limits]\nbody_bytes = 0\n", "limits.body_bytes"),
        ("[proof]\nwindow_s = inf\n", "float"),
        ("[tokens]\naccept = 1\n", "tokens.accept"),
        ("[oidc]\nissuer = 'https://id.example.org'\n", "oidc.audience"),
        ("[oidc]\nissuer = 'id.example.org'\naudience = 'x'\n", "oidc.issuer"),
        ("[oidc]\nissuer = 'https://u:p@h'\naudience = 'x'\n", "oidc.issuer"),
        ("[oidc]\nissuer='https://h'\naudience='x'\nalgorithms=['HS256']\n", "oidc.algorithms"),
        ("[oidc]\nissuer='https://h'\naudience='x'\nalgorithms=['none']\n", "oidc.algorithms"),
        ("[oidc]\nissuer='https://h'\naudience='x'\nalgorithms=[]\n", "oidc.algorithms"),
        ("[proof]\norigins = ['https://h/path']\n", "proof.origins"),
        ("[tls\n", "line 1"),
        ("[tls]\nclient_certificates = 1979-05-27\n", "tls.client_certificates"),
    ],
)
def test_what_does_not_say_how_to_serve(tmp_path, text, where):
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(InputError) as caught:
        read_settings(tmp_path)
    assert caught.value.code == "serve_file"
    assert where.split(".")[0] in caught.value.message


def test_what_is_no_text(tmp_path):
    (tmp_path / SETTINGS_FILE).write_bytes(b"\xff")
    with pytest.raises(InputError, match="UTF-8"):
        read_settings(tmp_path)
