"""Every provider passes one suite; the file provider's refusals."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cipherset.core.errors import BackendError, InputError, KeyAccessError
from cipherset.core.secret import Secret
from cipherset.custody.keys import KeyProvider, open_provider

PLAIN = "file:kek"
WITH_PASSPHRASE = "file:kek?passphrase-file=pass"
secrets = st.binary(min_size=32, max_size=32)


@pytest.fixture
def home(tmp_path):
    write_passphrase(tmp_path, "correct horse\n")
    return tmp_path


def write_passphrase(home, text):
    (home / "pass").write_text(text)
    (home / "pass").chmod(0o600)


@pytest.fixture(params=[PLAIN, WITH_PASSPHRASE])
def provider(request, home) -> KeyProvider:
    return open_provider(request.param, home=home)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(secret=secrets, bound=st.binary(max_size=40))
def test_what_is_wrapped_unwraps(provider, secret, bound):
    wrapped = provider.wrap(Secret(secret), bound)
    assert provider.unwrap(wrapped, bound).reveal() == secret
    assert secret not in wrapped
    assert wrapped != provider.wrap(Secret(secret), bound)


def test_associated_data_and_every_byte_are_bound(provider):
    wrapped = provider.wrap(Secret(bytes(32)), b"bound")
    flipped = [
        wrapped[:k] + bytes([wrapped[k] ^ 1]) + wrapped[k + 1 :] for k in range(len(wrapped))
    ]
    cases = [(wrapped, b"other"), (wrapped, b""), (wrapped[:-1], b"bound"), (b"", b"bound")]
    for bad, bound in [*cases, *((flip, b"bound") for flip in flipped)]:
        with pytest.raises(KeyAccessError) as caught:
            provider.unwrap(bad, bound)
        assert caught.value.code == "key_unwrap"


def test_it_opens_again_from_what_is_on_the_disk(provider, home):
    wrapped = provider.wrap(Secret(bytes(32)), b"")
    again = open_provider(provider.uri, home=home)
    assert again.unwrap(wrapped, b"").reveal() == bytes(32)
    assert (home / "kek").stat().st_mode & 0o777 == 0o600


def test_a_lost_key_file_is_said_and_not_made_anew(provider, home):
    wrapped = provider.wrap(Secret(bytes(32)), b"")
    (home / "kek").unlink()
    with pytest.raises(KeyAccessError) as caught:
        open_provider(provider.uri, home=home).unwrap(wrapped, b"")
    assert caught.value.code == "key_file_missing"
    assert not (home / "kek").exists()


@pytest.mark.parametrize("mode", [0o640, 0o602])
@pytest.mark.parametrize("name", ["kek", "pass"])
def test_loose_permissions_are_refused(home, name, mode):
    open_provider(WITH_PASSPHRASE, home=home).wrap(Secret(bytes(32)), b"")
    (home / name).chmod(mode)
    with pytest.raises(KeyAccessError) as caught:
        open_provider(WITH_PASSPHRASE, home=home).wrap(Secret(bytes(32)), b"")
    assert caught.value.code == "key_file_permissions"
    assert f"{mode:04o}" in caught.value.message
    assert "chmod 600" in caught.value.hint


def test_a_wrong_passphrase_does_not_open(home):
    wrapped = open_provider(WITH_PASSPHRASE, home=home).wrap(Secret(bytes(32)), b"")
    write_passphrase(home, "battery staple")
    with pytest.raises(KeyAccessError) as caught:
        open_provider(WITH_PASSPHRASE, home=home).unwrap(wrapped, b"")
    assert caught.value.code == "key_unwrap"
    for place in (caught.value.message, caught.value.hint, repr(caught.value)):
        assert "battery" not in place


def test_the_last_line_end_is_no_part_of_a_passphrase(home):
    wrapped = open_provider(WITH_PASSPHRASE, home=home).wrap(Secret(bytes(32)), b"")
    write_passphrase(home, "correct horse")
    assert open_provider(WITH_PASSPHRASE, home=home).unwrap(wrapped, b"").reveal() == bytes(32)


def test_an_empty_passphrase_is_refused(home):
    write_passphrase(home, "\n")
    with pytest.raises(KeyAccessError) as caught:
        open_provider(WITH_PASSPHRASE, home=home).wrap(Secret(bytes(32)), b"")
    assert caught.value.code == "passphrase"


@pytest.mark.parametrize(("made", "used"), [(PLAIN, WITH_PASSPHRASE), (WITH_PASSPHRASE, PLAIN)])
def test_a_key_file_is_of_one_kind(home, made, used):
    open_provider(made, home=home).wrap(Secret(bytes(32)), b"")
    with pytest.raises(KeyAccessError) as caught:
        open_provider(used, home=home).wrap(Secret(bytes(32)), b"")
    assert caught.value.code == "key_file"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"schema":"cipherset/kek/1"}',
        b'{"key":1,"schema":"cipherset/kek/1"}',
        b'{"key":"AAAA","schema":"cipherset/kek/1"}',
        b'{"key":"?","schema":"cipherset/kek/1"}',
    ],
)
def test_a_key_file_that_is_none_is_refused(home, content):
    (home / "kek").write_bytes(content)
    (home / "kek").chmod(0o600)
    with pytest.raises(KeyAccessError) as caught:
        open_provider(PLAIN, home=home).wrap(Secret(bytes(32)), b"")
    assert caught.value.code == "key_file"


def test_a_folder_in_the_key_files_place(home):
    (home / "kek").mkdir()
    with pytest.raises(BackendError) as caught:
        open_provider(PLAIN, home=home).wrap(Secret(bytes(32)), b"")
    assert caught.value.code == "disk"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "kek",
        "file:",
        "vault:kek",
        "file://host/kek",
        "file:kek#x",
        "file:kek?passphrase=canary-hunter2",
        "file:kek?passphrase-file=",
        "file:kek?canary-hunter2",
        "file:kek?passphrase-file=a&more=canary",
    ],
)
def test_other_uris_are_refused_and_not_repeated(home, uri):
    with pytest.raises(InputError) as caught:
        open_provider(uri, home=home)
    assert caught.value.code == "provider_uri"
    assert "canary" not in caught.value.message + caught.value.hint


def test_absolute_and_escaped_paths(home, tmp_path_factory):
    other = tmp_path_factory.mktemp("a b")
    name = str(other).replace(" ", "%20")
    open_provider(f"file:{name}/kek", home=home).wrap(Secret(bytes(32)), b"")
    assert (other / "kek").exists()
    assert not (home / "kek").exists()
