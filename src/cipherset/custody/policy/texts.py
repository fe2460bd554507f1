"""Cedar text to rules: one policy each, with its place; refused where it names what is not there.

Cedar's validator lets two things pass that would leave a policy without effect, so they are refused
here: ``has`` of an attribute that does not exist (a ``forbid`` behind it would never apply), and a
template, which decides nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cedarpy

from cipherset.core.errors import InputError
from cipherset.custody.policy import schema

# Text that may hold a semicolon without ending a policy, and the semicolon that does end it.
_TOKENS: Final = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "context": frozenset(schema.CONTEXT),
    "resource": frozenset(schema.RESOURCE),
    "principal": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy: its id, a sentence that says why, its effect, its text and where it stands.

    ``actions`` and ``entity_type`` are those that its scope names; ``None`` where it names none.
    """

    id: str
    why: str
    effect: str
    text: str
    where: str
    actions: frozenset[str] | None = None
    entity_type: str | None = None

    def may_apply(self, action: str, entity_type: str) -> bool:
        """False only where its scope rules it out."""
        is_action = self.actions is None or action in self.actions
        return is_action and self.entity_type in {None, entity_type}


def read_rules(texts: Mapping[str, str], against: Any) -> tuple[Rule, ...]:  # noqa: ANN401 -- cedarpy's
    """Every policy of ``texts`` (file name to text), in their order.

    Raises:
        InputError: ``policy_syntax``, ``policy_meaning``, ``policy_annotation``, ``policy_twice``,
            ``policy_template``, ``policy_empty``.
    """
    rules: dict[str, Rule] = {}
    # All at once, since each look at the schema takes its time; one by one to name what is amiss.
    are_sound = cedarpy.validate_policies("\n".join(texts.values()), against).validation_passed
    for name, text in texts.items():
        for line, piece in _pieces(text):
            rule = _rule(piece, f"{name}:{line}", None if are_sound else against)
            if rule.id in rules:
                raise InputError(
                    f"{rule.where}: a policy is called {rule.id} already: {rules[rule.id].where}",
                    code="policy_twice",
                    hint="give each policy an @id of its own",
                )
            rules[rule.id] = rule
    if not rules:
        raise InputError(
            "there is no policy in these files, so everything would be denied",
            code="policy_empty",
            hint="write at least one permit, or begin with a built-in set",
        )
    return tuple(rules.values())


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Each policy's text with the line it begins in; what follows the last one too."""
    start = 0
    for token in _TOKENS.finditer(text):
        if token.group() == ";":
            yield _line(text, start, token.end()), text[start : token.end()]
            start = token.end()
    if re.sub(r"//[^\n]*", "", text[start:]).strip():
        yield _line(text, start, len(text)), text[start:]


def _line(text: str, start: int, end: int) -> int:
    """The line of the first word after comments and blanks."""
    blank = re.match(r"(\s|//[^\n]*)*", text[start:end])
    return text.count("\n", 0, start + (blank.end() if blank else 0)) + 1


def _rule(text: str, where: str, against: Any | None) -> Rule:  # noqa: ANN401 -- cedarpy's
    found = _parsed(text, where)
    annotations = found.get("annotations", {})
    name, why = annotations.get("id") or "", (annotations.get("why") or "").strip()
    if not _ID.fullmatch(name) or not why:
        raise InputError(
            f"{where}: this policy lacks "
            + ("an @id of small letters, digits, dots and dashes" if why else "an @id and a @why"),
            code="policy_annotation",
            hint='begin it with @id("short-name") and @why("a sentence for whoever is refused")',
        )
    faults = [*_misfits(text, name, against), *_unknown_tests(found)]
    if faults:
        raise InputError(
            f"{where}: {'; '.join(faults)}",
            code="policy_meaning",
            hint="cipherset policy schema shows every name that a policy may use",
        )
    return Rule(
        name, why, found["effect"], text.strip(), where, _actions(found), _entity_type(found)
    )


def _misfits(text: str, name: str, against: Any | None) -> Iterator[str]:  # noqa: ANN401 -- cedarpy's
    """How the policy does not fit the schema; nothing where that is known to be sound."""
    if against is None:
        return
    meaning = cedarpy.validate_policies(text, against)
    for each in meaning.errors:
        yield each.error.replace("for policy `policy0`", name)
    if not meaning.errors and not meaning.validation_passed:
        yield "it does not fit the schema"


def _parsed(text: str, where: str) -> dict[str, Any]:
    """The one policy in ``text``, as Cedar's JSON."""
    try:
        found = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise InputError(
            f"{where}: not Cedar: {error}",
            code="policy_syntax",
            hint="https://docs.cedarpolicy.com/policies/syntax-policy.html; end each with a ;",
        ) from None
    if found["templates"]:
        raise InputError(
            f"{where}: this is a template, and decides nothing",
            code="policy_template",
            hint="write ?principal and ?resource out",
        )
    (policy,) = found["staticPolicies"].values()
    return dict(policy)


def _actions(policy: Mapping[str, Any]) -> frozenset[str] | None:
    """The actions that the scope names; ours are in no groups, so ``in`` is one of a list."""
    scope = policy["action"]
    entities = scope.get("entities", [scope["entity"]] if "entity" in scope else None)
    if entities is None or scope["op"] not in {"==", "in"}:
        return None
    return frozenset(each["id"] for each in entities)


def _entity_type(policy: Mapping[str, Any]) -> str | None:
    """The type that the scope wants the resource to be."""
    scope = policy["resource"]
    return str(scope["entity_type"]) if scope["op"] == "is" else None


def _unknown_tests(node: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON value
    """What is wrong with each ``has`` that can never be true."""
    if isinstance(node, list):
        for each in node:
            yield from _unknown_tests(each)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "has" and isinstance(value, dict) and "attr" in value:
            known = _KNOWN.get(str(value.get("left", {}).get("Var")), frozenset())
            if value["attr"] not in known:
                yield f"`has {value['attr']}` is never true: no such attribute"
        yield from _unknown_tests(value)
