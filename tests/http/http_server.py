"""A real server on loopback, in a thread or as a process, and sockets that speak to it raw."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from http_samples import gateway
from programs import first_told

from cipherset.interfaces.http.limits import RequestLimits
from cipherset.interfaces.http.reload import Reload
from cipherset.interfaces.http.server import Server, Settled, listen

DEADLINE_S = 60
PROGRAM = "from cipherset.interfaces.cli.main import main; main()"


@dataclass(frozen=True)
class Running:
    port: int
    server: Server

    @contextmanager
    def socket(self) -> Iterator[socket.socket]:
        with closing(socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)) as found:
            yield found

    def ask(self, raw: bytes) -> bytes:
        """All that comes back to ``raw`` until the server closes."""
        with self.socket() as connection:
            with suppress(ConnectionError):  # it may have closed before it was asked
                connection.sendall(raw)
            return rest_of(connection)

    def get(self, path: str) -> bytes:
        return self.ask(request(path, "Connection: close"))


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")
    return "\r\n".join(lines).encode()


def rest_of(connection: socket.socket) -> bytes:
    """Whatever comes until the other end closes, politely or not."""
    found = b""
    while True:
        try:
            more = connection.recv(65_536)
        except ConnectionError:
            return found
        if not more:
            return found
        found += more


@contextmanager
def running(home, limits: RequestLimits) -> Iterator[Running]:
    with gateway(home, limits=limits, claimed=True, entered=False) as served:
        ready = threading.Event()
        settled = Settled(limits, None, Reload((), ()), ready.set)
        server = Server(served.client.app, settled)
        with listen("127.0.0.1", 0) as sock:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
            port = sock.getsockname()[1]
            thread.start()
            try:
                assert ready.wait(DEADLINE_S)
                yield Running(port, server)
            finally:
                server.should_exit = True
                thread.join(DEADLINE_S)
                assert not thread.is_alive()


@contextmanager
def served(home: Path, *options: str):
    """The process and what it said when it was ready; it is killed in any case."""
    command = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--json", "--home", str(home)]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, first_told(process)
        finally:
            process.terminate()  # first, so that it writes down which of its lines have run
            try:
                process.wait(DEADLINE_S)
            finally:
                process.kill()
