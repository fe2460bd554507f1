"""Keys in AWS KMS: two servers that speak it, each strict where the other is not."""

import http.server
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from custody_provider_suite import check_key_provider, check_refusals, check_ring, refused
from custody_servers import REGION
from ports import free_port
from test_custody_providers_hcvault import serving

from cipherset.core.errors import CiphersetError
from cipherset.core.secret import Secret
from cipherset.custody.keys import open_provider

pytestmark = pytest.mark.extra
LEAKS = ("canary-access-key", "canary-secret-key")


def provider_at(uri: str):
    return open_provider(uri, home=Path())


def test_it_is_a_key_provider(moto):
    key, other = moto.make_key(), moto.make_key()
    # Where the key that a ciphertext names is another, AWS says IncorrectKeyException (below), and
    # moto that access is denied.
    check_key_provider(
        lambda: provider_at(moto.uri(key)),
        lambda: provider_at(moto.uri(other)),
        leaks=LEAKS,
        also=("provider_denied",),
    )


def test_a_ring_works_over_it(moto, tmp_path):
    check_ring(tmp_path / "ring", moto.uri(moto.make_key()))


def test_a_key_by_its_alias_or_arn(moto):
    key = moto.make_key()
    moto.client.create_alias(AliasName="alias/routing", TargetKeyId=key)
    arn = moto.client.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    wrapped = provider_at(moto.uri("alias/routing")).wrap(Secret(bytes(32)), b"")
    assert provider_at(moto.uri(arn)).unwrap(wrapped, b"").reveal() == bytes(32)


def test_no_such_key(moto):
    refused(lambda: provider_at(moto.uri("alias/none")).wrap(Secret(bytes(32)), b""), "kek_missing")


def test_a_disabled_key(ministack):
    key = ministack.make_key()
    provider = provider_at(ministack.uri(key))
    wrapped = provider.wrap(Secret(bytes(32)), b"bound")

    @contextmanager
    def disabled():
        ministack.client.disable_key(KeyId=key)
        yield
        ministack.client.enable_key(KeyId=key)

    check_refusals(provider, wrapped, disabled(), "key_disabled")


def test_a_key_whose_deletion_is_scheduled(ministack):
    key = ministack.make_key()
    provider = provider_at(ministack.uri(key))
    wrapped = provider.wrap(Secret(bytes(32)), b"bound")
    ministack.client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    refused(lambda: provider.wrap(Secret(bytes(32)), b"bound"), "key_disabled")
    refused(lambda: provider.unwrap(wrapped, b"bound"), "key_disabled")


def test_a_service_that_is_down(aws_credentials):
    uri = f"awskms:key?region={REGION}&endpoint=http://127.0.0.1:{free_port()}"
    refused(lambda: provider_at(uri).unwrap(b"wrapped", b""), "provider_unreachable")


def test_no_credentials(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    uri = f"awskms:key?region={REGION}&endpoint=http://127.0.0.1:{free_port()}"
    refused(lambda: provider_at(uri).unwrap(b"wrapped", b""), "provider_denied")


def answering(status: int, body: bytes):
    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Answering


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("AccessDeniedException", "provider_denied"),
        ("ExpiredTokenException", "provider_denied"),
        ("IncorrectKeyException", "key_unwrap"),
        ("InvalidCiphertextException", "key_unwrap"),
        ("InvalidKeyUsageException", "kek_unsuitable"),
        ("KMSInvalidStateException", "key_disabled"),
        ("ThrottlingException", "provider_unreachable"),
        ("SomethingNewException", "provider_failed"),
    ],
)
def test_what_aws_says_and_we_repeat_only_by_code(aws_credentials, said, code):
    body = json.dumps({"__type": said, "message": "canary 123456789012"}).encode()
    with serving(answering(400, body)) as address:
        provider = provider_at(f"awskms:key?region={REGION}&endpoint={address}")
        assert "canary" not in refused(lambda: provider.unwrap(b"wrapped", b""), code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "provider_failed"),
        (b'{"Plaintext":"AAAA"}', "key_unwrap"),
        (b"not json", "provider_failed"),
    ],
)
def test_odd_answers(aws_credentials, body, code):
    with serving(answering(200, body)) as address:
        provider = provider_at(f"awskms:key?region={REGION}&endpoint={address}")
        refused(lambda: provider.unwrap(b"wrapped", b""), code)


@pytest.mark.parametrize(
    "uri",
    [
        "awskms:key",
        "awskms:?region=r",
        "awskms:key?region=",
        "awskms:key?region=r&endpoint=http://host",
        "awskms:key?region=r&region=s",
        "awskms:key?region=r&secret=canary",
        "awskms://key?region=r",
    ],
)
def test_other_uris_are_refused_and_not_repeated(uri):
    assert "canary" not in refused(lambda: provider_at(uri), "provider_uri")


def test_what_the_client_itself_refuses():
    """Errors of boto3 before or beside an answer, each with its own code."""
    from botocore.exceptions import BotoCoreError, ParamValidationError, SSLError

    provider = provider_at("awskms:alias/kek?region=eu-central-1&endpoint=http://127.0.0.1:9")
    provider._client = object()  # else boto3 looks for credentials on the network
    codes = []
    for error in (
        ParamValidationError(report="canary"),
        SSLError(endpoint_url="canary", error="canary"),
        BotoCoreError(),
    ):

        def fails(client, error=error):
            raise error

        with pytest.raises(CiphersetError) as caught:
            provider._ask(fails)
        assert "canary" not in f"{caught.value}{caught.value.hint}"
        codes.append(caught.value.code)
    assert codes == ["key_unwrap", "provider_certificate", "provider_failed"]
