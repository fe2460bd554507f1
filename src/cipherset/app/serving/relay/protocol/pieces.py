"""What both protocols have of one form: the content of a message, and what carries a schema."""

from collections.abc import Mapping
from typing import Any

from cipherset.app.serving.relay.protocol.asked import Fields, Slot, Texts, bad, named
from cipherset.guard.prompts import Role


def content_of(
    content: object,
    role: Role,
    texts: Texts,
    kinds: Mapping[str, str],
    dropped: frozenset[str] = frozenset(),
) -> Slot | list[dict[str, Any]]:
    """A text, or parts of one: ``kinds`` says in which field each kind of part has its text.

    Raises:
        InputError: ``request_field``.
    """
    if isinstance(content, str):
        return texts.slot(role, content)
    if not isinstance(content, list):
        raise bad("the content of a message is neither text nor parts", "send text")
    found = []
    for one in content:
        fields = Fields.of(one, "a part")
        fields.drop(dropped)
        kind = str(fields.take("type"))
        if kind not in kinds:
            raise bad("a part is no text", "send text: nothing else is looked at here")
        found.append({"type": kind, kinds[kind]: texts.slot(role, fields.take(kinds[kind]))})
        fields.done()
    return found


def worded(own: Fields, texts: Texts, schema: str) -> dict[str, Any]:
    """A function to call, or a form of replies: ``schema`` is the field of its schema.

    Raises:
        InputError: ``request_field``.
    """
    told: dict[str, Any] = {"name": named(own.take("name")), **own.plain("strict")}
    description, given = own.take("description"), own.take(schema)
    if description is not None:
        told["description"] = texts.slot(Role.DEVELOPER, description)
    if given is not None:
        told[schema] = texts.schema(Role.DEVELOPER, given)
    own.done()
    return told
