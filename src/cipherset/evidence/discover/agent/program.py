"""What the agent does: scan, write or send the report, and again after a while.

A report that cannot be sent waits in a file beside the agent. While there is time until the next
look, it is tried again, and each look that is sent takes its place.
"""

import argparse
import json
import os
import platform
import re
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cipherset.core.errors import BackendError, CiphersetError
from cipherset.evidence.discover.agent.send import Proof, Receiver, receiver, send
from cipherset.evidence.discover.code import scan

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 900.0
_OUTPUT: Final = "-"


def main(arguments: Sequence[str]) -> int:
    """Scan as ``arguments`` say; return the exit code, as the errors of Cipherset have them."""
    options = _parser().parse_args(arguments)
    try:
        to = _receiver(options)
    except CiphersetError as error:
        return _tell(error)
    while True:
        began = time.monotonic()
        code = _once(options, to)
        if options.every is None:
            return code
        _rest(began + options.every, options, to)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agent", description="Report where AI is used on this host: names and places only."
    )
    parser.add_argument("paths", nargs="+", help="folders, files, tar archives")
    parser.add_argument("--to", default=_OUTPUT, help="a file, or an address; - is the output")
    parser.add_argument("--every", type=_seconds, help="again after so long: 30m, 24h, 7d")
    parser.add_argument("--host", default=platform.node(), help="the name in the report")
    parser.add_argument("--catalog", help="a TOML file of more services")
    parser.add_argument("--cert", help="this host's certificate for --to https://...")
    parser.add_argument("--key", help="its private key, where it is another file")
    parser.add_argument("--ca", help="certificates to trust, in place of the system's")
    parser.add_argument("--token-file", help="a file that holds a bearer token for --to")
    parser.add_argument("--keep", help="where an unsent report waits (default: beside the agent)")
    return parser


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("a number and s, m, h or d")
    return int(match[1]) * _UNITS[match[2]]


def _receiver(options: argparse.Namespace) -> Receiver | None:
    """Where the report is sent; None where it is written."""
    if "://" not in options.to:
        return None
    proof = Proof(options.ca, options.cert, options.key, options.token_file)
    return receiver(options.to, proof)


def _once(options: argparse.Namespace, to: Receiver | None) -> int:
    try:
        report = scan(options.paths, catalog=options.catalog, host=options.host)
        raw = json.dumps(report.as_json(), ensure_ascii=False, sort_keys=True).encode()
        if to is not None:
            _hand_over(raw, to, _kept(options))
        elif options.to == _OUTPUT:
            sys.stdout.buffer.write(raw + b"\n")
        else:
            _write(raw, Path(options.to))
    except CiphersetError as error:
        return _tell(error)
    return 0


def _rest(until: float, options: argparse.Namespace, to: Receiver | None) -> None:
    """Wait for the next look; what is unsent meanwhile is tried again, ever less often."""
    pause = _FIRST_PAUSE_S
    kept = _kept(options)
    while to is not None and _waits(kept) and time.monotonic() + pause < until:
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
        try:
            _hand_over(_read(kept), to, kept)
        except CiphersetError as error:
            _tell(error)
    time.sleep(max(0.0, until - time.monotonic()))


def _hand_over(raw: bytes, to: Receiver, kept: Path) -> None:
    """Send it; until somebody has taken it, it is in ``kept``."""
    try:
        send(raw, to)
    except BackendError as error:
        _write(raw, kept)
        error.hint = f"it is kept in {kept}; {error.hint}"
        raise
    try:
        kept.unlink(missing_ok=True)
    except OSError as error:
        raise _disk(f"{kept}, which was sent, cannot be removed", error) from None


def _kept(options: argparse.Namespace) -> Path:
    return Path(options.keep or f"{sys.argv[0]}.unsent.json")


def _waits(kept: Path) -> bool:
    return os.path.isfile(kept)  # noqa: PTH113 -- Path's own raises where a folder is closed


def _read(kept: Path) -> bytes:
    try:
        return kept.read_bytes()
    except OSError as error:
        raise _disk(f"{kept} cannot be read", error) from None


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
        raise _disk(f"the report cannot be written to {to}", error) from None


def _disk(what: str, error: OSError) -> BackendError:
    return BackendError(
        f"{what}: {error.strerror}",
        code="disk",
        hint="name a file in a folder that this user may write to",
    )


def _tell(error: CiphersetError) -> int:
    sys.stderr.write(f"error: {error.message}\n  {error.hint}\n")
    return error.exit_code
