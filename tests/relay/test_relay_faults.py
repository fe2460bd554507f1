"""A service that stalls, errs, breaks off, talks nonsense; a client that goes; nothing is lost."""

import json
import sqlite3
from contextlib import closing

import httpx
import openai
import pytest
from relay_gateway import gateway, prepared
from relay_upstream import Streamed, chunk, completion, event, service, spoken, wait
from starlette.responses import JSONResponse, RedirectResponse, Response

ASK = [{"role": "user", "content": "Say hello."}]
# No test waits for these: what is to be slow never answers.
SHORT = "[upstream]\nread_s = 0.5\ntotal_s = 60\nwait_s = 0.01\n"


def ask(client, **more):
    return client.chat.completions.create(model="chat/small", messages=ASK, **more)


def refusal(client, **more) -> tuple[int, str]:
    with pytest.raises(openai.APIStatusError) as refused:
        ask(client, **more)
    assert refused.value.body["message"]
    return refused.value.status_code, refused.value.code


def broken(client) -> tuple[str, str]:
    """What was told before it broke, and why it did."""
    told = []
    with pytest.raises(openai.APIError) as failed:
        for each in ask(client, stream=True):
            told.append(each.choices[0].delta.content or "")
    return "".join(told), failed.value.code


WHOLE = {
    "no JSON": (Response("hello", media_type="application/json"), "upstream_garbage"),
    "no object": (JSONResponse(["x"]), "upstream_garbage"),
    "no UTF-8": (Response(b'{"a": "\xff"}', media_type="application/json"), "upstream_garbage"),
    "a page": (Response("<p>hello</p>", media_type="text/html"), "upstream_garbage"),
    "no answer": (JSONResponse({"choices": []}), "upstream_garbage"),
    "no number": (JSONResponse({"choices": [{}]}), "upstream_garbage"),
    "no message": (JSONResponse({"choices": [{"index": 0, "message": 7}]}), "upstream_garbage"),
    "no text": (completion(7), "upstream_garbage"),
    "no list": (JSONResponse({"choices": 7}), "upstream_garbage"),
    "no call": (completion("x", message={"tool_calls": ["x"]}), "upstream_garbage"),
    "packed": (
        Response(b"x", media_type="application/json", headers={"content-encoding": "gzip"}),
        "upstream_garbage",
    ),
    "deep": (Response("[" * 200_000, media_type="application/json"), "upstream_garbage"),
    "elsewhere": (RedirectResponse("http://127.0.0.1:1/"), "upstream_status"),
    "not let in": (JSONResponse({"error": "sk-upstream"}, 401), "upstream_status"),
    "down": (JSONResponse({"error": "Zanzibar"}, 500), "upstream_status"),
}


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """One gateway that never leaves its service alone."""
    rules = "[upstream]\nmost_failures = 100\nwait_s = 0.01\n"
    home = tmp_path_factory.mktemp("faults") / "workspace"
    with (
        service() as found,
        gateway(prepared(home, found.url, rules)) as served,
        served.client() as client,
    ):
        yield found, served, client


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_is_none(patient, name):
    upstream, served, client = patient
    response, code = WHOLE[name]
    upstream.script = lambda body: response
    assert refusal(client) == (503, code)
    outcome, body = served.last()
    assert (outcome, body["code"]) == ("refused", code)
    assert "Zanzibar" not in json.dumps(body)


def test_a_request_that_the_service_does_not_take(patient):
    upstream, _, client = patient
    upstream.script = lambda body: JSONResponse({"error": "no"}, 400)
    assert refusal(client) == (422, "upstream_rejected")


STREAMS = {
    "broken off": ([chunk({"content": "x"})], "upstream_cut"),
    "done too early": ([chunk({"content": "x"}), b"data: [DONE]\n\n"], "upstream_cut"),
    "an error": ([event({"error": {"message": "Zanzibar"}})], "upstream_cut"),
    "no JSON": ([b"data: hello\n\n"], "upstream_garbage"),
    "no object": ([b"data: [1]\n\n"], "upstream_garbage"),
    "no UTF-8": ([b"data: \xff\xfe\n\n"], "upstream_garbage"),
    "too long": ([b"data: " + b"x" * (1 << 20), b"x" * 4096], "upstream_garbage"),
    "many lines": ([b"data: " + b"x" * 4000 + b"\n"] * 300, "upstream_garbage"),
    "endless": ([b": " + b"x" * 500_000 + b"\n"] * 70, "upstream_garbage"),
    "no choice": ([event({"choices": [7]})], "upstream_garbage"),
    "other choice": ([event({"choices": [{"index": 5, "delta": {}}]})], "upstream_garbage"),
    "no call": ([chunk({"tool_calls": [7]})], "upstream_garbage"),
    "no text": ([chunk({"content": {}})], "upstream_garbage"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_is_none(patient, name):
    upstream, served, client = patient
    pieces, code = STREAMS[name]
    upstream.script = lambda body: Streamed(pieces, upstream)
    told, found = broken(client)
    assert (told, found) == ("", code)  # what was held back is not told
    outcome, body = served.last()
    assert (outcome, body["code"]) == ("refused", code)


def test_an_error_in_the_stream_is_an_event_of_the_one_shape(patient):
    upstream, served, _ = patient
    upstream.script = lambda body: Streamed([chunk({"content": "x"})], upstream)
    body = {"model": "chat/small", "messages": ASK, "stream": True}
    raw = httpx.post(f"{served.url}/chat/completions", json=body, timeout=60)
    assert raw.headers["content-type"].startswith("text/event-stream")
    *_, last = [line for line in raw.text.split("\n") if line]
    found = json.loads(last.removeprefix("data: "))["error"]
    assert set(found) == {"code", "message", "hint", "type"}
    assert "[DONE]" not in raw.text


def test_lines_end_as_they_may(patient):
    upstream, _, client = patient
    raw = b"".join([b": a comment\n", b"event: x\n", *spoken("he", "llo")])
    raw = raw.replace(b"\n", b"\r\n")
    pieces = [raw[n : n + 7] for n in range(0, len(raw), 7)]
    upstream.script = lambda body: Streamed(pieces, upstream)
    told = [each.choices[0].delta.content or "" for each in ask(client, stream=True)]
    assert "".join(told) == "hello"


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_service_that_stalls(tmp_path, upstream, is_stream):
    home = prepared(tmp_path / "workspace", upstream.url, SHORT)
    upstream.script = lambda body: Streamed(
        [chunk({"content": "x"}), None] if is_stream else [b'{"choices"', None],
        upstream,
        "" if is_stream else "application/json",
    )
    with gateway(home) as served, served.client() as client:
        if is_stream:
            assert broken(client) == ("", "upstream_slow")
        else:
            assert refusal(client) == (503, "upstream_slow")
        wait(upstream.gone.is_set)


def test_a_service_that_takes_too_long_in_all(tmp_path, upstream):
    rules = "[upstream]\nread_s = 60\ntotal_s = 0.5\n"
    home = prepared(tmp_path / "workspace", upstream.url, rules)
    upstream.script = lambda body: Streamed([chunk({"content": "x"}), None], upstream)
    with gateway(home) as served, served.client() as client:
        assert broken(client) == ("", "upstream_slow")
        assert served.last()[1]["code"] == "upstream_slow"


def test_a_client_that_goes(client, upstream, served):
    text = "These are words that nobody needs to hold back for long. " * 40
    upstream.script = lambda body: Streamed([chunk({"content": text}), None], upstream)
    stream = ask(client, stream=True)
    next(iter(stream))
    stream.close()
    wait(upstream.gone.is_set)
    wait(lambda: served.events()[-1].outcome != "intended")
    outcome, body = served.last()
    assert (outcome, body["ended"]) == ("failed", "client gone")
    assert body["answer_length"] > 0


def test_it_is_tried_again_while_nothing_came(client, upstream):
    answers = [JSONResponse({}, 503), JSONResponse({}, 429), completion("at last")]
    upstream.script = lambda body: answers.pop(0)
    assert ask(client).choices[0].message.content == "at last"
    assert len(upstream.asked) == 3


def test_it_is_not_tried_again_once_something_came(client, upstream):
    upstream.script = lambda body: Streamed([chunk({"content": "x"})], upstream)
    assert broken(client)[1] == "upstream_cut"
    assert len(upstream.asked) == 1


def test_a_service_that_fails_again_and_again_is_left_alone(tmp_path, upstream):
    rules = "[upstream]\ntries = 1\nmost_failures = 2\nrest_s = 3600\n"
    home = prepared(tmp_path / "workspace", upstream.url, rules)
    upstream.script = lambda body: JSONResponse({}, 500)
    with gateway(home) as served, served.client() as client:
        assert refusal(client) == (503, "upstream_status")
        assert refusal(client) == (503, "upstream_status")
        assert refusal(client) == (503, "upstream_resting")
        assert len(upstream.asked) == 2


def test_a_service_that_is_not_there(tmp_path):
    home = prepared(tmp_path / "workspace", "http://127.0.0.1:1/v1", "[upstream]\nwait_s = 0.01\n")
    with gateway(home) as served, served.client() as client:
        assert refusal(client) == (503, "upstream_unreachable")
        assert refusal(client, stream=True) == (503, "upstream_unreachable")


def test_an_answer_without_an_end(patient):
    upstream, _, client = patient
    pieces = [b" " * 500_000] * 70
    upstream.script = lambda body: Streamed(pieces, upstream, "application/json")
    assert refusal(client) == (503, "upstream_garbage")


def test_a_stream_where_none_was_asked_for(patient):
    upstream, _, client = patient
    upstream.script = lambda body: Streamed([None], upstream)
    assert refusal(client) == (503, "upstream_garbage")
    upstream.script = lambda body: completion("x")
    assert refusal(client, stream=True) == (503, "upstream_garbage")


TOOLS = [{"type": "function", "function": {"name": "send"}}]
CALLS = {
    "too many": [
        chunk({"tool_calls": [{"index": n, "function": {"name": "send"}}]}) for n in range(65)
    ],
    "too much": [
        chunk({"tool_calls": [{"index": 0, "function": {"name": "send", "arguments": "x"}}]}),
        *[chunk({"tool_calls": [{"index": 0, "function": {"arguments": "x" * 90_000}}]})] * 3,
    ],
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_without_an_end(patient, name):
    upstream, _, client = patient
    upstream.script = lambda body: Streamed(CALLS[name], upstream)
    with pytest.raises(openai.APIError) as failed:
        list(ask(client, stream=True, tools=TOOLS))
    assert failed.value.code == "upstream_garbage"


def test_responses_with_calls_without_an_end(patient):
    upstream, _, client = patient
    item = {"type": "function_call", "name": "send", "arguments": "{}"}
    pieces = [event({"type": "response.output_item.done", "item": item})] * 65
    upstream.script = lambda body: Streamed(pieces, upstream)
    tools = [{"type": "function", "name": "send", "parameters": {}}]
    with pytest.raises(openai.APIError) as failed:
        list(client.responses.create(model="chat/small", input="x", tools=tools, stream=True))
    assert failed.value.code == "upstream_garbage"


def test_an_answer_that_cannot_be_written_down_is_not_told(client, upstream, home):
    stop = "CREATE TRIGGER stop BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'stop'); END"

    def script(body):
        with closing(sqlite3.connect(home / "ledger.sqlite", timeout=60)) as other:
            other.execute(stop)
            other.commit()
        return completion("never told")

    upstream.script = script
    assert refusal(client) == (503, "ledger_unwritable")
    assert refusal(client) == (503, "ledger_unwritable")
    assert len(upstream.asked) == 1  # nor is anything asked
