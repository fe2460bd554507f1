"""Time of a decision: of ours, and of the engine alone on the same question, in one run.

Usage: python benchmarks/policy.py [--policies N] [--rounds N]

The set is the built-in one for teams, filled up to N policies with permits of other principals:
all on the very action that is asked for (the worst case), or each on another one in turn (spread).
The engine alone gets all N policies, the question, the entities and the schema, as handles and JSON
that are ready, through ``cedarpy.is_authorized``. All take turns in each round; CPU time, for the
machine may be shared; medians over the rounds. A denial costs more: it is asked again in each way
and for each role, to say what is missing.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time

import cedarpy

from cipherset.custody.policy import (
    Action,
    BuiltIn,
    Context,
    Kind,
    Level,
    Policies,
    Principal,
    Request,
    Resource,
    Role,
    Standing,
    builtin,
    schema,
)

EXTRA = """
@id("extra-{number}")
@why("a permit of somebody else, number {number}")
permit (principal == Principal::"p{number}", action == Action::"{action}", resource)
when {{ context.granted && resource.name == "m{number}" && context.rows < {number} }};
"""
BATCH = 20


def filled(n_policies: int, actions: Sequence[Action]) -> Policies:
    texts = builtin.texts(BuiltIn.TEAM)
    missing = n_policies - len(builtin.load(BuiltIn.TEAM).rules)
    texts["extra.cedar"] = "".join(
        EXTRA.format(number=number, action=actions[number % len(actions)])
        for number in range(missing)
    )
    return Policies.load(texts, builtin.limits(BuiltIn.TEAM))


def question(*, granted: bool) -> Request:
    return Request(
        Principal("eve", frozenset({Role.DEPLOYER}), {"team": "web"}),
        Action.DEPLOY,
        Resource(
            Kind.MODEL, "router", label=Level.INTERNAL, status=Standing.APPROVED, purpose="routing"
        ),
        Context(
            hour_utc=10, weekday=2, purpose="routing", granted=granted, measured=True, reid=0.02
        ),
    )


def alone(policies: Policies, request: Request) -> Callable[[], object]:
    """The engine on its own, with everything made beforehand that can be."""
    held = cedarpy.PolicySet.from_str("\n".join(rule.text for rule in policies.rules))
    known = cedarpy.Schema.from_str(schema.TEXT)
    entities = json.dumps(
        [schema.principal_entity(request.principal), schema.resource_entity(request.resource)]
    )
    asked = schema.question(request, policies.limits.max_reid)
    asked["context"] = json.dumps(asked["context"])
    return lambda: cedarpy.is_authorized(asked, held, entities, schema=known)


def time_s(call: Callable[[], object]) -> float:
    start = process_time()
    for _ in range(BATCH):
        call()
    return (process_time() - start) / BATCH


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    for name, actions in (("worst case", [Action.DEPLOY]), ("spread", list(Action))):
        start = process_time()
        policies = filled(options.policies, actions)
        loaded = process_time() - start
        print(f"{name}: {len(policies.rules)} policies, loaded and validated in {loaded:.2f} s")
        show(policies, options.rounds)


def show(policies: Policies, rounds: int) -> None:
    granted, refused = question(granted=True), question(granted=False)
    calls = {
        "the engine alone": alone(policies, granted),
        "a decision (allow)": lambda: policies.decide(granted),
        "a denial, without what is missing": lambda: policies.judge(refused),
        "a denial, with what is missing": lambda: policies.decide(refused),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(time_s(call))
    base = median(times["the engine alone"])
    for name, found in times.items():
        took = median(found)
        print(f"  {name:<36}{took * 1e3:8.3f} ms   {took / base:5.2f} x the engine")


if __name__ == "__main__":
    main()
