"""A real Milvus that nobody else can reach: run as a script, in namespaces of its own.

Milvus listens on every interface and on ports of its choice. So it gets a network of its own, in
which there is nothing but loopback, and a socket that was opened outside leads in: a socket stays
in the network that it was made in. Its process outlives whoever started it, so it gets a process
namespace too, which ends with this script: when its standard input is closed.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 19530
NAMESPACES = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child")
READY = b"ready\n"


@contextmanager
def running(folder: Path, *, asks_who: bool = False) -> Iterator[str]:
    """Its address, while it runs with its data in ``folder``.

    ``asks_who``: it lets in whoever has a password, and first root with the one it comes with.
    """
    errors = folder / "errors"
    with socket.create_server(("127.0.0.1", 0)) as door, errors.open("wb") as told:
        process = subprocess.Popen(
            [*NAMESPACES, sys.executable, __file__, str(door.fileno()), str(folder), str(asks_who)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            pass_fds=[door.fileno()],
        )
        try:
            if process.stdout.readline() != READY:
                raise RuntimeError(errors.read_text())
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait(60)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        target.close()


def _forward(door: socket.socket) -> None:
    while True:
        outside, _ = door.accept()
        try:
            inside = socket.create_connection(("127.0.0.1", PORT))
        except OSError:
            outside.close()  # Milvus is gone: each who asks is told so, or they would wait for it
            continue
        for pair in ((outside, inside), (inside, outside)):
            threading.Thread(target=_copy, args=pair, daemon=True).start()


def main() -> None:
    import milvus

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    config = milvus.MilvusServerConfig(data_dir=sys.argv[2])
    config.set("authorization_enabled", sys.argv[3] == "True")
    server = milvus.MilvusServer(config)
    server.start()
    door = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_forward, args=(door,), daemon=True).start()
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
