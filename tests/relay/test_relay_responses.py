"""The real client's ``responses`` and ``embeddings``, through the gateway."""

import base64
import json
import struct

import openai
import pytest
from relay_upstream import Streamed, event, wait
from starlette.responses import JSONResponse

from cipherset.app.serving.relay.protocol.asked import filled
from cipherset.app.serving.relay.protocol.embeddings import embeddings_asked
from cipherset.app.serving.relay.protocol.responses import responses_asked
from cipherset.core.errors import InputError
from cipherset.guard.prompts import Part

ANNA = "anna.kowalska@example.org"
ASK = f"Write to {ANNA} please."
USAGE = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
TOOL = {"type": "function", "name": "send", "parameters": {"type": "object"}}


def message(*texts: str) -> dict:
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "m", "role": "assistant", "content": parts}


def responded(*output: dict, status: str = "completed", **more) -> JSONResponse:
    told = {"id": "r", "object": "response", "status": status, "usage": USAGE}
    return JSONResponse({**told, "output": list(output), **more})


def said(*pieces: str, status: str = "completed") -> list[bytes]:
    deltas = [event({"type": "response.output_text.delta", "delta": one}) for one in pieces]
    last = {"type": f"response.{status}", "response": {"status": status, "usage": USAGE}}
    return [event({"type": "response.created", "response": {}}), *deltas, event(last)]


def ask(client, given=ASK, **more):
    return client.responses.create(model="chat/small", input=given, **more)


def test_a_value_goes_as_a_token_and_comes_back(client, upstream, served):
    upstream.script = lambda body: responded(message("Done: [EMAIL_1]; bob@other.example not."))
    found = ask(client, instructions="Be kind.")
    assert found.output_text == f"Done: {ANNA}; [EMAIL] not."
    assert found.status == "completed"
    assert found.usage.total_tokens == 12
    (body,) = upstream.asked
    assert upstream.paths == ["/v1/responses"]
    assert body["store"] is False
    assert body["instructions"].endswith("Be kind.")
    assert "[PERSON_1]" in body["instructions"]
    assert ANNA not in json.dumps(body)
    assert json.loads(served.events()[0].body)["path"] == "/responses"


def test_a_stream_is_restored(client, upstream):
    upstream.script = lambda body: Streamed(said("Done: [EMA", "IL_1", "]!"), upstream)
    with client.responses.stream(model="chat/small", input=ASK) as stream:
        kinds = [each.type for each in stream]
        found = stream.get_final_response()
    assert found.output_text == f"Done: {ANNA}!"
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_calls(client, upstream):
    call = {"type": "function_call", "call_id": "c", "name": "send"}
    call["arguments"] = '{"to": "[EMAIL_1]"}'
    upstream.script = lambda body: responded({"type": "reasoning", "summary": []}, call)
    (made,) = ask(client, tools=[TOOL], tool_choice={"type": "function", "name": "send"}).output
    assert json.loads(made.arguments) == {"to": ANNA}
    items = [
        {"role": "user", "content": ASK},
        made.model_dump(exclude_none=True),
        {"type": "function_call_output", "call_id": made.call_id, "output": f"sent to {ANNA}"},
    ]
    upstream.script = lambda body: responded(message("ok"))
    assert ask(client, items, tools=[TOOL]).output_text == "ok"
    assert ANNA not in json.dumps(upstream.asked)
    assert upstream.asked[-1]["input"][-1]["output"].startswith("«DATA ")

    done = {"type": "response.output_item.done", "item": call}
    pieces = [*said("hm ")[:-1], event(done), said()[-1]]
    upstream.script = lambda body: Streamed(pieces, upstream)
    with client.responses.stream(model="chat/small", input=ASK, tools=[TOOL]) as stream:
        list(stream)
        text, made = stream.get_final_response().output
    assert text.content[0].text == "hm "
    assert json.loads(made.arguments) == {"to": ANNA}


def test_a_secret_ends_it(client, upstream):
    text = "Here: AKIA" + "QWERTYUIOPASDFGH and so on. " + "More words follow here. " * 60
    upstream.script = lambda body: Streamed([*said(text)[:-1], None], upstream)
    events = list(ask(client, stream=True))
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.incomplete_details.reason == "content_filter"
    assert "AKIA" not in "".join(each.model_dump_json() for each in events)
    wait(upstream.gone.is_set)
    upstream.script = lambda body: responded(message(text))
    assert ask(client).incomplete_details.reason == "content_filter"


def test_a_response_that_reached_its_length(client, upstream):
    upstream.script = lambda body: responded(message("x"), status="incomplete")
    assert ask(client).incomplete_details.reason == "max_output_tokens"


WRONG = {
    "failed": (responded(status="failed"), "upstream_cut"),
    "no item": (responded("x"), "upstream_garbage"),
    "no part": (responded({"type": "message", "content": ["x"]}), "upstream_garbage"),
    "other tool": (responded({"type": "function_call", "name": "rm"}), "upstream_garbage"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_response_that_is_none(client, upstream, name):
    response, code = WRONG[name]
    upstream.script = lambda body: response
    with pytest.raises(openai.InternalServerError) as refused:
        ask(client)
    assert refused.value.code == code


BROKEN = {
    "failed": [event({"type": "response.failed", "response": {}})],
    "broken off": said("x")[:-1],
    "other tool": [event({"type": "response.output_item.done", "item": {"type": "function_call"}})],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_stream_that_is_none(client, upstream, name):
    upstream.script = lambda body: Streamed(BROKEN[name], upstream)
    with pytest.raises(openai.APIError) as failed:
        list(ask(client, stream=True))
    assert failed.value.code in ("upstream_cut", "upstream_garbage")


BAD = {
    "stored": {"store": True},
    "earlier": {"previous_response_id": "resp_1"},
    "no input": {"input": []},
    "no text": {"input": 7},
    "item": {"input": [{"type": "reasoning", "summary": []}]},
    "role": {"input": [{"role": "tool", "content": "x"}]},
    "image": {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
    "content": {"input": [{"role": "user", "content": 7}]},
    "hosted tool": {"tools": [{"type": "web_search"}]},
    "tools": {"tools": [TOOL] * 200},
    "choice": {"tool_choice": {"type": "function", "name": "absent"}},
    "include": {"include": ["message.output_text.logprobs"]},
}


@pytest.mark.parametrize("name", BAD)
def test_a_request_that_is_not_understood_is_refused(name):
    with pytest.raises(InputError) as refused:
        responses_asked({"model": "chat/small", "input": "x", **BAD[name]})
    assert refused.value.code == "request_field"


def test_all_that_is_text_is_looked_at():
    schema = {"type": "json_schema", "name": "n", "description": "a4", "schema": {"title": "a5"}}
    body = {
        "model": "chat/small",
        "instructions": "a1",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "a2"}]},
            {"role": "assistant", "content": "a3", "id": "dropped", "type": "message"},
        ],
        "text": {"format": schema, "verbosity": "low"},
        "reasoning": {"effort": "low"},
        "tools": [{**TOOL, "description": "a6"}],
        "user": "dropped",
    }
    asked = responses_asked(body)
    marked = [Part(part.role, part.text.upper(), part.form) for part in asked.texts.parts]
    told = json.dumps(filled(asked.template, marked))
    assert all(f"A{n}" in told and f"a{n}" not in told for n in range(1, 7))
    assert "dropped" not in told


def embedded(*vectors, **more) -> JSONResponse:
    data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(vectors)]
    return JSONResponse({"object": "list", "data": data, "usage": {"prompt_tokens": 3}, **more})


def test_texts_become_vectors(client, upstream):
    raw = base64.b64encode(struct.pack("<2f", 1.0, -0.5)).decode()
    upstream.script = lambda body: embedded(raw, raw)
    found = client.embeddings.create(model="chat/small", input=[ASK, "hello"], dimensions=2)
    assert [each.embedding for each in found.data] == [[1.0, -0.5]] * 2
    assert found.usage.total_tokens == 3
    assert upstream.asked[0]["input"] == ["Write to [EMAIL_1] please.", "hello"]
    upstream.script = lambda body: embedded([0.5, 2])
    one = client.embeddings.create(model="chat/small", input="x", encoding_format="float")
    assert one.data[0].embedding == [0.5, 2]


@pytest.mark.parametrize(
    "vectors", [[], ["a text"], [[1, "a text"]], [[]], [[True]], [[1.0], [1.0]], ["AAA="], [None]]
)
def test_vectors_that_are_none(client, upstream, vectors):
    upstream.script = lambda body: embedded(*vectors)
    with pytest.raises(openai.InternalServerError) as refused:
        client.embeddings.create(model="chat/small", input="x")
    assert refused.value.code == "upstream_garbage"


def test_vectors_of_other_texts(client, upstream):
    data = [{"index": 7, "embedding": [1.0]}]
    upstream.script = lambda body: embedded(data=data)
    with pytest.raises(openai.InternalServerError) as refused:
        client.embeddings.create(model="chat/small", input="x")
    assert refused.value.code == "upstream_garbage"


@pytest.mark.parametrize("given", [7, [], [[1, 2, 3]], [7], None])
def test_what_cannot_be_embedded(given):
    with pytest.raises(InputError) as refused:
        embeddings_asked({"model": "chat/small", "input": given})
    assert refused.value.code == "request_field"
