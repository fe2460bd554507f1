"""What is loaded anew without a restart, and when: on a signal, or when its files are others."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cipherset.core.errors import CiphersetError

_LOG: Final = logging.getLogger("cipherset.gateway")
_Stamp = tuple[tuple[str, int, int], ...]


class Reload:
    """Runs ``reloads`` one after the other; where one is refused, what it had so far stays."""

    def __init__(self, reloads: Sequence[Callable[[], None]], watched: Sequence[Path]) -> None:
        """``watched`` are files, or folders of which each entry counts."""
        self._reloads = reloads
        self._watched = watched
        self._is_asked = False
        self._stamp = self._look()

    def ask(self) -> None:
        """Load anew at the next look; from a handler of a signal too, so without a lock."""
        self._is_asked = True

    def look(self) -> bool:
        """Whether all was loaded anew: it was asked for, or what is watched has changed."""
        stamp = self._look()
        if stamp == self._stamp and not self._is_asked:
            return False
        self._is_asked = False
        self._stamp = stamp
        for reload in self._reloads:
            try:
                reload()
            except CiphersetError as error:
                _LOG.error("not loaded anew (%s): what was loaded before stays", error.code)
        return True

    def _look(self) -> _Stamp:
        paths = [path for each in self._watched for path in (each, *_inside(each))]
        return tuple(stamp for path in paths if (stamp := _stamp(path)) is not None)


def _inside(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def _stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path), found.st_mtime_ns, found.st_size
