"""What the agent does: scan, write or send the report, and again after a while."""

import argparse
import http.client
import json
import os
import platform
import re
import secrets
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cipherset.core.errors import BackendError, CiphersetError, InputError
from cipherset.evidence.discover.code import scan

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TIMEOUT_S: Final = 60
_ACCEPTED: Final = range(200, 300)


def main(arguments: Sequence[str]) -> int:
    """Scan as ``arguments`` say; return the exit code, as the errors of Cipherset have them."""
    options = _parser().parse_args(arguments)
    while True:
        began = time.monotonic()
        code = _once(options)
        if options.every is None:
            return code
        time.sleep(max(0.0, options.every - (time.monotonic() - began)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agent", description="Report where AI is used on this host: names and places only."
    )
    parser.add_argument("paths", nargs="+", help="folders, files, tar archives")
    parser.add_argument("--to", default="-", help="a file, or an https address; - is the output")
    parser.add_argument("--every", type=_seconds, help="again after so long: 30m, 24h, 7d")
    parser.add_argument("--host", default=platform.node(), help="the name in the report")
    parser.add_argument("--catalog", help="a TOML file of more services")
    parser.add_argument("--token-file", help="a file that holds the bearer token for --to")
    parser.add_argument("--ca-file", help="certificates to trust, in place of the system's")
    return parser


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("a number and s, m, h or d")
    return int(match[1]) * _UNITS[match[2]]


def _once(options: argparse.Namespace) -> int:
    try:
        report = scan(options.paths, catalog=options.catalog, host=options.host)
        raw = json.dumps(report.as_json(), ensure_ascii=False, sort_keys=True).encode()
        if options.to == "-":
            sys.stdout.buffer.write(raw + b"\n")
        elif "://" in options.to:
            _send(raw, options)
        else:
            _write(raw, Path(options.to))
    except CiphersetError as error:
        sys.stderr.write(f"error: {error.message}\n  {error.hint}\n")
        return error.exit_code
    return 0


def _write(raw: bytes, to: Path) -> None:
    """The file holds the whole report, or what it held before; its owner alone reads it."""
    partial = to.with_name(f".{to.name}.partial-{secrets.token_hex(4)}")
    try:
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(raw)
        partial.replace(to)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise BackendError(
            f"the report cannot be written to {to}: {error.strerror}",
            code="disk",
            hint="name a file in a folder that this user may write to",
        ) from None


def _send(raw: bytes, options: argparse.Namespace) -> None:
    """POST the report; what is there must take it, and prove who it is."""
    address = urlsplit(options.to)
    if address.scheme != "https" or not address.hostname:
        raise InputError(
            "a report is sent over https only",
            code="discover_address",
            hint="name an address that begins with https://, or a file",
        )
    headers = {"Content-Type": "application/json"}
    try:
        if options.token_file:
            token = Path(options.token_file).read_text(encoding="ascii").strip()
            headers["Authorization"] = f"Bearer {token}"
        context = ssl.create_default_context(cafile=options.ca_file)
        connection = http.client.HTTPSConnection(
            address.hostname, address.port or 443, timeout=_TIMEOUT_S, context=context
        )
        way = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("POST", way, raw, headers)
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unsent(address.hostname, type(error).__name__) from None
    if status not in _ACCEPTED:
        raise _unsent(address.hostname, f"it answered {status}")


def _unsent(host: str, reason: str) -> BackendError:
    return BackendError(
        f"the report could not be sent to {host}: {reason}",
        code="discover_unsent",
        hint="check the address, the token file and --ca-file; or write it with --to FILE",
    )
