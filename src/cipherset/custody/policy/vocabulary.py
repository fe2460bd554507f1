"""The words that policies are written in: who asks, to do what, to what, and what is known of it.

The Cedar schema is generated from these classes (``schema.py``), so a policy that misspells one is
refused when it is loaded. What is ``None`` is not known, and a policy that needs it denies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from cipherset.core.labels import Level as Level
from cipherset.core.labels import Trust as Trust

# More than any cap: what is left of a budget that does not bind.
UNBOUNDED: Final = 2**63 - 1

# Plain text for Python, a reference or an address for Cedar.
Person = Annotated[str, "Principal"]
Address = Annotated[str, "ipaddr"]


class Action(StrEnum):
    """What can be asked of the gate; the same word as the command."""

    KEY_BIND = "key.bind"
    KEY_CREATE = "key.create"
    KEY_ROTATE = "key.rotate"
    KEY_RETIRE = "key.retire"
    KEY_DESTROY = "key.destroy"
    KEY_USE = "key.use"
    SCAN = "scan"
    SANITIZE = "sanitize"
    RELABEL = "relabel"
    PROTECT = "protect"
    EXPORT = "export"
    EXPORT_REMOVE = "export.remove"
    INDEX = "index"
    SEARCH = "search"
    ASSESS = "assess"
    CALIBRATE = "calibrate"
    REDTEAM = "redteam"
    TRAIN_AT_GATE = "train.at-gate"
    TRAIN_TOGETHER = "train.together"
    EVALUATE = "evaluate"
    PREDICT = "predict"
    PREDICT_SCORES = "predict.scores"
    QUERY = "query"
    ENCRYPT = "encrypt"
    DEPLOY = "deploy"
    SERVICE_ADD = "service.add"
    SERVICE_REMOVE = "service.remove"
    APPROVE = "approve"
    SUSPEND = "suspend"
    DETOKENIZE = "detokenize"
    FORGET = "forget"
    ERASE = "erase"
    BREACH = "breach"
    DISCOVER = "discover"
    VIEW = "view"
    AUDIT = "audit"
    AUDIT_ACCEPT = "audit.accept"
    BACKUP = "backup"
    REVIEW = "review"
    PRINCIPAL_ADD = "principal.add"
    PRINCIPAL_CHANGE = "principal.change"
    PRINCIPAL_TOKEN = "principal.token"  # noqa: S105 -- an action, not one
    PRINCIPAL_REVOKE = "principal.revoke"
    GRANT_REQUEST = "grant.request"
    GRANT_APPROVE = "grant.approve"
    GRANT_DENY = "grant.deny"
    GRANT_REVOKE = "grant.revoke"
    POLICY_ACTIVATE = "policy.activate"


class Kind(StrEnum):
    """What can be acted upon; the workspace stands for itself and all that is in it."""

    DATASET = "dataset"
    KEY = "key"
    MODEL = "model"
    SERVICE = "service"
    WORKSPACE = "workspace"


class Role(StrEnum):
    """The pieces of the work; whoever held all of them could undo the protection alone."""

    DATA_OWNER = "data-owner"
    KEY_CUSTODIAN = "key-custodian"
    INGESTER = "ingester"
    SCIENTIST = "scientist"
    PROMPT_ADMINISTRATOR = "prompt-administrator"
    DEPLOYER = "deployer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    SERVICE = "service"
    ADMINISTRATOR = "administrator"


class Standing(StrEnum):
    """Where an asset stands; what nobody has approved is proposed."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class Verdict(StrEnum):
    """What the latest assessment came to."""

    NOT_PROTECTIVE = "not protective"
    WITHIN_LIMIT = "within limit"
    INCONCLUSIVE = "inconclusive"


class Authenticated(StrEnum):
    """How the one who asks is known: by their own word alone, or by what was verified."""

    CLAIMED = "claimed"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 -- a kind of proof, not one


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, service or team. ``attributes`` are free, such as ``team``."""

    name: str
    roles: frozenset[Role] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Resource:
    """What is acted upon. ``made_by`` are all who ran what made it, whatever it was made from too.

    What carries no label counts as restricted. ``tenant`` is whose rows it holds, or whose key it
    is, and ``region`` where those are to stay; of several, all of them in one text. ``stale``: it
    holds, or was made of, rows of somebody who was forgotten since.
    """

    kind: Kind
    id: str
    name: str = ""
    owner: Person | None = None
    label: Level = Level.RESTRICTED
    tags: frozenset[str] = frozenset()
    trust: Trust | None = None
    purpose: str | None = None
    tenant: str | None = None
    region: str | None = None
    status: Standing = Standing.PROPOSED
    made_by: frozenset[Person] = frozenset()
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What is known at the moment of asking; the defaults are those that allow least.

    ``hour_utc`` is 0 to 23, ``weekday`` 0 (Monday) to 6. ``granted``: a live grant covers this very
    act; ``grant_id`` names it. ``reid`` is the measured re-identification of the exact asset, and
    ``measured`` says that no digest changed since. ``exposure_left`` is what the budget allows, in
    rows; ``UNBOUNDED`` where none binds. ``asked``, ``requester`` and ``beneficiary`` are those of
    the request that a vote is about. ``region`` is where the machine stands. ``under_key``: the act
    makes something under a key, and ``key_region`` and ``key_tenant`` are that key's.
    ``founding``: nobody has voted on anything yet.
    """

    hour_utc: int
    weekday: int
    purpose: str | None = None
    environment: str | None = None
    network: Address | None = None
    code: str | None = None
    granted: bool = False
    grant_id: str | None = None
    break_glass: bool = False
    reid: float | None = None
    verdict: Verdict | None = None
    measured: bool = False
    exposure_left: int | None = None
    rows: int = 0
    accepted_risk: bool = False
    authenticated: Authenticated = Authenticated.CLAIMED
    asked: Action | None = None
    requester: Person | None = None
    beneficiary: Person | None = None
    region: str | None = None
    under_key: bool = False
    key_region: str | None = None
    key_tenant: str | None = None
    founding: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the policies."""

    principal: Principal
    action: Action
    resource: Resource
    context: Context


_ASSETS: Final = frozenset({Kind.DATASET, Kind.KEY, Kind.MODEL, Kind.SERVICE})
_ANYTHING: Final = frozenset(Kind)
_DATASETS: Final = frozenset({Kind.DATASET})
_KEYS: Final = frozenset({Kind.KEY})
_MODELS: Final = frozenset({Kind.MODEL, Kind.SERVICE})
_SERVICES: Final = frozenset({Kind.SERVICE})
_WORKSPACE: Final = frozenset({Kind.WORKSPACE})

# What each action can be done to; asked of anything else it is denied.
APPLIES_TO: Final[Mapping[Action, frozenset[Kind]]] = MappingProxyType(
    {
        Action.KEY_BIND: _KEYS,
        Action.KEY_CREATE: _KEYS,
        Action.KEY_ROTATE: _KEYS,
        Action.KEY_RETIRE: _KEYS,
        Action.KEY_DESTROY: _KEYS,
        Action.KEY_USE: _KEYS,
        Action.SCAN: _DATASETS,
        Action.SANITIZE: _DATASETS,
        Action.RELABEL: _ASSETS,
        Action.PROTECT: _DATASETS,
        Action.EXPORT: _DATASETS,
        Action.EXPORT_REMOVE: _DATASETS,
        Action.INDEX: _DATASETS,
        Action.SEARCH: _DATASETS,
        Action.ASSESS: _DATASETS | _MODELS,
        Action.CALIBRATE: _DATASETS,
        Action.REDTEAM: _ASSETS,
        Action.TRAIN_AT_GATE: _DATASETS,
        Action.TRAIN_TOGETHER: _DATASETS,
        Action.EVALUATE: _MODELS,
        Action.PREDICT: _MODELS,
        Action.PREDICT_SCORES: _MODELS,
        Action.QUERY: _MODELS | _DATASETS,
        Action.ENCRYPT: _KEYS,
        Action.DEPLOY: _MODELS,
        Action.SERVICE_ADD: _SERVICES,
        Action.SERVICE_REMOVE: _SERVICES,
        Action.APPROVE: _ASSETS,
        Action.SUSPEND: _ASSETS,
        Action.DETOKENIZE: _DATASETS | _KEYS,
        Action.FORGET: _DATASETS | _WORKSPACE,
        Action.ERASE: _ASSETS | _WORKSPACE,
        Action.BREACH: _ASSETS,
        Action.DISCOVER: _WORKSPACE,
        Action.VIEW: _WORKSPACE,
        Action.AUDIT: _WORKSPACE,
        Action.AUDIT_ACCEPT: _WORKSPACE,
        Action.BACKUP: _WORKSPACE,
        Action.REVIEW: _WORKSPACE,
        Action.PRINCIPAL_ADD: _WORKSPACE,
        Action.PRINCIPAL_CHANGE: _WORKSPACE,
        Action.PRINCIPAL_TOKEN: _WORKSPACE,
        Action.PRINCIPAL_REVOKE: _WORKSPACE,
        Action.GRANT_REQUEST: _ANYTHING,
        Action.GRANT_APPROVE: _ANYTHING,
        Action.GRANT_DENY: _ANYTHING,
        Action.GRANT_REVOKE: _ANYTHING,
        Action.POLICY_ACTIVATE: _WORKSPACE,
    }
)
