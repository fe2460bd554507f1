"""Half-sent requests of strangers keep nobody out: the slowest makes room."""

import asyncio
import json
import select
from contextlib import ExitStack

import pytest
from http_server import DEADLINE_S, request, rest_of, running

from cipherset.interfaces.http.limits import RequestLimits
from cipherset.interfaces.http.perimeter.reading import CrowdedOutError, Reading

BODY = json.dumps({"texts": ["a parcel"]}).encode()
HEADERS = ("Content-Type: application/json", f"Content-Length: {len(BODY)}")
ASKED = request("/v1/sanitize", *HEADERS, method="POST")


@pytest.mark.parametrize("limits", [{"reading": 4}, {"reading_each": 4}])
def test_half_sent_requests_keep_nobody_out(tmp_path, limits):
    many = RequestLimits(**limits, body_s=600.0)
    with running(tmp_path / "workspace", many) as server, ExitStack() as stack:
        strangers = [stack.enter_context(server.socket()) for _ in range(6)]
        for each in strangers:
            each.sendall(ASKED + BODY[:5])
        told = set()
        while len(told) < 2:
            found, _, _ = select.select(set(strangers) - told, [], [], DEADLINE_S)
            assert found, "nobody was told to come again"
            told.update(found)
        assert len(told) == 2
        for each in told:
            answer = rest_of(each)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b'"busy"' in answer
        whole = server.ask(
            request("/v1/sanitize", *HEADERS, "Connection: close", method="POST") + BODY
        )
        assert whole.startswith(b"HTTP/1.1 200"), whole


def test_large_bodies_are_fewer_at_once_and_keep_no_small_one_out(tmp_path):
    """48 MiB of each of all places would be gigabytes, before anybody is known."""
    limits = RequestLimits(reading=8, reading_each=8, body_s=600.0)
    large = (HEADERS[0], f"Content-Length: {limits.body_bytes + 1}")
    with running(tmp_path / "workspace", limits) as server, ExitStack() as stack:
        strangers = [stack.enter_context(server.socket()) for _ in range(3)]
        for each in strangers:
            each.sendall(request("/v1/predict", *large, method="POST") + BODY[:5])
        told = set()
        while len(told) < 2:
            found, _, _ = select.select(set(strangers) - told, [], [], DEADLINE_S)
            assert found, "nobody was told to come again"
            told.update(found)
        assert all(rest_of(each).startswith(b"HTTP/1.1 503") for each in told)
        small = request("/v1/sanitize", *HEADERS, "Connection: close", method="POST") + BODY
        assert server.ask(small).startswith(b"HTTP/1.1 200")
        assert select.select(set(strangers) - told, [], [], 0)[0] == []


def crowd(most, most_each, addresses):
    """Which of those who came in this order were crowded out."""
    out = []

    async def one(reading, place, address, ends):
        try:
            async with reading.one(address):
                await ends.wait()
        except CrowdedOutError:
            out.append(place)

    async def all_of_them():
        reading, ends = Reading(most, most_each), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for place, address in enumerate(addresses):
                group.create_task(one(reading, place, address, ends))
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
            ends.set()

    asyncio.run(all_of_them())
    return sorted(out)


@pytest.mark.parametrize(
    ("most", "most_each", "addresses", "out"),
    [
        (4, 4, "aaaa", []),
        (4, 2, "aaaa", [0, 1]),
        (4, 2, "abab", []),
        (4, 3, "baaac", [1]),
        (4, 9, "baaaaa", [1, 2]),
        (2, 9, "abc", [0]),
        (1, 1, "abc", [0, 1]),
    ],
)
def test_the_slowest_of_who_has_the_most_makes_room(most, most_each, addresses, out):
    assert crowd(most, most_each, addresses) == out
