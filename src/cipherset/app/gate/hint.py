"""What to do about a refusal: the commands that bring what is missing, in their order."""

from dataclasses import replace
from typing import Final

from cipherset.app.gate.facts import Asked
from cipherset.custody.policy import Action, First, Kind, Level, Missing, Role, Standing, Way

_WITH_GRANT: Final = frozenset({Way.GRANT, Way.GRANT_AND_LESS_RISK, Way.ACCEPTED_RISK})
_MEASURED: Final = frozenset({Way.LESS_RISK, Way.GRANT_AND_LESS_RISK})
_STANDS: Final = {
    Standing.PROPOSED: "not approved yet",
    Standing.APPROVED: "approved",
    Standing.SUSPENDED: "suspended",
    Standing.RETIRED: "retired",
}


def hint(asked: Asked) -> str:
    """The next commands, as far as it is known which condition is not met."""
    request = asked.request
    if request.resource.stale and asked.about.kind is Kind.MODEL:
        return (
            f"make it again without those rows: cipherset protect SOURCE --to DIR, then cipherset "
            f"train DIR --to BUNDLE; or ask to use it as it is: cipherset grant request "
            f"{asked.asked_as} {_assets(asked)} --for PURPOSE --as {request.principal.name}"
        )
    missing = asked.policies.missing(request)
    steps = [*(_first(asked, each) for each in missing.first), _ways(asked, missing)]
    said = "; then ".join(step for step in steps if step)
    return said or "see why, and what would change it: cipherset policy explain --help"


def _first(asked: Asked, first: First) -> str:
    """How to bring what has to be before anything else helps."""
    resource = asked.request.resource
    match first:
        case First.APPROVAL:
            return _approval(asked)
        case First.PURPOSE:
            return (
                f"say that it is for {resource.purpose!r}, if it is: under a key made with "
                "--purpose, or with --for where the command or the request for a grant has it"
            )
        case First.REGION:
            return f"do it in {resource.region}, on a machine with CIPHERSET_REGION set to it"
        case First.KEY:
            home = ((" --tenant ", resource.tenant), (" --only-in region=", resource.region))
            bound = "".join(option + value for option, value in home if value is not None)
            return f"take a key that is bound to it: cipherset key create NAME{bound}"
        case First.IDENTITY:
            return "ask the gateway, with a certificate or a token: cipherset serve --help"


def _approval(asked: Asked) -> str:
    """Who makes the asset approved, and by which commands."""
    request = asked.request
    name = (
        asked.about.name if asked.about.kind in _PLAIN else f"{asked.about.kind}:{asked.about.name}"
    )
    calm = replace(request.context, granted=False, grant_id=None, break_glass=False)
    wanted = replace(request, action=Action.APPROVE, context=calm)
    state = f"{name} is {_STANDS[request.resource.status]}"
    if asked.policies.judge(wanted).is_allowed:
        return f"{state}: cipherset asset approve {name} --as {request.principal.name}"
    found = asked.policies.missing(wanted)
    if found.roles:
        return f"{state}: cipherset asset approve {name} --as WHO, who is {_either(found.roles)}"
    if not found.roles_with_grant:
        return f"{state}: cipherset asset approve --help"
    people = _people(asked, Action.APPROVE)
    return (
        f"{state}: cipherset grant request approve {name} --for PURPOSE --as WHO, who is "
        f"{_either(found.roles_with_grant)}; approved by {people} it lets them: cipherset asset "
        f"approve {name} --as WHO"
    )


def _ways(asked: Asked, missing: Missing) -> str:
    """What the one who asked can do, or who else; empty where nothing that was tried helps."""
    request, ways = asked.request, frozenset(missing.ways)
    if ways & _WITH_GRANT:
        accepts = Way.ACCEPTED_RISK in ways or request.context.accepted_risk
        risk = " --accept-risk REASON" if accepts else ""
        granted = (
            f"a grant would allow it, approved by {_people(asked, asked.asked_as)}: {_ask(asked)}"
            f"{risk} --as {request.principal.name}"
        )
        return f"{granted}; or {_measure(asked)}" if ways & _MEASURED and accepts else granted
    if ways:
        return f"it takes {' or '.join(_way(asked, way) for way in missing.ways)}"
    if missing.roles:
        # Whoever asks may hold the role, and have had a part in it.
        other = "else " if request.principal.roles & set(missing.roles) else ""
        return f"ask someone {other}who is {_either(missing.roles)}: cipherset principal list"
    if missing.roles_with_grant:
        roles = _either(missing.roles_with_grant)
        return f"{roles} may do it under a grant: {_ask(asked)} --as WHO"
    return ""


def _way(asked: Asked, way: Way) -> str:
    """A way that takes no grant, with its command."""
    if way is Way.LESS_RISK:
        return f"{way.says}: {_measure(asked)}"
    command = {
        Way.EXPOSURE: ": cipherset view exposure",
        Way.BREAK_GLASS: ": --break-glass REASON",
    }
    return way.says + command.get(way, "")


def _measure(asked: Asked) -> str:
    """How to come to a risk within the limit."""
    if asked.request.context.reid is not None and asked.request.context.measured:
        return "make it with less risk: cipherset calibrate --help"
    if asked.about.kind is Kind.MODEL:
        return "have its rows measured, in the cipherset it was trained on: cipherset assess DIR"
    return "have its risk measured: cipherset calibrate --help"


def _ask(asked: Asked) -> str:
    return f"cipherset grant request {asked.asked_as} {_assets(asked)} --for PURPOSE"


def _people(asked: Asked, action: Action) -> str:
    """Whose approvals a grant for the action takes."""
    label: Level = asked.request.resource.label
    needed = asked.policies.limits.approvals_for(action, label)
    return " and ".join(f"{count} {role}" for role, count in sorted(needed.items()))


_PLAIN: Final = frozenset({Kind.DATASET, Kind.MODEL, Kind.WORKSPACE})


def _assets(asked: Asked) -> str:
    """What the grant has to name: a key as key:NAME, policies and persons as they are, files."""
    plain = tuple(f"{kind}:" for kind in sorted(_PLAIN))
    named = list(asked.about.bound())
    if asked.about.kind is Kind.WORKSPACE and len(named) > 1:
        # What is to hold in the workspace stands for it; of a principal the roles are to be said,
        # where it does not say already what is asked for.
        named = [
            f"{name}=ROLES" if name.startswith("principal:") and "=" not in name else name
            for name in named[1:]
        ]
    return " ".join(name.partition(":")[2] if name.startswith(plain) else name for name in named)


def _either(roles: tuple[Role, ...]) -> str:
    return " or ".join(sorted(roles))
