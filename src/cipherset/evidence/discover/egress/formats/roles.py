"""What the columns of a table of calls mean, by the names that products give them.

Of several columns with one meaning the first that is named here and filled in holds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cipherset.evidence.discover.egress.call import Answer, Call, How, Seen
from cipherset.evidence.discover.egress.formats.times import time_of
from cipherset.evidence.discover.egress.names import address_of, host_of

HOST, PRINCIPAL, TIME, BYTES_UP, ADDRESS, ANSWERS, ACTION = (
    "host", "principal", "time", "bytes_up", "address", "answers", "action",
)  # fmt: skip
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    HOST: (
        *("host", "hostname", "domain", "query", "qname", "query_name", "server_name", "sni"),
        *("cs_host", "dest_host", "dst_host", "destination_host", "destination_domain"),
        *("dest_domain", "dst_domain", "destination", "dns_question_name", "url_domain"),
        *("dst", "dest", "dhost", "fqdn", "target", "target_host", "site", "dns_query", "rrname"),
        *("dns_rrname", "tls_sni", "http_hostname", "destinationhostname", "dsthost", "dst_name"),
        *("remote_host", "url_full", "url", "request_url", "cs_uri", "uri", "website", "link"),
    ),
    PRINCIPAL: (
        *("principal", "user", "username", "user_name", "cs_username", "email", "user_email"),
        *("login", "identity", "device", "device_name", "src_user", "source_user", "client"),
        *("c_ip", "client_ip", "clientip", "src", "src_ip", "srcip", "source_ip", "source_address"),
        *("id_orig_h", "src_addr", "srcaddr", "source", "source_host", "src_host", "srchost"),
        *("suser", "srcuser", "employee", "person", "account", "actor", "who", "workstation"),
        *("machine", "computer", "client_name", "client_address", "client_host", "ip"),
    ),
    TIME: (
        *("time", "timestamp", "datetime", "date_time", "ts", "event_time", "eventtime"),
        *("start", "start_time", "visit_time", "visittime", "visit_date", "last_visit_time"),
        *("lastvisittime", "last_visit", "time_usec", "event_timestamp", "when", "rt", "date"),
    ),
    BYTES_UP: (
        *("bytes_up", "bytes_out", "bytesout", "bytes_sent", "sent_bytes", "sentbyte", "sentbytes"),
        *(
            "cs_bytes",
            "upload_bytes",
            "uploaded_bytes",
            "bytes_uploaded",
            "upload",
            "request_bytes",
        ),
        *("bytessent", "outbytes", "out_bytes", "tx_bytes", "bytes_tx", "bytes_to_server"),
        *("flow_bytes_toserver", "upload_size", "requestsize", "sent", "out"),
        *("request_size", "request_body_len", "orig_bytes", "source_bytes", "client_bytes"),
    ),
    ADDRESS: (
        *("address", "dest_ip", "dst_ip", "dstip", "destination_ip", "destination_address"),
        *("id_resp_h", "dstaddr", "s_ip", "server_ip", "remote_ip"),
    ),
    ANSWERS: ("answers", "answer", "dns_answers", "resolved_ip", "dns_resolved_ip", "rdata"),
    ACTION: ("action", "verdict", "sc_filter_result", "s_action", "disposition"),
}
_BLOCKED: Final = ("block", "deny", "denied", "reject", "drop")
_EMPTY: Final = frozenset({"", "-", "(empty)", "null", "None"})
_LOOKUP_COLUMNS: Final = frozenset({"query", "qname", "query_name", "dns_question_name"})

Columns = Mapping[str, tuple[str, ...]]


def plain_name(column: str) -> str:
    """The name in one form, words joined by ``_``: ``"id.orig_h"`` is ``"id_orig_h"``."""
    words = "".join(each if each.isalnum() else " " for each in column.strip().lower()).split()
    return "_".join(words)


def columns_of(names: Sequence[str], given: Mapping[str, str]) -> Columns:
    """For each meaning the columns that have it, the one that was ``given`` for it alone.

    Raises:
        ValueError: no column tells a host or an address, or a given one is not there.
    """
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(plain_name(name), name)
    found = {
        role: tuple(by_name[known] for known in known_names if known in by_name)
        for role, known_names in ROLES.items()
    }
    for role, name in given.items():
        if name not in names:
            raise ValueError("a column that was named is not there")
        found[role] = (name,)
    if found[ADDRESS] and not found[HOST] and not found[BYTES_UP] and "bytes" in by_name:
        found[BYTES_UP] = (by_name["bytes"],)  # of a flow, which has one direction
    if not found[HOST] and not found[ADDRESS]:
        raise ValueError("no column with hosts")
    return found


def calls_in(
    row: Mapping[str, str], columns: Columns, how: How, of_nobody: str = ""
) -> Sequence[Seen]:
    """What a row of a table tells; ``of_nobody`` is whose it is where no column says so.

    Raises:
        ValueError: a time is none, or there is neither a host nor an address.
    """
    if _value(row, columns[ACTION]).lower().startswith(_BLOCKED):
        return ()
    principal = _value(row, columns[PRINCIPAL]) or of_nobody
    time, sent = _value(row, columns[TIME]), _value(row, columns[BYTES_UP])
    at = time_of(time) if time else None
    bytes_up = count_of(sent)
    is_part = bool(sent) and bytes_up is None
    named = _first(row, columns[HOST], host_of)
    address = _first(row, columns[ADDRESS], address_of)
    if not any(_value(row, columns[role]) for role in (HOST, ADDRESS)):
        raise ValueError("neither host nor address")
    if named is None:
        if address is None:
            return ()
        return (Call(How.FLOW, principal, None, address, at, bytes_up, is_part),)
    answers = _answers(named, _value(row, columns[ANSWERS]))
    is_lookup = bool(answers) or any(plain_name(each) in _LOOKUP_COLUMNS for each in columns[HOST])
    seen_as = How.LOOKUP if is_lookup and how is How.REQUEST and not sent else how
    return (Call(seen_as, principal, named, None, at, bytes_up, is_part), *answers)


def count_of(text: str) -> int | None:
    """The number of bytes that ``text`` is; None where it is none, such as ``12 KB`` or ``-1``."""
    try:
        number = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        return None
    return int(number) if 0 <= number < 2**63 else None


def _value(row: Mapping[str, str], names: Sequence[str]) -> str:
    for name in names:
        value = row.get(name, "").strip()
        if value not in _EMPTY:
            return value
    return ""


def _first(
    row: Mapping[str, str], names: Sequence[str], read: Callable[[str], str | None]
) -> str | None:
    for name in names:
        value = row.get(name, "").strip()
        found = None if value in _EMPTY else read(value)
        if found is not None:
            return found
    return None


def _answers(host: str, text: str) -> tuple[Answer, ...]:
    parts = (part.strip(" []'\"") for part in text.replace(";", ",").split(","))
    found = (address_of(part) for part in parts if part)
    return tuple(Answer(host, address) for address in found if address is not None)
