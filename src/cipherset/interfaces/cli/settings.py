"""The one place that reads the environment, and the files that stand for it."""

import getpass
import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from cipherset.app.workspace import LedgerAddress
from cipherset.core.environment import checked_region
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors

LEDGER_FILE: Final = "ledger.toml"


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


def region() -> str | None:
    """Where this machine stands: CIPHERSET_REGION; None where nobody said.

    Raises:
        InputError: ``region``.
    """
    chosen = os.environ.get("CIPHERSET_REGION")  # noqa: TID251 -- the one place
    return checked_region(chosen) if chosen else None


def has_ray_token() -> bool:
    """Whether Ray is told to show a token: RAY_AUTH_MODE; what it would report home is turned off.

    Ray reads its settings from the environment, here and in the processes that it starts.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # noqa: TID251 -- the one place
    return os.environ.get("RAY_AUTH_MODE") == "token"  # noqa: TID251 -- the one place


def ledger(home: Path) -> LedgerAddress | None:
    """Where the ledger is, if not in the workspace: CIPHERSET_LEDGER, or ``ledger.toml`` there.

    The file says ``url`` and, where the server wants a password, ``password-file``, relative to
    the workspace. CIPHERSET_LEDGER_PASSWORD_FILE and CIPHERSET_LEDGER_PASSWORD say it where the
    file does not.

    Raises:
        InputError: ``ledger_file``: it is not such a file; ``password_file``: the password's is
            missing, or others may read it.
        BackendError: ``no_permission`` or ``disk``.
    """
    told = _told(home / LEDGER_FILE)
    url = os.environ.get("CIPHERSET_LEDGER") or told.get("url")  # noqa: TID251 -- the one place
    if not url:
        return None
    named = os.environ.get("CIPHERSET_LEDGER_PASSWORD_FILE")  # noqa: TID251 -- the one place
    if named or "password-file" in told:
        return LedgerAddress(url, _password(home / (named or told["password-file"])))
    return LedgerAddress(url, os.environ.get("CIPHERSET_LEDGER_PASSWORD"))  # noqa: TID251 -- the one place


def store_password(home: Path) -> str | None:
    """The password of the user that a Milvus server's address names; None without.

    CIPHERSET_MILVUS_PASSWORD_FILE names its file, relative to the workspace; else it is
    CIPHERSET_MILVUS_PASSWORD itself.

    Raises:
        InputError: ``password_file``.
        BackendError: ``no_permission`` or ``disk``.
    """
    named = os.environ.get("CIPHERSET_MILVUS_PASSWORD_FILE")  # noqa: TID251 -- the one place
    if named:
        return _password(home / named)
    return os.environ.get("CIPHERSET_MILVUS_PASSWORD")  # noqa: TID251 -- the one place


def _told(path: Path) -> dict[str, str]:
    with disk_errors(path):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return {}
    try:
        found: dict[str, Any] = tomllib.loads(raw.decode())
    except ValueError:
        found = {"": None}
    if not set(found) <= {"url", "password-file"} or not all(
        isinstance(value, str) for value in found.values()
    ):
        raise InputError(
            f"{path} does not say where the ledger is",
            code="ledger_file",
            hint='write: url = "postgresql+psycopg://user@host/database", and where a password is '
            'needed: password-file = "FILE"',
        )
    return found


def _password(path: Path) -> str:
    with disk_errors(path):
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                line = file.read().removesuffix(b"\n")
        except FileNotFoundError:
            raise _bad_password(path, "is missing") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _bad_password(path, f"has permissions {mode:04o}: others may read it")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise _bad_password(path, "is not one line of text") from None


def _bad_password(path: Path, why: str) -> InputError:
    return InputError(
        f"the file of a password, {path}, {why}",
        code="password_file",
        hint=f"put the password on its only line, and: chmod 600 {path}",
    )


def silence_mlflow() -> None:
    """Switch off what MLflow tells its makers, and what it writes among a command's results.

    It reads the first of these when it is first imported.
    """
    silent = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    for name, value in silent.items():
        os.environ.setdefault(name, value)  # noqa: TID251 -- the one place
