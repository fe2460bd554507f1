"""The page about a file of ciphertexts made elsewhere; no row, text or vector is on it."""

from pathlib import Path
from typing import Any

from cipherset.app import page
from cipherset.app.assess.foreign.judgment import ALARMING
from cipherset.app.assess.foreign.request import REPORT, ForeignResult
from cipherset.app.assess.report import HOLDERS, ROOM
from cipherset.app.places import Made
from cipherset.core import canonical
from cipherset.core.files import replace_directory, stage_directory, write_atomic


def write_report(result: ForeignResult, target: Path, *, overwrite: bool) -> None:
    """The page and the figures in ``target``; all or nothing.

    Raises:
        BackendError: the disk failed.
        UsageError: something else has come to be there.
    """
    with stage_directory(target, mode=0o755) as staged:
        write_atomic(staged / Made.ASSESSMENT, canonical.encode(result.as_json()), mode=0o644)
        write_atomic(staged / REPORT, render(result).encode(), mode=0o644)
        replace_directory(staged, target, overwrite=overwrite)


def render(result: ForeignResult) -> str:
    """One HTML page without scripts or addresses."""
    lines = [line.as_json() for line in result.lines]
    values = {"result": result, "holders": _by_holder(lines), "lines": lines, "alarming": ALARMING}
    return page.render(ROOM, "foreign.html.j2", values)


def _by_holder(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each attacker that was tried, the attack that got most."""
    told = []
    for knowledge, holder in HOLDERS.items():
        linked = [one for one in lines if one["knowledge"] == knowledge.value and "excess" in one]
        if linked:
            best = max(linked, key=lambda one: one["excess"])
            told.append({"knowledge": knowledge.value, "holder": holder, "best": best})
    return told
