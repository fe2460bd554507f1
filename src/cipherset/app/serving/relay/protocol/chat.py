"""``/v1/chat/completions``: from its messages to parts of a conversation.

Source: the OpenAI API reference, "Create chat completion", as of 2026; what is not text (images,
sound, files) and what would show tokens of a reply one by one (``logprobs``) is refused.
"""

from collections.abc import Sequence
from typing import Any, Final

from cipherset.app.serving.relay.protocol.asked import (
    DROPPED,
    MOST_TOOLS,
    Asked,
    Fields,
    Texts,
    bad,
    identified,
    model_of,
    named,
    wanted_of,
)
from cipherset.app.serving.relay.protocol.pieces import content_of, worded
from cipherset.guard.prompts import Role

PATH: Final = "/chat/completions"
_ROLES: Final = {role.value: role for role in Role if role is not Role.RETRIEVED}
_PARTS: Final = {"text": "text", "refusal": "refusal"}
_MOST_ANSWERS: Final = 8
_MOST_STOPS: Final = 4
_NUMBERS: Final = (
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "parallel_tool_calls",
)
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")


def chat_asked(body: object) -> Asked:
    """The parts of a request for a chat completion.

    Raises:
        InputError: ``request_field``.
    """
    fields, texts = Fields.of(body, "the request"), Texts()
    fields.drop(DROPPED)
    service, model = model_of(fields)
    wanted = wanted_of(fields)
    is_stream, shows_usage = _stream(fields)
    template: dict[str, Any] = {"model": model, **fields.plain(*_NUMBERS)}
    template |= fields.one_of("reasoning_effort", *EFFORTS)
    n_answers = _n_answers(fields, template)
    template["messages"] = [_message(one, texts) for one in fields.listed("messages")]
    if not template["messages"]:
        raise bad("there are no messages", "send one")
    tools = _tools(fields, texts, template)
    stops = fields.take("stop", [])
    if stops:
        listed = [stops] if isinstance(stops, str) else stops
        if not isinstance(listed, list) or len(listed) > _MOST_STOPS:
            raise bad("stop is neither a text nor up to four", "leave it out")
        template["stop"] = [texts.slot(Role.DEVELOPER, one) for one in listed]
    form = fields.take("response_format")
    if form is not None:
        template["response_format"] = _form(form, texts)
    fields.done()
    if is_stream:
        template |= {"stream": True, "stream_options": {"include_usage": True}}
    return Asked(
        service=service,
        model=model,
        path=PATH,
        texts=texts,
        template=template,
        tools=tools,
        n_answers=n_answers,
        is_stream=is_stream,
        shows_usage=shows_usage,
        wanted=wanted,
        with_context=_with_context,
    )


def _with_context(body: dict[str, Any], notice: str, retrieved: Sequence[str]) -> None:
    """Notices are instructions and go first; what was retrieved is data, before the last."""
    messages = body["messages"]
    found = [{"role": "user", "content": text} for text in retrieved]
    messages[-1:] = [*found, messages[-1]]
    if notice:
        messages.insert(0, {"role": "system", "content": notice})


def _stream(fields: Fields) -> tuple[bool, bool]:
    is_stream = fields.plain("stream").get("stream") is True
    options = Fields.of(fields.take("stream_options", {}), "stream_options")
    shows_usage = options.plain("include_usage").get("include_usage") is True
    options.plain("include_obfuscation")
    options.done()
    return is_stream, shows_usage


def _n_answers(fields: Fields, template: dict[str, Any]) -> int:
    n = fields.plain("n").get("n", 1)
    if not isinstance(n, int) or not 1 <= n <= _MOST_ANSWERS:
        raise bad(f"n is none of 1 to {_MOST_ANSWERS}", "ask for fewer answers")
    if n > 1:
        template["n"] = n
    return n


def _message(value: object, texts: Texts) -> dict[str, Any]:
    fields = Fields.of(value, "a message")
    fields.drop(frozenset({"name", "annotations"}))
    role = _ROLES.get(str(fields.take("role")))
    if role is None:
        raise bad("a message has none of the roles", f"one of {', '.join(_ROLES)}")
    told: dict[str, Any] = {"role": role.value}
    content, refusal = fields.take("content"), fields.take("refusal")
    if content is not None:
        told["content"] = content_of(content, role, texts, _PARTS)
    if role is Role.ASSISTANT:
        if refusal is not None:
            told["refusal"] = texts.slot(role, refusal)
        calls = [_call(one, texts) for one in fields.listed("tool_calls")]
        told |= {"tool_calls": calls} if calls else {}
    elif role is Role.TOOL:
        told["tool_call_id"] = identified(fields.take("tool_call_id"))
    fields.done()
    return told


def _call(value: object, texts: Texts) -> dict[str, Any]:
    fields = Fields.of(value, "a call")
    fields.one_of("type", "function")
    fields.drop(frozenset({"index"}))
    function = Fields.of(fields.take("function"), "a function")
    told = {
        "id": identified(fields.take("id")),
        "type": "function",
        "function": {
            "name": named(function.take("name")),
            "arguments": texts.arguments(Role.ASSISTANT, function.take("arguments", "")),
        },
    }
    function.done()
    fields.done()
    return told


def _tools(fields: Fields, texts: Texts, template: dict[str, Any]) -> frozenset[str]:
    listed = fields.listed("tools")
    choice = fields.take("tool_choice")
    if len(listed) > MOST_TOOLS:
        raise bad(f"there are more than {MOST_TOOLS} tools", "offer fewer")
    names = []
    for one in listed:
        outer = Fields.of(one, "a tool")
        outer.one_of("type", "function")
        told = worded(Fields.of(outer.take("function"), "a function"), texts, "parameters")
        outer.done()
        names.append(told["name"])
        template.setdefault("tools", []).append({"type": "function", "function": told})
    if choice is not None:
        template["tool_choice"] = _choice(choice, names)
    return frozenset(names)


def _choice(choice: object, names: Sequence[str]) -> object:
    if choice in ("none", "auto", "required"):
        return choice
    fields = Fields.of(choice, "tool_choice")
    fields.one_of("type", "function")
    function = Fields.of(fields.take("function"), "tool_choice.function")
    name = function.take("name")
    if name not in names:
        raise bad("tool_choice names a tool that is not offered", "choose one of the tools")
    function.done()
    fields.done()
    return {"type": "function", "function": {"name": name}}


def _form(form: object, texts: Texts) -> dict[str, Any]:
    fields = Fields.of(form, "response_format")
    told: dict[str, Any] = fields.one_of("type", "text", "json_object", "json_schema")
    schema = fields.take("json_schema")
    fields.done()
    if schema is not None:
        told["json_schema"] = worded(Fields.of(schema, "json_schema"), texts, "schema")
    return told
