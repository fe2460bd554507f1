"""Policies tried out: table tests that a security team writes, and why a decision is what it is.

A file of cases is TOML:

    [[case]]
    name = "a deployer needs a grant"
    principal = { roles = ["deployer"] }
    action = "deploy"
    resource = { kind = "model", label = "internal", status = "approved" }
    context = { measured = true, reid = 0.01 }
    expect = "deny"

``because`` may name the policy that must decide. What a case leaves out is as in ``vocabulary.py``;
the principal is called ``someone``, the resource ``this``, and it is a Wednesday at noon.
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from cipherset.core.errors import InputError
from cipherset.custody.policy.engine import Decision, Policies
from cipherset.custody.policy.limits import faults
from cipherset.custody.policy.vocabulary import Action, Context, Principal, Request, Resource

_T = TypeVar("_T")
_DEFAULTS: Final[Mapping[type, Mapping[str, Any]]] = {
    Principal: {"name": "someone"},
    Resource: {"id": "this"},
    Context: {"hour_utc": 12, "weekday": 2},
}


@dataclass(frozen=True, slots=True)
class Case:
    """One request, what it should come to and, where it matters, by which policy."""

    action: Action
    resource: Resource
    expect: Literal["allow", "deny"]
    principal: Principal
    context: Context
    name: str = ""
    because: str = ""

    @property
    def request(self) -> Request:
        """The question."""
        return Request(self.principal, self.action, self.resource, self.context)


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to; ``found`` says it in a sentence."""

    case: Case
    decision: Decision
    is_met: bool
    found: str


def read_cases(text: str, name: str) -> tuple[Case, ...]:
    """The cases in ``text``, the file called ``name``.

    Raises:
        InputError: ``policy_case``: not TOML, no case, or a word or value that a case cannot have.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(name, f"not TOML: {error}") from None
    if set(tables) != {"case"} or not isinstance(tables["case"], list) or not tables["case"]:
        raise _refused(name, "expected [[case]] tables and nothing else")
    return tuple(
        _case(table, f"{name}, case {number}") for number, table in enumerate(tables["case"], 1)
    )


def run(policies: Policies, cases: tuple[Case, ...]) -> tuple[Result, ...]:
    """Each case decided by ``policies``."""
    return tuple(_result(policies.decide(case.request), case) for case in cases)


def explain(policies: Policies, request: Request) -> list[tuple[str, str]]:
    """Why ``request`` is allowed or denied: lines of a name and a text."""
    decision = policies.decide(request)
    where = {rule.id: rule.where for rule in policies.rules}
    rows = [("decision", _word(decision))]
    if decision.is_break_glass:
        rows.append(("  loud", "only because of an emergency; it must be reviewed after"))
    rows += [
        (f"  {name} ({where[name]})", why)
        for name, why in zip(decision.policies, decision.because, strict=False)
    ]
    if not decision.policies:
        rows += [("  because", why) for why in decision.because]
    rows += [("takes first", each.says) for each in decision.missing.first]
    rows += [("would be allowed by", way.says) for way in decision.missing.ways]
    rows += [("may do it", role) for role in decision.missing.roles]
    rows += [
        ("may do it with a grant", role)
        for role in decision.missing.roles_with_grant
        if role not in decision.missing.roles
    ]
    needed = policies.limits.approvals_for(request.action, request.resource.label)
    asked = ", ".join(f"{count} {role}" for role, count in sorted(needed.items()))
    return [*rows, ("a grant takes the approval of", asked)]


def part(of: type[_T], table: object, where: str) -> _T:
    """The principal, resource or context that ``table`` describes.

    Raises:
        InputError: ``policy_case``: a word or value that it cannot have.
    """
    given = _words(of, table, where)
    try:
        adapter: TypeAdapter[_T] = TypeAdapter(of)
        made: _T = adapter.validate_python({**_DEFAULTS.get(of, {}), **given})
    except ValidationError as error:
        raise _refused(where, faults(error)) from None
    return made


def _case(table: object, where: str) -> Case:
    given = _words(Case, table, where)
    parts: Mapping[str, type[Any]] = {
        "principal": Principal,
        "resource": Resource,
        "context": Context,
    }
    made = {name: part(of, given.get(name, {}), f"{where}, {name}") for name, of in parts.items()}
    return part(Case, {**given, **made}, where)


def _words(of: type, table: object, where: str) -> Mapping[str, Any]:
    """``table``, if each of its words is a field."""
    if not isinstance(table, Mapping):
        raise _refused(where, f"a {of.__name__.lower()} is a table, such as {{ … }}")
    unknown = set(table) - {field.name for field in dataclasses.fields(of)}
    if unknown:
        raise _refused(where, f"a {of.__name__.lower()} has no {', '.join(sorted(unknown))}")
    return table


def _result(decision: Decision, case: Case) -> Result:
    is_met = decision.is_allowed == (case.expect == "allow")
    by = not case.because or case.because in decision.policies
    policies = ", ".join(decision.policies) or "no policy applies"
    return Result(case, decision, is_met and by, f"{_word(decision)}: {policies}")


def _word(decision: Decision) -> str:
    return "allow" if decision.is_allowed else "deny"


def _refused(where: str, why: str) -> InputError:
    return InputError(
        f"{where}: {why}",
        code="policy_case",
        hint="docs/how-to/policies.md shows what a case may say",
    )
