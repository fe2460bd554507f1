"""Limits that stand beside the policies: approvals, conflicts of roles, rates, durations.

What a policy says is *whether* a grant is needed; what stands here is *what makes one*.
"""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cipherset.core.errors import InputError
from cipherset.core.labels import Level
from cipherset.custody.policy.vocabulary import Action, Role

DEFAULT: Final = "default"
DAY_S: Final = 86_400
LEAST_EVENTS_DAYS: Final = 183
_Positive = Annotated[int, Field(ge=1)]


def spoken(seconds: int) -> str:
    """A span of time in the largest units that say it, two at most: ``14 days``, ``1 day 2 hours``.

    What is less than the smaller of the two is rounded down.
    """
    rest, parts = max(seconds, 0), []
    for size, unit in ((DAY_S, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "0 seconds"


class _Table(BaseModel):
    """A table of the file; a word that it does not have is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Conflict(_Table):
    """Roles of which no one holds two, and why.

    Source: ANSI INCITS 359-2004, section 6.3, static separation of duty, with a cardinality of 2.
    """

    roles: frozenset[Role] = Field(min_length=2)
    why: str = Field(min_length=1)


class GrantLimits(_Table):
    """How long a grant may live (seconds), how many denials end a request, who may vote."""

    longest_s: _Positive = 14 * DAY_S
    deny: _Positive = 1
    # One person alone: their own approval counts, and is marked.
    self_approval: bool = False


class BreakGlass(_Table):
    """What may be done in an emergency without a grant, by whom, and when it must be reviewed."""

    actions: frozenset[Action] = frozenset()
    roles: frozenset[Role] = frozenset()
    review_within_s: _Positive = DAY_S


class Budgets(_Table):
    """What is spent once and never comes back; None counts and does not bind.

    ``exports``: how often a row may leave, in whatever file it stands. ``epsilon``: per row, over
    all its exports. ``queries``: how many questions one model answers. ``tokens``: of one
    upstream service, for one principal, and anew each day (UTC). ``evaluations``: how many
    uploaded models are scored on the sealed rows of one source, by all together, and
    ``evaluations_each`` by one principal; with enough of them the noise that hides a row could be
    averaged out, so these always bind. ``oracle_rows``: how many different rows anybody gets
    encrypted under one key version, whatever was measured; it always binds, for near copies of one
    row average its noise away.
    """

    exports: _Positive | None = None
    epsilon: float | None = Field(default=None, gt=0)
    queries: _Positive | None = None
    tokens: _Positive | None = None
    evaluations: _Positive = 50
    evaluations_each: _Positive = 25
    oracle_rows: _Positive = 256


class Alerts(_Table):
    """Which kinds of alert stop what they are about: revoke the grants, or suspend the assets."""

    suspend: frozenset[Literal["bulk", "off-hours", "probing", "drip", "first-use"]] = frozenset()


class Retention(_Table):
    """For how many days what is kept is kept; None for as long as somebody removes it.

    Events are kept for ever; ``events_days`` says for how long at least they must be there.
    Source: Regulation (EU) 2024/1689, articles 19(1) and 26(6): at least six months.
    """

    dataset_days: _Positive | None = None
    model_days: _Positive | None = None
    events_days: int = Field(default=LEAST_EVENTS_DAYS, ge=LEAST_EVENTS_DAYS)


class Limits(_Table):
    """All of ``limits.toml``.

    ``approvals``: per action (or ``default``) and from which label on, how many persons of each
    role. ``exclusive``: roles beside which no other is held, and why. ``rates``: requests per
    minute of one principal. ``max_agreement``: how often a copy of a model, made from its answers,
    may give the label that the model gives; None does not bind. ``max_membership``: the largest
    share of its rows, at one false in a hundred, that a model trained at the gate may surely give
    away.
    """

    approvals: Mapping[Action | Literal["default"], Mapping[Level, Mapping[Role, _Positive]]]
    conflicts: tuple[Conflict, ...] = ()
    exclusive: Mapping[Role, str] = {}
    grants: GrantLimits = GrantLimits()
    max_reid: float = Field(default=0.05, ge=0, le=1)
    max_agreement: float | None = Field(default=None, gt=0, le=1)
    max_membership: float = Field(default=0.1, ge=0, le=1)
    rates: Mapping[Action, _Positive] = {}
    break_glass: BreakGlass = BreakGlass()
    budgets: Budgets = Budgets()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()

    @field_validator("approvals")
    @classmethod
    def _someone_approves(
        cls, value: Mapping[str, Mapping[Level, Mapping[Role, int]]]
    ) -> Mapping[str, Mapping[Level, Mapping[Role, int]]]:
        if Level.PUBLIC not in value.get(DEFAULT, {}):
            raise ValueError("[approvals.default.public] is missing")
        for action, by_level in value.items():
            for level, needed in by_level.items():
                if not needed:
                    raise ValueError(f"[approvals.{action}.{level}] asks nobody")
        return value

    @field_validator("max_reid")
    @classmethod
    def _four_digits(cls, value: float) -> float:
        if round(value, 4) != value:
            raise ValueError("no more than four digits after the point")
        return value

    def approvals_for(self, action: Action, label: Level) -> Mapping[Role, int]:
        """How many persons of each role must approve; never none.

        What stands for a label holds for those above it too, up to the next that is written; what
        is not written for an action at all is as for ``default``.
        """
        own = self.approvals.get(action, {})
        table = own if _at_or_below(own, label) else self.approvals[DEFAULT]
        return table[max(_at_or_below(table, label), key=lambda level: level.rank)]


def read_limits(text: str) -> Limits:
    """The limits in ``text`` (TOML).

    Raises:
        InputError: ``policy_limits``: not TOML, or a word or value that it cannot have.
    """
    try:
        return Limits.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise _refused(faults(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise _refused(f"not TOML: {error}") from None


def faults(error: ValidationError) -> str:
    """What is wrong where, without the values."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ")
        for each in error.errors(include_url=False, include_input=False)
    )


def _at_or_below(levels: Iterable[Level], label: Level) -> list[Level]:
    return [level for level in levels if level.rank <= label.rank]


def _refused(why: str) -> InputError:
    return InputError(
        f"limits.toml: {why}",
        code="policy_limits",
        hint="compare it with a built-in set: cipherset policy show team",
    )
