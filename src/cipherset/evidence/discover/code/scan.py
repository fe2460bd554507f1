"""Where AI is used in folders, files and images of file systems."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cipherset.evidence.discover.code.found import Report


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a tree is read; sizes in bytes."""

    text_bytes: int = 2_000_000
    digest_bytes: int = 16_000_000_000
    archive_bytes: int = 64_000_000_000
    n_members: int = 2_000_000
    depth: int = 3


def scan(
    paths: Sequence[Path | str],
    *,
    catalog: Path | str | None = None,
    limits: Limits = Limits(),  # noqa: B008 -- frozen
    host: str = "",
    seen: Callable[[int], None] | None = None,
) -> Report:
    """What is found under ``paths``: folders, files, tar archives, OCI layouts.

    Nothing that is found is executed, imported or unpickled.

    Args:
        paths: Where to look.
        catalog: A TOML file with more services than the package knows.
        limits: How much is read.
        host: The name of the machine, for the report.
        seen: Called with the number of files looked at so far, now and then.

    Raises:
        InputError: ``discover_path``: there is no such path; ``discover_catalog``: not a catalog.
    """
    raise NotImplementedError
