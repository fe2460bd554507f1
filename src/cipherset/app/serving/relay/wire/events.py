"""Server-sent events from a stream of bytes that nobody vouches for: bounded, and strict UTF-8.

Source: WHATWG HTML, section 9.2.6 (interpreting an event stream); names and ids are not used.
"""

import json
from typing import Any, Final

from cipherset.core.errors import BackendError

MOST_EVENT_BYTES: Final = 1 << 20
MOST_BYTES: Final = 32 << 20
DONE: Final = "[DONE]"


class EventReader:
    """Bytes in, as they come; the data of whole events out."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._total = 0

    def feed(self, chunk: bytes) -> list[str]:
        """The events that ``chunk`` completes.

        Raises:
            BackendError: ``upstream_garbage``: an event too long, too many, or not UTF-8.
        """
        self._total += len(chunk)
        if self._total > MOST_BYTES:
            raise garbage("it goes on without an end")
        found = []
        # A line may end with \r\n: what ends with \r waits for its \n.
        whole = self._rest + chunk
        held = b"\r" if whole.endswith(b"\r") else b""
        lines = whole[: len(whole) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *complete, rest = lines.split(b"\n")
        self._rest = rest + held
        if len(self._rest) > MOST_EVENT_BYTES:
            raise garbage("a line of it is too long")
        for line in complete:
            event = self._line(line)
            if event is not None:
                found.append(event)
        return found

    def _line(self, line: bytes) -> str | None:
        """The event that ends with this line, if one does."""
        if not line:
            data, self._data, self._size = self._data, [], 0
            return _text(b"\n".join(data)) if data else None
        if line.startswith(b"data:"):
            value = line.removeprefix(b"data:").removeprefix(b" ")
            self._size += len(value)
            if self._size > MOST_EVENT_BYTES:
                raise garbage("an event of it is too long")
            self._data.append(value)
        return None


def parsed(text: str) -> dict[str, Any]:
    """The object that ``text`` is in JSON.

    Raises:
        BackendError: ``upstream_garbage``.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise garbage("it is not JSON") from None
    if not isinstance(found, dict):
        raise garbage("it is no object")
    return found


def garbage(why: str) -> BackendError:
    """The refusal of an answer that is not in its form; never a word of it."""
    return BackendError(
        f"the service's answer cannot be read: {why}",
        code="upstream_garbage",
        hint="ask again, or ask whoever runs the service",
    )


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise garbage("it is not UTF-8") from None
