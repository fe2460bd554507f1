"""Choosing a provider: nothing is loaded that is not asked for; the pauses between attempts."""

import subprocess
import sys
from pathlib import Path

import pytest
from custody_provider_suite import check_key_provider, check_ring, refused

from cipherset.custody.keys import open_provider
from cipherset.custody.keys.providers.retry import ATTEMPTS, LAST_START_S, retried

EXTRAS = {
    "pkcs11": ("pkcs11", "pkcs11:token=t;object=o?module-path=m&pin-source=file:p"),
    "awskms": ("boto3", "awskms:key?region=r"),
    "hcvault": ("hvac", "hcvault:m/keys/k?address=https://host&token-file=t"),
    "keyring": ("keyring", "file:?keyring=service"),
}


def test_a_file_is_a_key_provider(tmp_path):
    check_key_provider(
        lambda: open_provider("file:kek", home=tmp_path),
        lambda: open_provider("file:other", home=tmp_path),
    )


def test_a_ring_works_over_a_file(tmp_path):
    check_ring(tmp_path, "file:kek")


def test_a_scheme_is_loaded_when_it_is_asked_for():
    """Its library may be there before: securesystemslib loads those that it finds."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom cipherset.custody.keys import open_provider\n"
        "open_provider('file:kek', home=Path())\n"
        "here = 'cipherset.custody.keys.providers.'\n"
        "print([n for n in ('pkcs11', 'awskms', 'hcvault') if here + n in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("scheme", EXTRAS)
def test_a_missing_extra_is_said(scheme, monkeypatch, tmp_path):
    library, uri = EXTRAS[scheme]
    name = {"keyring": "oskeyring"}.get(scheme, scheme)
    monkeypatch.delitem(sys.modules, f"cipherset.custody.keys.providers.{name}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    told = refused(lambda: open_provider(uri, home=tmp_path), "provider_missing_extra")
    assert f"pip install 'cipherset[{scheme}]'" in told


def test_a_fault_of_ours_is_not_called_a_missing_extra(monkeypatch, tmp_path):
    name = "cipherset.custody.keys.providers.awskms"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError):
        open_provider(EXTRAS["awskms"][1], home=tmp_path)


@pytest.mark.parametrize("uri", ["gcpkms:key", "file://[", "pkcs11:", "awskms:key#x"])
def test_other_uris_are_refused(uri):
    refused(lambda: open_provider(uri, home=Path()), "provider_uri")


class PassingError(Exception):
    pass


class Attempts:
    """Fails so many times; its clock moves by what each call takes and by what is slept."""

    def __init__(self, failures: int, *, call_s: float = 0.0) -> None:
        self.failures = failures
        self.call_s = call_s
        self.now = 0.0
        self.made: list[float] = []

    def __call__(self) -> str:
        self.made.append(self.now)
        self.now += self.call_s
        if len(self.made) <= self.failures:
            raise PassingError
        return "done"

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self) -> str:
        return retried(self, passing=(PassingError,), sleep=self.sleep, clock=lambda: self.now)


def test_what_passes_is_tried_again():
    attempts = Attempts(failures=ATTEMPTS - 1)
    assert attempts.run() == "done"
    assert len(attempts.made) == ATTEMPTS
    pauses = [
        after - before for before, after in zip(attempts.made, attempts.made[1:], strict=False)
    ]
    assert all(0 < pause <= 0.5 * 2**k for k, pause in enumerate(pauses))


@pytest.mark.parametrize(("call_s", "made"), [(0.0, ATTEMPTS), (LAST_START_S, 1)])
def test_it_ends(call_s, made):
    attempts = Attempts(failures=9, call_s=call_s)
    with pytest.raises(PassingError):
        attempts.run()
    assert len(attempts.made) == made


def test_what_does_not_pass_is_not_tried_again():
    made = []

    def call() -> None:
        made.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        retried(call, passing=(PassingError,))
    assert made == [1]
