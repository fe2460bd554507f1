"""The one place that looks where we run. What it finds, whoever controls the host can fake."""

import hashlib
import hmac
import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from cipherset.core import canonical
from cipherset.core.environment import Environment

MACHINE_ID: Final = Path("/etc/machine-id")
MACHINE_LABEL: Final = b"cipherset/machine/1"
_PACKAGE: Final = Path(__file__).parents[1]
_ID: Final = re.compile(r"[0-9a-f]{32}\n?")


def look_around(identity: str | None = None, region: str | None = None) -> Environment:
    """What is known here.

    ``identity`` is what a verified connection says of its other end, ``region`` what whoever runs
    this machine says of it.
    """
    return Environment(
        host=os.uname().nodename.lower(),
        machine=machine_digest(MACHINE_ID),
        package=_running(),
        identity=identity,
        region=region,
    )


def machine_digest(path: Path) -> str | None:
    """The machine id's HMAC-SHA256 of our label, keyed with the id; None where there is none.

    The id itself is not to be shown; what is made of it for one application may be.

    Source: machine-id(5); sd_id128_get_machine_app_specific(3).
    """
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    if not _ID.fullmatch(text):
        return None
    keyed = hmac.digest(bytes.fromhex(text.strip()), MACHINE_LABEL, hashlib.sha256)
    return "hmac-sha256:" + keyed.hex()


@cache
def _running() -> str:
    """The digest of this package as it was when first asked: what runs was loaded by then."""
    return package_digest(_PACKAGE)


def package_digest(root: Path) -> str:
    """The digest of the names and bytes of every file below ``root``, but what Python caches.

    A file that goes while they are read (an upgrade, an editor) is none: that is another package,
    and no reason for a command to fail that asks for none in particular.
    """
    files = {}
    for folder, folders, names in os.walk(root):
        if "__pycache__" in folders:
            folders.remove("__pycache__")
        for name in names:
            path = Path(folder, name)
            with suppress(FileNotFoundError):
                files[path.relative_to(root).as_posix()] = canonical.digest_bytes(path.read_bytes())
    return canonical.digest(files)
