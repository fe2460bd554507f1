"""``file:?keyring=SERVICE`` against a real Secret Service on a bus of its own."""

import base64
import contextlib
import gc
import shutil
import subprocess
import sys
import warnings
from urllib.parse import urlsplit

import pytest
from custody_provider_suite import check_key_provider, check_refusals, check_ring, refused
from custody_racing import raced
from programs import ended_after

from cipherset.core.secret import Secret
from cipherset.custody.keys import open_provider

pytestmark = [
    pytest.mark.extra,
    pytest.mark.needs("dbus", "gnome-keyring"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # the library's
]

URI = "file:?keyring=cipherset-test"
PASSWORD = b"canary-login-77d0"
BUS_S = 1200


@pytest.fixture(scope="module")
def bus(tmp_path_factory):
    """A keyring that nobody else uses, unlocked; its processes end with the module."""
    home = tmp_path_factory.mktemp("keyring")
    home.chmod(0o700)
    with serving(home, PASSWORD):
        import keyring

        keyring.core.init_backend()
        yield home
        keyring.set_keyring(keyring.backends.fail.Keyring())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it closes none of its connections
            gc.collect()


@contextlib.contextmanager
def serving(home, password=None):
    """A bus with the keyring of ``home`` on it; locked where no password is given."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(name, str(home))
        patch.delenv("DISPLAY", raising=False)
        command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"]
        daemon = _started(stack, command, stdout=subprocess.PIPE, text=True)
        # Whoever asks over the bus waits without end, but not where the bus is gone.
        stack.enter_context(ended_after(daemon, BUS_S))
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        unlock = [] if password is None else ["--unlock"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        keeper = _started(stack, [*command, *unlock], **pipes)
        keeper.stdin.write(password or b"")
        keeper.stdin.close()
        keeper.stdout.readline()  # where its control socket is: it has begun
        yield


def _started(stack, command, **pipes):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **pipes)

    def end():
        process.terminate()
        process.wait(timeout=600)
        process.stdout.close()

    stack.callback(end)
    return process


@pytest.fixture
def make(bus, tmp_path):
    """A provider for a service; what it keeps is gone afterwards."""
    import keyring

    from cipherset.custody.keys.providers.oskeyring import ACCOUNT

    services = set()

    def made(service="cipherset-test"):
        services.add(service)
        return open_provider(f"file:?keyring={service}", home=tmp_path)

    yield made
    for service in services:
        with contextlib.suppress(keyring.errors.PasswordDeleteError):
            keyring.delete_password(service, ACCOUNT)


def test_it_is_a_key_provider(make):
    check_key_provider(make, lambda: make("another"), leaks=(PASSWORD.decode(),))


def test_a_ring_works_over_it(make, tmp_path):
    make()
    check_ring(tmp_path, URI)


def test_what_is_lost_is_said_and_not_made_anew(make):
    import keyring

    from cipherset.custody.keys.providers.oskeyring import ACCOUNT

    wrapped = make().wrap(Secret(bytes(32)), b"bound")
    keyring.delete_password("cipherset-test", ACCOUNT)
    refused(lambda: make().unwrap(wrapped, b"bound"), "kek_missing")
    assert keyring.get_password("cipherset-test", ACCOUNT) is None


@pytest.mark.parametrize("text", ["", "?", base64.b64encode(bytes(31)).decode(), "é"])
def test_something_else_in_its_place(make, text):
    import keyring

    from cipherset.custody.keys.providers.oskeyring import ACCOUNT

    wrapped = make().wrap(Secret(bytes(32)), b"bound")
    keyring.set_password("cipherset-test", ACCOUNT, text)
    refused(lambda: make().unwrap(wrapped, b"bound"), "kek_unsuitable")
    refused(lambda: make().wrap(Secret(bytes(32)), b"bound"), "kek_unsuitable")


@contextlib.contextmanager
def locked(home):
    """The same keyring, which nobody has unlocked, and nobody is there whom it could ask."""
    shutil.copytree(home / "keyrings", home / "locked" / "keyrings")
    with serving(home / "locked"):
        yield


def test_locked(make, bus):
    wrapped = make().wrap(Secret(bytes(32)), b"bound")
    check_refusals(_Fresh(make), wrapped, locked(bus), "provider_locked")


class _Fresh:
    """A provider that remembers nothing from one call to the next."""

    def __init__(self, make):
        self._make = make

    def wrap(self, plaintext, associated_data):
        return self._make().wrap(plaintext, associated_data)

    def unwrap(self, wrapped, associated_data):
        return self._make().unwrap(wrapped, associated_data)


@contextlib.contextmanager
def backend(chosen):
    import keyring

    before = keyring.get_keyring()
    keyring.set_keyring(chosen)
    try:
        yield
    finally:
        keyring.set_keyring(before)


def test_none_here(make):
    from keyring.backends.fail import Keyring

    wrapped = make().wrap(Secret(bytes(32)), b"bound")
    check_refusals(_Fresh(make), wrapped, backend(Keyring()), "provider_unreachable")


def test_a_keyring_that_fails_in_another_way(make):
    import keyring

    class Broken(keyring.backends.fail.Keyring):
        def get_password(self, service, username):
            raise keyring.errors.KeyringError("canary")

    wrapped = make().wrap(Secret(bytes(32)), b"bound")
    check_refusals(_Fresh(make), wrapped, backend(Broken()), "provider_failed")


def test_a_keyring_that_is_no_more(make, bus):
    """In a process of its own, as the library keeps what it has found."""
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from cipherset.core.errors import CiphersetError\n"
        "from cipherset.core.secret import Secret\n"
        "from cipherset.custody.keys import open_provider\n"
        f"provider = open_provider({URI!r}, home=Path(sys.argv[1]))\n"
        "os.environ['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nonexistent'\n"
        "try:\n    provider.wrap(Secret(bytes(32)), b'')\n"
        "except CiphersetError as error:\n    print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(bus)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert done.stdout.strip() in {"provider_failed", "provider_unreachable"}


RACE = """
import sys
from pathlib import Path
from cipherset.core.secret import Secret
from cipherset.custody.keys import open_provider

provider = open_provider(sys.argv[1], home=Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
print(provider.wrap(Secret(bytes(32)), b"").hex())
"""


def test_processes_that_race_make_one_key(make, tmp_path):
    make("race")
    for one in map(bytes.fromhex, raced(RACE, "file:?keyring=race", tmp_path)):
        assert make("race").unwrap(one, b"").reveal() == bytes(32)


@pytest.mark.parametrize("uri", ["file:kek?keyring=a", "file:?keyring=", "file:?keyring=a&more=b"])
def test_other_uris_are_refused(uri, tmp_path):
    assert urlsplit(uri).scheme == "file"
    refused(lambda: open_provider(uri, home=tmp_path), "provider_uri")
