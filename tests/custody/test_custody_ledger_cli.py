"""The command line where the ledger is on a server: said by a file or the environment."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest
from custody_ledgers import place_of

from cipherset.app.workspace import LedgerAddress
from cipherset.core.errors import InputError
from cipherset.interfaces.cli import settings
from cipherset.interfaces.cli.main import main

CANARY = "canary-password-2342"


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    for name in ("CIPHERSET_LEDGER", "CIPHERSET_LEDGER_PASSWORD", "CIPHERSET_LEDGER_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)


def password_file(tmp_path, line=CANARY + "\n", mode=0o600):
    path = tmp_path / "password"
    path.write_bytes(line.encode() if isinstance(line, str) else line)
    path.chmod(mode)
    return path


@pytest.mark.needs("postgresql")
def test_two_gateways_share_a_ledger_on_a_server(tmp_path, request, monkeypatch):
    place = place_of("postgresql", tmp_path, request)
    password_file(tmp_path, place.password)
    printed = []

    def cipherset(home, *args, **more):
        out = io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(io.StringIO()):
            for name, value in more.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["cipherset", *args, "--home", str(home), "--json"])
            patch.setattr(sys, "excepthook", sys.excepthook)
            with pytest.raises(SystemExit) as ended:
                main()
        printed.append(out.getvalue())
        return ended.value.code, json.loads(out.getvalue())

    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    (one / "ledger.toml").write_text(f'url = "{place.url}"\npassword-file = "../password"\n')
    said = {
        "CIPHERSET_LEDGER": place.url,
        "CIPHERSET_LEDGER_PASSWORD_FILE": str(tmp_path / "password"),
    }
    assert cipherset(one, "key", "create", "a")[0] == 0
    assert cipherset(two, "key", "create", "b", **said)[0] == 0
    code, found = cipherset(two, "audit", "verify", **said)
    assert (code, found["valid"], found["events"]) == (0, True, 4)
    place.alter("DELETE FROM events WHERE seq > 2")
    code, found = cipherset(two, "key", "list", **said)
    assert (code, found["error"]["code"]) == (5, "ledger_regressed")
    assert cipherset(one, "audit", "verify")[1]["valid"]  # it has seen no more
    code, found = cipherset(two, "key", "list", CIPHERSET_LEDGER=place.url)
    assert (code, found["error"]["code"]) == (6, "ledger_unwritable")
    assert not (one / "ledger.sqlite").exists()
    assert not any(str(place.password) in text for text in printed)


def test_without_a_word_it_is_in_the_workspace(tmp_path):
    assert settings.ledger(tmp_path) is None
    (tmp_path / "ledger.toml").write_text("")
    assert settings.ledger(tmp_path) is None


def test_the_environment_goes_before_the_file(tmp_path, monkeypatch):
    password_file(tmp_path)
    (tmp_path / "ledger.toml").write_text('url = "file"\npassword-file = "password"\n')
    assert settings.ledger(tmp_path) == LedgerAddress("file", CANARY)
    monkeypatch.setenv("CIPHERSET_LEDGER", "environment")
    assert settings.ledger(tmp_path) == LedgerAddress("environment", CANARY)
    (tmp_path / "ledger.toml").unlink()
    assert settings.ledger(tmp_path) == LedgerAddress("environment")
    monkeypatch.setenv("CIPHERSET_LEDGER_PASSWORD", "another")
    assert settings.ledger(tmp_path) == LedgerAddress("environment", "another")
    monkeypatch.setenv("CIPHERSET_LEDGER_PASSWORD_FILE", str(tmp_path / "password"))
    assert settings.ledger(tmp_path) == LedgerAddress("environment", CANARY)
    assert CANARY not in repr(settings.ledger(tmp_path))


@pytest.mark.parametrize(
    "text", [f"url = {CANARY}", "url = 5", f'password = "{CANARY}"', "url = [", b"\xff"]
)
def test_a_file_that_says_something_else_is_refused(tmp_path, text):
    raw = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "ledger.toml").write_bytes(raw)
    with pytest.raises(InputError) as caught:
        settings.ledger(tmp_path)
    assert caught.value.code == "ledger_file"
    assert CANARY not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(("line", "mode"), [(CANARY, 0o644), (b"\xff" + CANARY.encode(), 0o600)])
def test_a_password_that_others_may_read_is_refused(tmp_path, line, mode):
    password_file(tmp_path, line, mode)
    (tmp_path / "ledger.toml").write_text('url = "file"\npassword-file = "password"\n')
    with pytest.raises(InputError) as caught:
        settings.ledger(tmp_path)
    assert caught.value.code == "password_file"
    assert CANARY not in caught.value.message + caught.value.hint


def test_a_password_that_is_missing_is_refused(tmp_path):
    (tmp_path / "ledger.toml").write_text('url = "file"\npassword-file = "password"\n')
    with pytest.raises(InputError) as caught:
        settings.ledger(tmp_path)
    assert caught.value.code == "password_file"
