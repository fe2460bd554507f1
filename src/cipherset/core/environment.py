"""Where a command runs, and the conditions that bind a key to such places.

A condition is ``KIND=VALUE``. Of each kind that is named, one value must be the environment's; what
is not known of an environment equals nothing, and neither does a kind that is not known.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cipherset.core.errors import InputError, UsageError

CURRENT: Final = "current"
REGION: Final = r"[a-z0-9][a-z0-9-]{0,62}"


@dataclass(frozen=True, slots=True)
class Environment:
    """What is known of the place where a command runs; ``None`` is what is not.

    ``host`` is its name, in lower case; ``machine`` a digest of its machine id; ``package`` one of
    our installed files. ``identity`` is the URI of the workload that asks, as a verified connection
    has it: nobody's own word. ``region`` is where whoever runs the machine says that it stands.
    """

    host: str | None = None
    machine: str | None = None
    package: str | None = None
    identity: str | None = None
    region: str | None = None

    def known(self) -> dict[str, str | None]:
        """Each kind and its value."""
        return {
            "host": self.host,
            "machine": self.machine,
            "package": self.package,
            "identity": self.identity,
            "region": self.region,
        }


_TENANT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"  # no comma: several are told as one text
_AT: Final = "region"
NOWHERE: Final = Environment()
_FORMS: Final[Mapping[str, str]] = {
    "host": r"[a-z0-9][a-z0-9._-]{0,254}",
    "machine": r"hmac-sha256:[0-9a-f]{64}",
    "package": r"sha256:[0-9a-f]{64}",
    "identity": r"[a-z][a-z0-9+.-]*:[!-~]{1,500}",
    "region": REGION,
}


def checked_region(text: str) -> str:
    """``text``, which names a region, such as ``eu-central``.

    Raises:
        InputError: ``region``.
    """
    if not re.fullmatch(REGION, text):
        raise InputError(
            f"{text!r} is not the name of a region",
            code="region",
            hint="use a-z, 0-9 and dashes, such as eu-central",
        )
    return text


def checked_tenant(text: str) -> str:
    """``text``, which names a tenant: whoever's rows are to be kept apart from others'.

    Raises:
        InputError: ``tenant``.
    """
    if not re.fullmatch(_TENANT, text):
        raise InputError(
            f"{text!r} is not the name of a tenant",
            code="tenant",
            hint="use letters, digits, dots, dashes and underscores; a letter or digit first",
        )
    return text


def region_of(conditions: Iterable[str]) -> str | None:
    """The one region that ``conditions`` name; None where they name none, or several."""
    named = {value for kind, _, value in (one.partition("=") for one in conditions) if kind == _AT}
    return named.pop() if len(named) == 1 else None


def condition(text: str, here: Environment) -> str:
    """The condition that ``text`` says; ``KIND=current`` is the value of ``here``.

    Raises:
        UsageError: ``key_condition``: not ``KIND=VALUE``, an unknown kind, a value of another
            form, or a current one that is not known.
    """
    kind, _, value = text.partition("=")
    form = _FORMS.get(kind)
    if form is None:
        raise _bad(f"{text!r} begins with none of {', '.join(f'{k}=' for k in _FORMS)}")
    if value == CURRENT:
        found = here.known()[kind]
        if found is None:
            raise _bad(f"the {kind} of this environment is not known")
        return f"{kind}={found}"
    if kind == "host":
        value = value.lower()
    if not re.fullmatch(form, value):
        raise _bad(f"{value!r} is not a {kind}")
    return f"{kind}={value}"


def differing(conditions: Iterable[str], environment: Environment) -> tuple[str, ...]:
    """The kinds of which no value is the environment's, sorted; none where all is met."""
    allowed: defaultdict[str, set[str]] = defaultdict(set)
    for one in conditions:
        kind, _, value = one.partition("=")
        allowed[kind].add(value)
    known = environment.known()
    return tuple(sorted(kind for kind, values in allowed.items() if known.get(kind) not in values))


def _bad(why: str) -> UsageError:
    return UsageError(
        f"a key cannot be bound to that: {why}",
        code="key_condition",
        hint="for example --only-in host=NAME; cipherset key environment shows what is known here",
    )
