"""Records that are of a form, and say nothing that can be read."""

from datetime import datetime, timedelta, timezone

import pytest

from cipherset.evidence.discover.egress.call import How
from cipherset.evidence.discover.egress.formats import flows, records, roles, times


@pytest.mark.parametrize("text", ["1,2", 5])
def test_tuples_of_a_flow(text):
    record = {"properties": {"flows": [{"flows": [{"flowTuples": [text]}]}]}}
    with pytest.raises(ValueError, match="a tuple"):
        list(flows._nsg(record))
    record = {"flowRecords": {"flows": [{"flowGroups": [{"flowTuples": [text]}]}]}}
    with pytest.raises(ValueError, match="a tuple"):
        list(flows._vnet(record))


def test_objects_within_objects():
    deep = {"a": 1}
    for _ in range(8):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="too deep"):
        list(records.leaves_of(deep))


def test_a_time_before_all_times():
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=23)))
    with pytest.raises(ValueError, match="no time"):
        times._utc(early)


def test_a_row_without_a_host():
    with pytest.raises(ValueError, match="neither host nor address"):
        roles.calls_in({"host": "-"}, roles.columns_of(["host"], {}), How.REQUEST)
