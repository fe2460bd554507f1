"""The sets that come with the package: ``solo`` for one person, ``team`` with duties parted.

Where ``solo`` holds, whoever asks has every role, so that their own approval is enough.
"""

from enum import StrEnum
from importlib.resources import files
from typing import Final

from cipherset.custody.policy.engine import Policies

_SETS: Final = files("cipherset.custody.policy") / "sets"


class BuiltIn(StrEnum):
    """The sets there are."""

    SOLO = "solo"
    TEAM = "team"


def texts(name: BuiltIn) -> dict[str, str]:
    """File name to Cedar text."""
    file = f"{name}.cedar"
    return {file: _SETS.joinpath(file).read_text(encoding="utf-8")}


def limits(name: BuiltIn) -> str:
    """The limits of the set, as TOML."""
    return _SETS.joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load(name: BuiltIn) -> Policies:
    """The set, validated."""
    return Policies.load(texts(name), limits(name))
