"""The real things that key providers are tested against: a token, two KMS, a Transit server.

Each listens on this machine only and is gone at the end of the session. What only extras install
is not imported here.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest
from ports import free_port

BIN: Final = Path(sys.executable).parent
UP_WITHIN_S: Final = 300
SOFTHSM: Final = "/usr/lib/softhsm/libsofthsm2.so"
PIN: Final = "canary-pin-4711"
TOKENS: Final = ("kek", "other", "race")
REGION: Final = "eu-central-1"


@dataclass(frozen=True)
class Transit:
    """A running OpenBao server; ``client`` may do everything."""

    address: str
    client: object
    unseal_key: str

    def unseal(self) -> None:
        self.client.sys.submit_unseal_key(self.unseal_key)
        wait(lambda: isinstance(self.client.sys.read_health_status(method="GET"), dict))


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Tokens named as in ``TOKENS``; their PIN is in ``pin``.

    A process has the module once, with the tokens that it found when it began: it begins anew here,
    or another room's tests would leave it with theirs.
    """
    import pkcs11

    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    conf = home / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\n")
    private(home / "pin", PIN + "\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("SOFTHSM2_CONF", str(conf))  # the module reads it when it begins
    for token in TOKENS:
        made = ("--label", token, "--so-pin", "12345678", "--pin", PIN)
        command = ["softhsm2-util", "--init-token", "--free", *made]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
    pkcs11.lib(SOFTHSM).reinitialize()
    yield SimpleNamespace(module=SOFTHSM, pin=home / "pin")
    patch.undo()


@pytest.fixture(scope="session")
def openbao(tmp_path_factory) -> Iterator[Transit]:
    """One unsealed server with Transit at ``transit/``."""
    import hvac

    home = tmp_path_factory.mktemp("openbao")
    port, cluster = free_port(), free_port()
    (home / "raft").mkdir()
    (home / "bao.hcl").write_text(
        f'storage "raft" {{\n  path = "{home}/raft"\n  node_id = "one"\n'
        '  performance_multiplier = "1"\n}\n'
        f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n}}\n'
        f'api_addr = "http://127.0.0.1:{port}"\n'
        f'cluster_addr = "http://127.0.0.1:{cluster}"\n'
        "disable_mlock = true\n"
    )
    command = [str(BIN / "bao"), "server", f"-config={home}/bao.hcl"]
    with running(command, home / "bao.log", port):
        address = f"http://127.0.0.1:{port}"
        client = hvac.Client(url=address, token="none")
        wait(lambda: client.sys.is_initialized() is False)
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        client.token = made["root_token"]
        server = Transit(address, client, made["keys"][0])
        server.unseal()
        client.sys.enable_secrets_engine("transit")
        yield server
        client.adapter.close()


@pytest.fixture(scope="session")
def aws_credentials() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ACCESS_KEY_ID", "canary-access-key")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def moto(tmp_path_factory, aws_credentials) -> Iterator[SimpleNamespace]:
    """A KMS that authenticates ciphertexts, but lets disabled keys decrypt."""
    port = free_port()
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log, port):
        yield kms_at(port)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory, aws_credentials) -> Iterator[SimpleNamespace]:
    """A KMS that refuses disabled and deleted keys, but does not authenticate ciphertexts."""
    port = free_port()
    home = tmp_path_factory.mktemp("ministack")
    here = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "kms"}
    here |= {"HOME": str(home), "TMPDIR": str(home)}
    with running([str(BIN / "ministack")], home / "log", port, **here):
        yield kms_at(port)


def kms_at(port: int) -> SimpleNamespace:
    import boto3

    endpoint = f"http://127.0.0.1:{port}"
    client = boto3.session.Session().client("kms", region_name=REGION, endpoint_url=endpoint)
    return SimpleNamespace(
        client=client,
        make_key=lambda: client.create_key()["KeyMetadata"]["KeyId"],
        uri=lambda key: f"awskms:{key}?region={REGION}&endpoint={endpoint}",
    )


@contextmanager
def running(command: list[str], log: Path, port: int, **environment: str) -> Iterator[None]:
    """``command`` runs and listens at ``port``; its whole process group is gone at the end."""
    with log.open("wb") as out:
        named = [f"{name}={value}" for name, value in environment.items()]
        process = subprocess.Popen(
            ["env", *named, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait(lambda: process.poll() is not None or listens(port))
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # ministack does not mind a SIGTERM
            process.wait(60)


def wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + UP_WITHIN_S
    while not done():
        assert time.monotonic() < until, "what a test needs did not come up"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path
