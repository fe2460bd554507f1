"""Ports for servers that have to be told theirs."""

import secrets
import socket
from contextlib import suppress


def free_port() -> int:
    """One that nobody is given by chance before it is used: below those that the kernel gives."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.socket() as bound:
            bound.bind(("127.0.0.1", port))
            return port
