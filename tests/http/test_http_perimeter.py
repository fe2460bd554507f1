"""What no route sees: requests that are too large, too deep, too many, too slow, or misplaced."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.routing import APIRoute
from http_samples import error_of, gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from cipherset.core.errors import InputError
from cipherset.interfaces.http.limits import RequestLimits
from cipherset.interfaces.http.perimeter.body import MOST_ITEMS, check_json

SMALL = RequestLimits(body_bytes=1000, header_bytes=2000, headers=20, target_bytes=200)
DEADLINE_S = 60


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    home = tmp_path_factory.mktemp("small") / "workspace"
    with gateway(home, limits=SMALL, claimed=True) as served:
        yield served.client


def post(client, content, **headers):
    headers = {"content-type": "application/json", **headers}
    return client.post("/v1/sanitize", content=content, headers=headers)


def test_a_body_that_says_it_is_too_large_is_not_read(small):
    refused = post(small, b"[" * 1001)
    assert error_of(refused) == (413, "body_too_large")
    assert refused.headers["Connection"] == "close"
    assert error_of(post(small, b"{}", **{"content-length": "1e3"})) == (413, "body_too_large")


def test_a_body_that_turns_out_to_be_too_large_is_dropped(small):
    refused = post(small, (b" " * 100 for _ in range(11)))
    assert error_of(refused) == (413, "body_too_large")
    assert post(small, (b" " * 100 for _ in range(9))).status_code == 422


@pytest.mark.parametrize("opening", [b"[", b'{"texts":'])
def test_json_that_is_nested_too_deep(small, opening):
    assert error_of(post(small, opening * 33)) == (422, "json_depth")


@pytest.mark.parametrize("named", ["application/JSON", "Application/Json; charset=utf-8", "text/x"])
def test_the_depth_does_not_depend_on_what_the_body_is_called(small, named):
    refused = post(small, b"[" * 33, **{"content-type": named})
    assert error_of(refused) == (422, "json_depth")


def test_text_that_is_not_unicode(small):
    body = b'{"texts": ["half of a pair: \\ud800"]}'
    assert error_of(post(small, body)) == (422, "json_text")
    assert post(small, b'{"texts": ["\\ud83d\\ude00 and \\\\ud800"]}').status_code == 200


def test_a_head_that_is_too_large(small):
    many = {f"x-{i}": "1" for i in range(30)}
    assert error_of(small.get("/healthz", headers=many)) == (431, "head_too_large")
    assert error_of(small.get("/healthz", headers={"x": "y" * 3000})) == (431, "head_too_large")
    assert error_of(small.get("/healthz?" + "q" * 300)) == (414, "head_too_large")


def test_methods_are_as_http_has_them(small):
    whole, head = small.get("/healthz"), small.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    told = small.options("/v1/grants")
    assert (told.status_code, told.content) == (204, b"")
    assert told.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert error_of(small.delete("/v1/grants")) == (405, "method")
    assert error_of(small.request("TRACE", "/healthz")) == (405, "method")
    assert error_of(small.request("BREW", "/healthz")) == (501, "method")
    assert error_of(small.get("/v1/grants/")) == (404, "route_unknown")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:80"])
def test_a_name_that_is_not_ours(small, host):
    assert error_of(small.get("/healthz", headers={"Host": host})) == (421, "other_host")


@pytest.mark.parametrize("host", ["localhost:8443", "127.0.0.1", "[::1]:1", "LOCALHOST"])
def test_the_names_of_this_machine(small, host):
    assert small.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_is_not_heard(small, headers):
    assert error_of(small.get("/v1/grants", headers=headers)) == (403, "other_site")


def test_our_own_page_is_heard(small):
    headers = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    assert small.get("/v1/grants", headers=headers).status_code == 200


def test_a_form_of_another_site_is_no_json(small):
    """What a page can send without being asked first: text/plain, or nothing at all."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        refused = post(small, b'{"texts": ["a"]}', **{"content-type": kind})
        assert error_of(refused) == (422, "request_form")


def add(client, path, handler):
    client.app.router.routes.append(APIRoute(path, handler))


def test_what_fails_inside_is_one_body_without_a_word_of_it(tmp_path, caplog):
    with gateway(tmp_path / "workspace", claimed=True) as served:

        def fails():
            raise RuntimeError("canary-4711")

        add(served.client, "/fails", fails)
        refused = served.client.get("/fails")
        assert error_of(refused) == (500, "internal")
        assert "canary" not in refused.text + caplog.text
        assert "RuntimeError" in caplog.text
        assert refused.headers["X-Request-Id"] in caplog.text
        assert 'route="/fails",status="500"' in served.client.get("/metrics").text


@pytest.fixture
def slow(tmp_path, request):
    """A gateway for two at once with a route that answers when it is let, waited for so long."""
    let = threading.Event()
    begun = threading.Semaphore(0)

    def waits() -> str:
        begun.release()
        let.wait(DEADLINE_S)
        return "done"

    limits = RequestLimits(concurrent=2, request_s=request.param)
    with gateway(tmp_path / "workspace", limits=limits, claimed=True) as served:
        add(served.client, "/waits", waits)
        yield served.client, let, begun
        let.set()


@pytest.mark.parametrize("slow", [0.2], indirect=True)
def test_an_answer_that_takes_too_long_is_not_waited_for(slow):
    client, let, _ = slow
    refused = client.get("/waits")
    assert error_of(refused) == (503, "request_too_long")
    assert client.app.state.flight.count == 1
    let.set()
    assert client.portal.call(client.app.state.flight.landed, DEADLINE_S)


@pytest.mark.parametrize("slow", [float(DEADLINE_S)], indirect=True)
def test_more_at_once_than_there_may_be_come_again(slow):
    client, let, begun = slow
    with ThreadPoolExecutor(2) as pool:
        first = [pool.submit(client.get, "/waits") for _ in range(2)]
        for _ in first:
            assert begun.acquire(timeout=DEADLINE_S)
        refused = client.get("/v1/grants")
        assert error_of(refused) == (503, "busy")
        assert int(refused.headers["Retry-After"]) >= 1
        assert client.get("/healthz").status_code == 200
        let.set()
        for each in first:
            each.result(DEADLINE_S)
    assert client.portal.call(client.app.state.flight.landed, DEADLINE_S)
    assert client.get("/v1/grants").status_code == 200


JSON = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\ax') | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"\\'), inner, max_size=3)
    ),
    max_leaves=12,
)


def depth_of(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    nested = isinstance(value, dict | list)
    return nested + max(map(depth_of, inside), default=0)


@settings(deadline=None)
@given(JSON)
def test_the_depth_is_that_of_the_value(value):
    raw = json.dumps(value).encode()
    deep = depth_of(value)
    check_json(raw, deep)
    if deep:
        with pytest.raises(InputError) as caught:
            check_json(raw, deep - 1)
        assert caught.value.code == "json_depth"


@pytest.mark.parametrize("item", [b"0,", b"[],", b"{", b"["])
def test_a_body_of_very_many_items_is_not_parsed(item):
    with pytest.raises(InputError) as caught:
        check_json(item * (MOST_ITEMS + 1), 1000)
    assert caught.value.code == "json_items"
    check_json(b'"' + item * (MOST_ITEMS + 1) + b'"', 1000)


@settings(deadline=None)
@given(
    st.binary() | st.text('[]{}"\\u\ud800', max_size=30).map(lambda t: t.encode(errors="replace"))
)
def test_whatever_is_no_json_is_left_to_the_parser(raw):
    check_json(raw, 1000)
