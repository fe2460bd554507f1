"""The commands and settings of deploy/, carried out: served, probed, asked, backed up and ended."""

import json
import signal
import ssl
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from deploy_files import documents, gateway, pod_arguments
from programs import first_told

pytestmark = [pytest.mark.soak, pytest.mark.needs("openssl")]
DEADLINE_S = 60
RUN = (sys.executable, "-c", "from cipherset.interfaces.cli.main import main; main()")


class Place:
    """A workspace under the team's policies, and certificates for the gateway and for eve."""

    def __init__(self, folder):
        self.home = folder / "workspace"
        self.folder = folder
        self.files = {
            "--tls-cert": folder / "tls.crt",
            "--tls-key": folder / "tls.key",
            "--client-ca": folder / "ca.crt",
        }
        self.authority()
        self.leaf("tls", "subjectAltName=DNS:localhost,IP:127.0.0.1", "/CN=localhost")
        self.leaf("eve", "extendedKeyUsage=clientAuth", "/CN=eve")
        self.run("init", "--policy", "team", "--as", "root")
        self.run("principal", "add", "eve", "--role", "auditor", "--as", "root")
        settings = documents("gateway.yaml")["ConfigMap"]["data"]["serve.toml"]
        (self.home / "serve.toml").write_text(settings)

    def run(self, *words):
        command = [*RUN, *words, "--home", str(self.home), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
        return json.loads(done.stdout)

    def authority(self):
        signs = "keyUsage=critical,keyCertSign,cRLSign"
        self.openssl("-subj", "/CN=clients", "-addext", signs, name="ca")

    def leaf(self, name, extension, subject):
        signed = ("-CA", self.folder / "ca.crt", "-CAkey", self.folder / "ca.key")
        plain = ("-addext", "basicConstraints=critical,CA:FALSE", "-addext", extension)
        self.openssl(*signed, *plain, "-subj", subject, name=name)

    def openssl(self, *options, name):
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        to = ("-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.crt")
        command = ["openssl", "req", "-x509", *new, *to, *options]
        subprocess.run(command, capture_output=True, check=True, timeout=600)

    def client(self, who=None):
        context = ssl.create_default_context(cafile=self.files["--client-ca"])
        if who is not None:
            context.load_cert_chain(self.folder / f"{who}.crt", self.folder / f"{who}.key")
        return httpx.Client(verify=context, timeout=DEADLINE_S)

    @contextmanager
    def serving(self, words):
        """Started with these words, but for the port and the places of the files."""
        told = dict(zip(words[1::2], words[2::2], strict=True))
        told |= {option: str(path) for option, path in self.files.items()} | {"--port": "0"}
        flat = [part for pair in told.items() for part in pair]
        command = [*RUN, "serve", *flat, "--home", str(self.home), "--json"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as popen:
            try:
                yield popen, f"https://127.0.0.1:{first_told(popen)['port']}"
            finally:
                popen.kill()


def test_it_is_served_probed_asked_backed_up_and_ended(tmp_path):
    """As the pod does it; that the unit and the image say the same, the files show."""
    place = Place(tmp_path)
    with place.serving(pod_arguments()) as (popen, url):
        with place.client() as anybody:
            for name in ("startup", "liveness", "readiness"):
                path = gateway()[f"{name}Probe"]["httpGet"]["path"]
                assert anybody.get(url + path).json()["status"] == "ok"
            assert anybody.get(f"{url}/v1/audit/verify").status_code in {401, 405}
            assert anybody.get(f"{url}/v1/grants").status_code == 401
        with place.client("eve") as eve:
            assert eve.get(f"{url}/v1/grants").status_code == 200
        copied = place.run("backup", "--to", str(tmp_path / "copy"), "--as", "root")
        with place.client("eve") as eve:
            assert eve.get(f"{url}/v1/grants").status_code == 200
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(DEADLINE_S) == 0
    place.home = tmp_path / "copy"
    found = place.run("audit", "verify", "--as", "eve")
    assert found["valid"]
    assert found["events"] >= copied["events"]
