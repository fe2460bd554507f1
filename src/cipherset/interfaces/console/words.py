"""How values read on a page: times, digests and numbers, for people; and nothing but text."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_DIGEST_SHOWN: Final = 12
_ID: Final = re.compile(r"\b[0-9a-f]{32,}\b")
_THIN: Final = "\u202f"


def when(time: str | datetime) -> str:
    """A time as ``2026-11-26 09:30``, in UTC; what is no time stays as it is."""
    return moment(time)[:16] if _is_time(time) else str(time)


def moment(time: str | datetime) -> str:
    """The same with seconds."""
    if isinstance(time, str):
        if not _is_time(time):
            return time
        time = datetime.fromisoformat(time)
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _is_time(time: str | datetime) -> bool:
    if isinstance(time, datetime):
        return True
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return True


def short(digest: str) -> str:
    """The first twelve digits of a digest, without the name of its hash."""
    kind, colon, digits = digest.rpartition(":")
    is_digest = bool(colon) and kind in {"sha256", "hmac-sha256"} and len(digits) > _DIGEST_SHOWN
    return f"{digits[:_DIGEST_SHOWN]}…" if is_digest else digest


def brief(text: str) -> str:
    """A name in which an id of 32 digits or more is shown by its first twelve."""
    return _ID.sub(lambda found: f"{found[0][:_DIGEST_SHOWN]}…", short(text))


def count(number: int | None) -> str:
    """A number with thin spaces between thousands; a dash where there is none."""
    return "–" if number is None else f"{number:,}".replace(",", _THIN)


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal place; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f}{_THIN}%"


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def slug(text: str) -> str:
    """``within limit`` as ``within-limit``: a word for a class of the style sheet."""
    return "".join(sign if sign.isalnum() else "-" for sign in text.lower())


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "when": when,
    "moment": moment,
    "short": short,
    "brief": brief,
    "count": count,
    "percent": percent,
    "plural": plural,
    "slug": slug,
}
