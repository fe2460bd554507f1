"""Requests in a few words."""

from cipherset.custody.policy import (
    Action,
    Context,
    Kind,
    Policies,
    Principal,
    Request,
    Resource,
    Role,
)

LIMITS = "[approvals.default.public]\nreviewer = 1\n"
ALL = '@id("all")\n@why("anything")\npermit (principal, action, resource);\n'


def ask(roles, action, kind, *, name="ann", **facts):
    """A request; facts that a resource has are the resource's, the others the context's."""
    of_resource = {n: facts.pop(n) for n in list(facts) if n in Resource.__slots__}
    of_resource = {"id": "this"} | of_resource
    return Request(
        Principal(name, frozenset(map(Role, roles)), facts.pop("attributes", {})),
        Action(action),
        Resource(Kind(kind), **of_resource),
        Context(
            **{"hour_utc": 12, "weekday": 2} | {n.removeprefix("c_"): v for n, v in facts.items()}
        ),
    )


def policies(*conditions, limits=LIMITS):
    """One permit, or forbid, per text such as ``permit … when { … }``."""
    texts = {
        f"{number}.cedar": f'@id("p{number}") @why("why {number}") {text};'
        for number, text in enumerate(conditions)
    }
    return Policies.load(texts, limits)


def only_when(condition):
    """Whatever meets ``condition`` is allowed."""
    return policies(f"permit (principal, action, resource) when {{ {condition} }}")
