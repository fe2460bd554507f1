"""The paths as a page in Markdown, one part for each kind of attacker."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from cipherset.evidence.views.threats.path import Path
from cipherset.evidence.views.threats.references import REFERENCES

# What a name could make markup of.
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+!|~-])")
_SPACES: Final = re.compile(r"\s+")


def markdown(paths: Sequence[Path], now: str) -> str:
    """The page; ``now`` is when the ledger said so."""
    count = sum(path.is_open for path in paths)
    lines = [
        "# Threat model",
        "",
        f"{len(paths)} paths over what there is, {count} of them open; computed from the ledger on "
        f"{now}. A path is *open* where it may be above its limit, or is neither measured nor "
        "mitigated.",
        "",
    ]
    ordered = sorted(enumerate(paths), key=lambda one: (one[1].attacker.id, one[0]))
    for _, group in groupby((path for _, path in ordered), key=lambda path: path.attacker.id):
        lines += _part(list(group))
    return "\n".join(lines)


def _part(paths: list[Path]) -> list[str]:
    attacker = paths[0].attacker
    named = "; ".join(
        f"[{each.id}]({each.source}) {plain(each.name)}"
        for each in (REFERENCES[id] for id in attacker.references)
    )
    lines = [
        f"## {plain(attacker.who[0].upper() + attacker.who[1:])}",
        "",
        f"Holds {plain(attacker.holds)}; wants to {plain(attacker.goal)}. {named}",
        "",
        "| path | who | asset | by way of | pairs | state |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {path.id} | {plain(path.principal or attacker.who)} | {plain(_named(path))} "
        f"| {plain(_way(path))} | {'' if path.pairs is None else path.pairs} "
        f"| {'**open**: ' if path.is_open else ''}{plain(path.says)} |"
        for path in paths
    ]
    return [*lines, ""]


def _named(path: Path) -> str:
    return f"{path.asset.kind} {path.asset.name}"


def _way(path: Path) -> str:
    return ", ".join(f"{each.kind} {each.name}" for each in path.steps)


def plain(text: str) -> str:
    """``text`` as Markdown that shows exactly it, in one line."""
    return escape(_MARKUP.sub(r"\\\1", _SPACES.sub(" ", text)))
