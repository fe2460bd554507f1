"""``/v1/responses``: from its items to parts of a conversation.

Nothing is kept by the service (``store`` is false), so what refers to an earlier response is
refused, and so is what is not text. Source: the OpenAI API reference, "Create a model response",
as of 2026.
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
from cipherset.app.serving.relay.protocol.chat import EFFORTS
from cipherset.app.serving.relay.protocol.pieces import content_of, worded
from cipherset.guard.prompts import Role

PATH: Final = "/responses"
_ROLES: Final = {
    role.value: role for role in (Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.ASSISTANT)
}
_NUMBERS: Final = ("temperature", "top_p", "max_output_tokens", "parallel_tool_calls")
_PARTS: Final = {"input_text": "text", "output_text": "text", "refusal": "refusal"}
_SHOWN: Final = frozenset({"annotations", "logprobs"})
# Of an item as it came back from us: its id and state are ours.
_OURS: Final = frozenset({"id", "status"})


def responses_asked(body: object) -> Asked:
    """The parts of a request for a response.

    Raises:
        InputError: ``request_field``.
    """
    fields, texts = Fields.of(body, "the request"), Texts()
    if fields.take("store") is True:
        raise bad("nothing is kept by the service", "send store=False, and all items each time")
    fields.drop(DROPPED)
    service, model = model_of(fields)
    wanted = wanted_of(fields)
    is_stream = fields.plain("stream").get("stream") is True
    template: dict[str, Any] = {"model": model, "store": False, **fields.plain(*_NUMBERS)}
    instructions, given = fields.take("instructions"), fields.take("input")
    if instructions is not None:
        template["instructions"] = texts.slot(Role.SYSTEM, instructions)
    template["input"] = _items(given, texts)
    names = _tools(fields, texts, template)
    reasoning, form = fields.take("reasoning"), fields.take("text")
    if reasoning is not None:
        own = Fields.of(reasoning, "reasoning")
        template["reasoning"] = own.one_of("effort", *EFFORTS)
        own.done()
    if form is not None:
        template["text"] = _form(form, texts)
    fields.done()
    if is_stream:
        template["stream"] = True
    return Asked(
        service=service,
        model=model,
        path=PATH,
        texts=texts,
        template=template,
        tools=names,
        n_answers=1,
        is_stream=is_stream,
        shows_usage=True,
        wanted=wanted,
        with_context=_with_context,
    )


def _with_context(body: dict[str, Any], notice: str, retrieved: Sequence[str]) -> None:
    """Notices go first, as instructions; what was retrieved is data, before the last item."""
    items = body["input"]
    items[-1:] = [*({"role": "user", "content": text} for text in retrieved), items[-1]]
    if notice:
        body["instructions"] = "\n".join(filter(None, (notice, body.get("instructions"))))


def _items(given: object, texts: Texts) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "content": texts.slot(Role.USER, given)}]
    if not isinstance(given, list) or not given:
        raise bad("input is neither a text nor items", "send text")
    return [_item(one, texts) for one in given]


def _item(value: object, texts: Texts) -> dict[str, Any]:
    fields = Fields.of(value, "an item")
    fields.drop(_OURS)
    kind = fields.take("type", "message")
    if kind == "message":
        told = _message(fields, texts)
    elif kind == "function_call":
        told = {
            "type": kind,
            "call_id": identified(fields.take("call_id")),
            "name": named(fields.take("name")),
            "arguments": texts.arguments(Role.ASSISTANT, fields.take("arguments", "")),
        }
    elif kind == "function_call_output":
        told = {
            "type": kind,
            "call_id": identified(fields.take("call_id")),
            "output": texts.slot(Role.TOOL, fields.take("output")),
        }
    else:
        raise bad("an item is of a kind that is not passed on", "send messages and calls")
    fields.done()
    return told


def _message(fields: Fields, texts: Texts) -> dict[str, Any]:
    role = _ROLES.get(str(fields.take("role")))
    if role is None:
        raise bad("a message has none of the roles", f"one of {', '.join(_ROLES)}")
    content = content_of(fields.take("content"), role, texts, _PARTS, _SHOWN)
    return {"role": role.value, "content": content}


def _tools(fields: Fields, texts: Texts, template: dict[str, Any]) -> frozenset[str]:
    listed, choice = fields.listed("tools"), fields.take("tool_choice")
    if len(listed) > MOST_TOOLS:
        raise bad(f"there are more than {MOST_TOOLS} tools", "offer fewer")
    names = []
    for one in listed:
        own = Fields.of(one, "a tool")
        if own.take("type") != "function":
            raise bad("a tool is no function", "what a service does by itself is not asked here")
        told = worded(own, texts, "parameters")
        names.append(told["name"])
        template.setdefault("tools", []).append({"type": "function", **told})
    if choice in ("none", "auto", "required"):
        template["tool_choice"] = choice
    elif choice is not None:
        own = Fields.of(choice, "tool_choice")
        own.one_of("type", "function")
        name = own.take("name")
        if name not in names:
            raise bad("tool_choice names a tool that is not offered", "choose one of the tools")
        own.done()
        template["tool_choice"] = {"type": "function", "name": name}
    return frozenset(names)


def _form(form: object, texts: Texts) -> dict[str, Any]:
    fields = Fields.of(form, "text")
    told: dict[str, Any] = fields.one_of("verbosity", "low", "medium", "high")
    asked = fields.take("format")
    fields.done()
    if asked is not None:
        own = Fields.of(asked, "text.format")
        kind = own.one_of("type", "text", "json_object", "json_schema")
        more = worded(own, texts, "schema") if kind.get("type") == "json_schema" else {}
        own.done()
        told["format"] = {**kind, **more}
    return told
