"""Times as logs write them, to UTC; what bears no zone is taken as UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# Seconds, milliseconds or microseconds since 1970, or microseconds since 1601 (WebKit), by size:
# of each, what is between 1973 and 5138.
_MILLI: Final = 1e11
_MICRO: Final = 1e14
_WEBKIT: Final = 1e16
_NUMBER: Final = re.compile(r"\d{1,20}(\.\d{1,20})?")
_WEBKIT_START: Final = datetime(1601, 1, 1, tzinfo=UTC)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS: Final = (
    "%d/%b/%Y:%H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S.%f",
    "%d-%b-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
)
_LAST: Final = timedelta(days=1)
_LEAP: Final = 2000  # has a 29 February


def time_of(text: str) -> datetime:
    """The time that ``text`` is: ISO 8601, a number since an epoch, or one of the usual forms.

    Raises:
        ValueError: none of these.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return since_epoch(float(text))
    try:
        return _utc(datetime.fromisoformat(text.replace(" UTC", "Z").replace(" Z", "Z")))
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return _utc(datetime.strptime(text, form))  # noqa: DTZ007 -- see _utc
        except ValueError:
            continue
    raise ValueError("no time")


def since_epoch(number: float) -> datetime:
    """The time so many seconds, milliseconds or microseconds after an epoch.

    Raises:
        ValueError: before 1970 or after the year 9999.
    """
    start = _START
    if number >= _WEBKIT:
        number, start = number / 1e6, _WEBKIT_START
    elif number >= _MICRO:
        number /= 1e6
    elif number >= _MILLI:
        number /= 1e3
    try:
        return start + timedelta(seconds=number)
    except OverflowError:
        raise ValueError("no time") from None


def syslog_time(text: str, now: datetime) -> datetime:
    """The time of ``Nov 26 18:00:01``: in the last year that it is not in the future of ``now``.

    Raises:
        ValueError: it is none.
    """
    found = datetime.strptime(f"{_LEAP} {text}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
    for year in (now.year + 1, now.year, now.year - 1, now.year - 2, now.year - 3, now.year - 4):
        try:
            there = found.replace(year=year)
        except ValueError:  # 29 February
            continue
        if there <= now + _LAST:
            return there
    raise ValueError("no time")


def _utc(time: datetime) -> datetime:
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time") from None
