"""Cases run over a set of policies, and one decision explained, as a command shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cipherset.app.policies.sets import read_text
from cipherset.core.errors import UsageError
from cipherset.custody.policy import (
    Action,
    Context,
    Policies,
    Principal,
    Request,
    Resource,
    trial,
)

explain = trial.explain


@dataclass(frozen=True, slots=True)
class Tried:
    """The results of a file of cases."""

    file: str
    results: tuple[trial.Result, ...]


def try_cases(policies: Policies, files: Iterable[Path]) -> tuple[Tried, ...]:
    """Every case of every file, decided.

    Raises:
        InputError: ``policy_files``, ``policy_case``.
    """
    cases = {str(path): trial.read_cases(read_text(path), path.name) for path in files}
    return tuple(Tried(file, trial.run(policies, found)) for file, found in cases.items())


def as_json(policies: Policies, tried: Iterable[Tried]) -> dict[str, Any]:
    """The JSON of ``policy test``."""
    cases = [
        {
            "file": each.file,
            "case": number,
            "name": result.case.name,
            "expect": result.case.expect,
            "found": "allow" if result.decision.is_allowed else "deny",
            "policies": list(result.decision.policies),
            "because": list(result.decision.because),
            "passed": result.is_met,
        }
        for each in tried
        for number, result in enumerate(each.results, 1)
    ]
    passed = sum(bool(case["passed"]) for case in cases)
    return {
        "digest": policies.digest,
        "passed": passed,
        "failed": len(cases) - passed,
        "cases": cases,
    }


@dataclass(frozen=True, slots=True)
class Question:
    """What ``policy explain`` is asked: facts are ``NAME=VALUE``."""

    action: str
    kind: str
    name: str
    roles: tuple[str, ...]
    facts: tuple[str, ...]


def request_of(question: Question) -> Request:
    """The request that the question describes.

    Raises:
        UsageError: ``policy_fact``: an unknown action, or a fact that is not ``NAME=VALUE``.
        InputError: ``policy_case``: a word or value that a request cannot have.
    """
    if question.action not in set(Action):
        raise UsageError(
            f"there is no action {question.action}",
            code="policy_fact",
            hint=f"one of {', '.join(Action)}",
        )
    about = {"principal": {"name": question.name, "roles": question.roles}}
    tables: dict[str, dict[str, object]] = {"resource": {"kind": question.kind}, "context": {}}
    for fact in question.facts:
        table, name, value = _fact(fact)
        tables[table][name] = value
    return Request(
        trial.part(Principal, about["principal"], "the principal"),
        Action(question.action),
        trial.part(Resource, tables["resource"], "the resource"),
        trial.part(Context, tables["context"], "the context"),
    )


def _fact(text: str) -> tuple[str, str, object]:
    """``resource.label=internal`` as where it belongs, its name and its value."""
    path, equals, value = text.partition("=")
    table, dot, name = path.partition(".")
    if not equals or not dot or table not in {"resource", "context"}:
        raise UsageError(
            f"{text!r} is no fact",
            code="policy_fact",
            hint="for example --fact resource.label=internal --fact context.reid=0.02",
        )
    return table, name, value.split(",") if name in {"tags", "made_by"} else value


def explained(policies: Policies, request: Request) -> Mapping[str, Any]:
    """The JSON of ``policy explain``."""
    decision = policies.decide(request)
    return {
        "allowed": decision.is_allowed,
        "policies": list(decision.policies),
        "because": list(decision.because),
        "ways": [str(way) for way in decision.missing.ways],
        "roles": [str(role) for role in decision.missing.roles],
        "roles_with_grant": [str(role) for role in decision.missing.roles_with_grant],
        "first": [str(each) for each in decision.missing.first],
        "break_glass": decision.is_break_glass,
        "digest": policies.digest,
    }
