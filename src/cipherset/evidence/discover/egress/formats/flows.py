"""Flow logs of clouds: who sent how much to which address; the names come from DNS logs.

AWS VPC flow logs, version 2 or with a header of a custom format; Azure NSG and VNet flow logs
(tuples in ``records``); GCP VPC flow logs (``jsonPayload.connection``). What was rejected was not
sent. Only the direction towards the other side counts as sent.

Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html;
https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview;
https://cloud.google.com/vpc/docs/about-flow-logs-records.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cipherset.evidence.discover.egress.call import Call, How, Seen
from cipherset.evidence.discover.egress.formats.records import object_of
from cipherset.evidence.discover.egress.formats.roles import count_of
from cipherset.evidence.discover.egress.formats.times import since_epoch, time_of
from cipherset.evidence.discover.egress.names import address_of

_AWS: Final = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport"),
    *("protocol", "packets", "bytes", "start", "end", "action", "log-status"),
)
_AWS_NEEDED: Final = frozenset({"srcaddr", "dstaddr"})
_NONE: Final = frozenset({"NODATA", "SKIPDATA"})
_NSG_V1: Final = 8  # the fewest values of a tuple; version 2 adds state and counts
_NSG_SENT: Final = 10
_VNET_SENT: Final = 12


def aws(of_nobody: str = "") -> Callable[[str], Sequence[Seen]]:
    """A reader of AWS flow records; a first line of field names says which there are."""
    del of_nobody
    names: list[str] = []

    def read(line: str) -> Sequence[Seen]:
        cells = line.split()
        if set(cells) >= _AWS_NEEDED:
            names[:] = cells
            return ()
        row = dict(zip(names or _AWS, cells, strict=True))
        if not names and row["version"] != "2":
            raise ValueError("no version 2")
        if row.get("log-status") in _NONE or row.get("action") == "REJECT":
            return ()
        source = row.get("pkt-srcaddr", "-")
        target = row.get("pkt-dstaddr", "-")
        return _flow(
            row["srcaddr"] if source == "-" else source,
            row["dstaddr"] if target == "-" else target,
            row.get("start", ""),
            row.get("bytes", ""),
        )

    return read


def azure(of_nobody: str = "") -> Callable[[str], Sequence[Seen]]:
    """A reader of the records of Azure's NSG and VNet flow logs."""
    del of_nobody

    def read(text: str) -> Sequence[Seen]:
        record = object_of(text)
        tuples = [*_nsg(record), *_vnet(record)]
        if not tuples and not _has_flows(record):
            raise ValueError("no flow record of Azure")
        return [seen for each in tuples for seen in each]

    return read


def gcp(of_nobody: str = "") -> Callable[[str], Sequence[Seen]]:
    """A reader of GCP's VPC flow log entries."""
    del of_nobody

    def read(text: str) -> Sequence[Seen]:
        payload = object_of(text).get("jsonPayload")
        connection = payload.get("connection") if isinstance(payload, dict) else None
        if not isinstance(payload, dict) or not isinstance(connection, dict):
            raise ValueError("no flow record of GCP")
        return _flow(
            str(connection.get("src_ip", "")),
            str(connection.get("dest_ip", "")),
            str(payload.get("start_time", "")),
            str(payload.get("bytes_sent", "")),
        )

    return read


def _flow(source: str, target: str, start: str, sent: str) -> Sequence[Seen]:
    here, there = address_of(source), address_of(target)
    if here is None or there is None:
        raise ValueError("no addresses")
    at = time_of(start) if start and start != "-" else None
    bytes_up = count_of(sent)
    is_part = sent not in {"", "-"} and bytes_up is None
    return (Call(How.FLOW, here, None, there, at, bytes_up, is_part),)


def _has_flows(record: Mapping[str, Any]) -> bool:
    return "flowRecords" in record or "flows" in _dict(record.get("properties"))


def _nsg(record: Mapping[str, Any]) -> Iterator[Sequence[Seen]]:
    """``time,src,dst,sport,dport,T|U,I|O,A|D[,state,packets,bytes sent,…]``."""
    for text in _tuples(_dict(record.get("properties")).get("flows"), "flows"):
        cells = text.split(",")
        if len(cells) < _NSG_V1:
            raise ValueError("a tuple that is too short")
        if cells[7] == "A":
            sent = cells[_NSG_SENT] if len(cells) > _NSG_SENT else ""
            yield _flow(cells[1], cells[2], cells[0], sent)


def _vnet(record: Mapping[str, Any]) -> Iterator[Sequence[Seen]]:
    """``time ms,src,dst,sport,dport,proto,I|O,B|C|E|D,encryption,packets,bytes sent,…``."""
    for text in _tuples(_dict(record.get("flowRecords")).get("flows"), "flowGroups"):
        cells = text.split(",")
        if len(cells) < _VNET_SENT:
            raise ValueError("a tuple that is too short")
        if cells[7] != "D":
            yield _flow(cells[1], cells[2], since_epoch(float(cells[0])).isoformat(), cells[10])


def _tuples(flows: object, inner: str) -> Iterator[str]:
    for rule in _list(flows):
        for group in _list(_dict(rule).get(inner)):
            for text in _list(_dict(group).get("flowTuples")):
                if not isinstance(text, str):
                    raise ValueError("a tuple that is no text")
                yield text


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
