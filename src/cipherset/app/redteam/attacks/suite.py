"""All attacks, by name."""

from collections.abc import Sequence
from typing import Final

from cipherset.app.redteam.attack import Attack
from cipherset.app.redteam.attacks import exports, models, outputs, probing, prompts
from cipherset.core.errors import UsageError

SUITE: Final = (
    *exports.ATTACKS,
    *models.ATTACKS,
    *probing.ATTACKS,
    *prompts.ATTACKS,
    *outputs.ATTACKS,
)


def chosen(only: Sequence[str]) -> tuple[Attack, ...]:
    """The attacks of those names, or all where none is given.

    Raises:
        UsageError: ``redteam_attack``.
    """
    names = [attack.name for attack in SUITE]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise UsageError(
            f"there is no attack called {', '.join(unknown)}",
            code="redteam_attack",
            hint=f"there are: {', '.join(names)}",
        )
    return tuple(attack for attack in SUITE if not only or attack.name in only)
