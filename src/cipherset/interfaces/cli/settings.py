"""The one place that reads the environment."""

import getpass
import os
from pathlib import Path


def home() -> Path:
    """The workspace: CIPHERSET_HOME, or ``.cipherset`` in the current folder."""
    return Path(os.environ.get("CIPHERSET_HOME", ".cipherset"))  # noqa: TID251 -- the one place


def cache() -> Path:
    """Downloaded weights: CIPHERSET_CACHE, or ``cipherset`` in the user's cache folder."""
    chosen = os.environ.get("CIPHERSET_CACHE")  # noqa: TID251 -- the one place
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")  # noqa: TID251 -- the one place
    return (Path(base) if base else Path.home() / ".cache") / "cipherset"


def principal_key() -> Path | None:
    """The file with the principal's own private key: CIPHERSET_PRINCIPAL_KEY; None without."""
    chosen = os.environ.get("CIPHERSET_PRINCIPAL_KEY")  # noqa: TID251 -- the one place
    return Path(chosen) if chosen else None


def principal() -> str:
    """Who acts when ``--as`` does not say: the name of the operating system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in the password database
        return f"uid-{os.getuid()}"
