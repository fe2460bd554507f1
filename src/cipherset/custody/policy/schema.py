"""The Cedar schema, generated from ``vocabulary.py`` so that it can never be absent.

Without a schema Cedar skips a ``forbid`` whose attribute is missing, and allows. Each enumeration
becomes an enumerated entity type, so that ``Level::"restrictd"`` is refused when it is loaded.

Floats become Cedar decimals of four digits, rounded *up*: what is measured at 0.050001 does not
pass a limit of 0.05.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from cipherset.core import canonical
from cipherset.custody.policy.vocabulary import (
    APPLIES_TO,
    Action,
    Context,
    Kind,
    Principal,
    Request,
    Resource,
    Role,
)

# Names that would shadow Cedar's own entity type of actions.
_NAMES: Final[Mapping[type, str]] = {Action: "Asked"}
_PLAIN: Final[Mapping[type, str]] = {str: "String", int: "Long", bool: "Bool", float: "decimal"}
# What entities are written from by other means than as an attribute.
_NOT_ATTRIBUTES: Final = {"kind", "id"}
_DIGITS: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as Cedar knows it: its type, and whether it may be absent."""

    type: str
    is_optional: bool


def _attribute(hint: Any) -> Attribute:  # noqa: ANN401 -- whatever a field is annotated with
    """What the type of a field is in Cedar."""
    if get_origin(hint) in {Union, UnionType}:
        (given,) = (each for each in get_args(hint) if each is not NoneType)
        return Attribute(_attribute(given).type, is_optional=True)
    if get_origin(hint) is frozenset:
        return Attribute(f"Set<{_attribute(get_args(hint)[0]).type}>", is_optional=False)
    if hasattr(hint, "__metadata__"):
        return Attribute(str(hint.__metadata__[0]), is_optional=False)
    if issubclass(hint, StrEnum):
        return Attribute(_NAMES.get(hint, hint.__name__), is_optional=False)
    return Attribute(_PLAIN[hint], is_optional=False)


def _attributes(of: type) -> dict[str, Attribute]:
    hints = get_type_hints(of, include_extras=True)
    return {name: _attribute(hint) for name, hint in hints.items() if name not in _NOT_ATTRIBUTES}


def _enumerations() -> dict[str, type[StrEnum]]:
    found: dict[str, type[StrEnum]] = {"Role": Role}
    for of in (Resource, Context):
        hints = (hint for name, hint in get_type_hints(of).items() if name not in _NOT_ATTRIBUTES)
        for each in (each for hint in hints for each in (hint, *get_args(hint))):
            if isinstance(each, type) and issubclass(each, StrEnum):
                found[_NAMES.get(each, each.__name__)] = each
    return dict(sorted(found.items()))


# ``level`` orders the labels; ``max_reid`` is the limit that stands in limits.toml.
RESOURCE: Final = _attributes(Resource) | {"level": Attribute("Long", is_optional=False)}
CONTEXT: Final = _attributes(Context) | {"max_reid": Attribute("decimal", is_optional=False)}


def entity_type(kind: Kind) -> str:
    """The Cedar entity type of a kind."""
    return kind.value.capitalize()


def _record(attributes: Mapping[str, Attribute]) -> str:
    lines = (
        f"  {name}{'?' if each.is_optional else ''}: {each.type},"
        for name, each in sorted(attributes.items())
    )
    return "{\n" + "\n".join(lines) + "\n}"


def _text() -> str:
    parts = ["entity Principal in [Role] tags String;"]
    for name, enumeration in _enumerations().items():
        values = ", ".join(f'"{each.value}"' for each in enumeration)
        parts.append(f"entity {name} enum [{values}];")
    parts += [f"entity {entity_type(kind)} {_record(RESOURCE)};" for kind in Kind]
    parts.append(f"type Context = {_record(CONTEXT)};")
    for action, kinds in APPLIES_TO.items():
        resources = ", ".join(sorted(entity_type(kind) for kind in kinds))
        parts.append(
            f'action "{action.value}" appliesTo '
            f"{{ principal: [Principal], resource: [{resources}], context: Context }};"
        )
    return "\n".join(parts) + "\n"


TEXT: Final = _text()
DIGEST: Final = canonical.digest_bytes(TEXT.encode())


def decimal_up(value: float) -> str:
    """``value`` with four digits after the point, rounded up.

    Raises:
        ValueError: not a finite number, or too large for a Cedar decimal.
    """
    try:
        # The shortest decimal that is this float: 0.05 is 0.0500, not the 0.0501 of its last bit.
        rounded = Decimal(repr(float(value))).quantize(_DIGITS, rounding=ROUND_CEILING)
    except InvalidOperation:
        rounded = Decimal("NaN")
    if not rounded.is_finite():
        raise ValueError("not a number that Cedar can compare")
    return f"{rounded:f}"


def principal_entity(principal: Principal) -> dict[str, Any]:
    """The principal as Cedar's JSON entity; its roles are its parents."""
    return {
        "uid": {"type": "Principal", "id": principal.name},
        "attrs": {},
        "parents": [{"type": "Role", "id": str(role)} for role in sorted(principal.roles)],
        "tags": dict(principal.attributes),
    }


def resource_entity(resource: Resource) -> dict[str, Any]:
    """The resource as Cedar's JSON entity."""
    values = _values(resource) | {"level": resource.label.rank}
    return {
        "uid": resource_uid(resource),
        "attrs": _encoded(values, RESOURCE),
        "parents": [],
    }


def resource_uid(resource: Resource) -> dict[str, str]:
    """What Cedar calls the resource."""
    return {"type": entity_type(resource.kind), "id": resource.id}


def question(request: Request, max_reid: float) -> dict[str, Any]:
    """The request as Cedar's JSON.

    Raises:
        ValueError: a fact that Cedar cannot hold.
    """
    values = _values(request.context) | {"max_reid": max_reid}
    return {
        "principal": {"type": "Principal", "id": request.principal.name},
        "action": {"type": "Action", "id": str(request.action)},
        "resource": resource_uid(request.resource),
        "context": _encoded(values, CONTEXT),
    }


def _values(of: Resource | Context) -> dict[str, Any]:
    """Its fields that are known."""
    fields = (each.name for each in dataclasses.fields(of) if each.name not in _NOT_ATTRIBUTES)
    return {name: value for name in fields if (value := getattr(of, name)) is not None}


def _encoded(values: Mapping[str, Any], attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    return {name: _json(value, attributes[name].type) for name, value in values.items()}


def _json(value: Any, of: str) -> Any:  # noqa: ANN401 -- any fact, any JSON value
    if of.startswith("Set<"):
        return [_json(each, of[4:-1]) for each in sorted(value)]
    if of == "decimal":
        return {"__extn": {"fn": "decimal", "arg": decimal_up(value)}}
    if of == "ipaddr":
        return {"__extn": {"fn": "ip", "arg": value}}
    if of in {"String", "Long", "Bool"}:
        return value
    return {"__entity": {"type": of, "id": str(value)}}
