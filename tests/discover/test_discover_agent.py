"""The agent is one file that any Python runs by itself, and reports what a scan here would."""

import json
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from discover_planted import KEY, planted

from cipherset.core.errors import BackendError, InputError
from cipherset.evidence.discover.agent import agent_bytes, program
from cipherset.evidence.discover.code import read_report, scan

DEADLINE_S = 60


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    path = tmp_path_factory.mktemp("agent") / "agent.pyz"
    path.write_bytes(agent_bytes())
    return path


@pytest.fixture
def tree(tmp_path):
    return planted(tmp_path / "tree")


def run(agent, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """With nothing but the interpreter: no site-packages, no variable of Python's."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(agent), *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=DEADLINE_S,
    )


def without_times(report) -> dict:
    return {**report.as_json(), "started": "", "finished": ""}


def test_it_reports_what_a_scan_here_finds(agent, tree):
    done = run(agent, tree, "--host", "web-1")
    assert done.returncode == 0, done.stderr
    assert without_times(read_report(done.stdout)) == without_times(scan([tree], host="web-1"))
    assert KEY.encode() not in done.stdout + done.stderr


def test_it_is_the_same_file_each_time(agent):
    assert agent.read_bytes() == agent_bytes()
    assert len(agent_bytes()) < 200_000


def test_it_writes_a_file_that_its_owner_reads(agent, tree, tmp_path):
    to = tmp_path / "report.json"
    to.write_text("old")
    assert run(agent, tree, "--to", to).returncode == 0
    assert read_report(to.read_bytes()).findings
    assert to.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["/nowhere/at/all"], 4, b"there is no file"),
        ([".", "--catalog", "/nowhere.toml"], 4, b"not a catalog"),
        ([".", "--to", "http://192.0.2.1/x"], 4, b"https only"),
        ([".", "--to", "http://localhost.example.org/x"], 4, b"https only"),
        ([".", "--to", "ftp://127.0.0.1/x"], 4, b"https only"),
        ([".", "--to", "https://127.0.0.1:1/x"], 6, b"could not be sent"),
        ([".", "--to", "https://127.0.0.1:port/x"], 4, b"https only"),
        ([".", "--to", "https://[::1/x"], 4, b"https only"),
        ([".", "--to", "https://127.0.0.1:1/x", "--token-file", "/nowhere"], 6, b"FileNotFound"),
        ([".", "--to", "https://127.0.0.1:1/x", "--cert", "/nowhere"], 6, b"FileNotFound"),
        ([".", "--to", "/nowhere/at/all.json"], 6, b"cannot be written"),
        ([".", "--every", "soon"], 2, b"a number and s, m, h or d"),
        ([], 2, b"usage"),
    ],
)
def test_what_it_refuses(arguments, exit_code, said, agent, tmp_path):
    where = [str(tmp_path) if one == "." else one for one in arguments]
    done = run(agent, *where)
    assert done.returncode == exit_code
    assert said in done.stderr
    assert b"Traceback" not in done.stderr


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["Authorization"], body))
        answers = self.server.answers
        self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
        self.end_headers()
        self.wfile.write(self.server.says)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver(folder, *answers: int, says=b"", is_tls=True):
    """Gives these answers, the last one for ever."""
    server = HTTPServer(("127.0.0.1", 0), _Taking)
    if is_tls:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.taken, server.answers, server.says = [], list(answers), says
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_sends_the_report_with_a_token_to_whom_it_trusts(agent, tree, tmp_path):
    (tmp_path / "token").write_text("t0ken\n")
    with receiver(tmp_path, 201) as server:
        to = f"https://127.0.0.1:{server.server_port}/v1/reports?host=a"
        options = ("--to", to, "--token-file", tmp_path / "token")
        assert run(agent, tree, *options, "--ca", tmp_path / "ca.pem").returncode == 0
        assert run(agent, tree, *options).returncode == 6  # not of the system's certificates
    ((path, authorization, body),) = server.taken
    assert path == "/v1/reports?host=a"
    assert authorization == "Bearer t0ken"
    assert read_report(body).findings


def test_an_answer_that_is_no_yes_is_told(agent, tree, tmp_path):
    with receiver(tmp_path, 403) as server:
        to = f"https://127.0.0.1:{server.server_port}/"
        done = run(agent, tree, "--to", to, "--ca", tmp_path / "ca.pem")
    assert done.returncode == 6
    assert b"it answered 403" in done.stderr


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b'{"error": {"code": "not_allowed"}}', "it answered 403 not_allowed\n"),
        (b'{"error": {"code": "\\u001b[2J"}}', "it answered 403\n"),
        (b'{"error": ["code"]}', "it answered 403\n"),
        (b"[" * 9_000, "it answered 403\n"),
        (b"<html>", "it answered 403\n"),
    ],
)
def test_a_refusal_is_told_by_its_code_and_in_no_words_of_others(
    says, told, tree, tmp_path, capsys
):
    with receiver(tmp_path, 403, says=says) as server:
        program.main([str(tree), *to(server, tmp_path), "--ca", str(tmp_path / "ca.pem")])
    assert told in capsys.readouterr().err


def to(server, folder, scheme="https"):
    """Where it is, and where what it does not take waits."""
    address = f"{scheme}://127.0.0.1:{server.server_port}/"
    return ("--to", address, "--keep", str(folder / "kept.json"))


def test_what_is_not_taken_waits_in_a_file_until_the_next_is(tree, tmp_path):
    kept = tmp_path / "kept.json"
    with receiver(tmp_path, 503, 500, 200, is_tls=False) as server:
        arguments = [str(tree), *to(server, tmp_path, "http")]
        for host in ("first", "second"):
            assert program.main([*arguments, "--host", host]) == BackendError.exit_code
            assert read_report(kept.read_bytes()).host == host
            assert kept.stat().st_mode & 0o777 == 0o600
        # A look that fails takes nothing away.
        assert program.main(["/nowhere/at/all", *arguments[1:]]) == InputError.exit_code
        assert read_report(kept.read_bytes()).host == "second"
        assert program.main(arguments) == 0
    assert not kept.exists()
    assert len(server.taken) == 3


def test_it_is_tried_again_before_the_next_look(agent, tree, tmp_path):
    """It looks once an hour, so whatever comes after the first is a retry."""
    with receiver(tmp_path, 503, 503, 200, is_tls=False) as server:
        arguments = map(str, [tree, "--every", "1h", *to(server, tmp_path, "http")])
        command = [sys.executable, "-I", str(agent), *arguments]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as running:
            try:
                _wait_for(lambda: len(server.taken) == 3)
                _wait_for(lambda: not (tmp_path / "kept.json").exists())
            finally:
                running.terminate()
    assert len({body for _, _, body in server.taken}) == 1


def test_what_waits_and_cannot_be_read_or_removed_is_told(tmp_path, capsys):
    with pytest.raises(BackendError) as caught:
        program._read(tmp_path)
    assert caught.value.code == "disk"
    (tmp_path / "kept.json").mkdir()
    with receiver(tmp_path, 200, is_tls=False) as server:
        arguments = [str(tmp_path), *to(server, tmp_path, "http")]
        assert program.main(arguments) == BackendError.exit_code
    assert "which was sent, cannot be removed" in capsys.readouterr().err


def test_a_redirection_is_not_followed(tree, tmp_path):
    with receiver(tmp_path, 307, is_tls=False) as server:
        arguments = [str(tree), *to(server, tmp_path, "http")]
        assert program.main(arguments) == BackendError.exit_code
    assert len(server.taken) == 1


def test_nobody_is_asked_for_the_password_of_a_key(agent, tree, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    locked = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password")
    )
    (tmp_path / "key.pem").write_bytes(locked)
    trustme.CA().issue_cert("x").cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    proof = ("--cert", tmp_path / "cert.pem", "--key", tmp_path / "key.pem")
    done = run(agent, tree, "--to", "https://127.0.0.1:1/", *proof)
    assert done.returncode == BackendError.exit_code
    assert b"could not be sent to 127.0.0.1: SSLError" in done.stderr


def _wait_for(is_done):
    end = time.monotonic() + DEADLINE_S
    while not is_done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_goes_on_until_it_is_stopped(agent, tree, tmp_path):
    to = tmp_path / "report.json"
    command = [sys.executable, "-I", str(agent), str(tree), "--every", "1s", "--to", str(to)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        try:
            first = _written_after(to, 0)
            assert _written_after(to, first) > first
        finally:
            running.terminate()


def _written_after(path, before: int) -> int:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if path.exists() and path.stat().st_mtime_ns > before:
            return path.stat().st_mtime_ns
        time.sleep(0.05)
    raise AssertionError("it wrote no report")


def test_it_asks_for_a_python_that_can(agent):
    """Old ones must be able to read its first lines."""
    main = json.dumps(agent_bytes().count(b"__main__.py"))
    assert int(main) >= 1
    assert run(agent, "--help").returncode == 0


def test_the_program_here(tree, tmp_path, capsysbinary):
    """The same in this process, where refusals are seen by their code."""
    to = tmp_path / "a.json"
    assert program.main([str(tree), "--to", str(to), "--host", "h"]) == 0
    assert read_report(to.read_bytes()).host == "h"
    assert program.main([str(tree)]) == 0
    assert read_report(capsysbinary.readouterr().out).findings
    kept = ("--keep", str(tmp_path / "kept.json"))
    for address, kind in (
        ("http://x/", InputError),
        ("https://x:y/", InputError),
        ("https://127.0.0.1:1/", BackendError),
    ):
        assert program.main([str(tree), "--to", address, *kept]) == kind.exit_code
    assert program.main([str(tree), "--to", "/nowhere/at/all"]) == BackendError.exit_code
    with pytest.raises(SystemExit):
        program.main([str(tree), "--every", "soon"])
    with receiver(tmp_path, 500) as server:
        sent = f"https://127.0.0.1:{server.server_port}/"
        code = program.main([str(tree), "--to", sent, "--ca", str(tmp_path / "ca.pem"), *kept])
    assert code == BackendError.exit_code
