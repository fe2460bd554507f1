"""The threat model in the forms that other tools read, printed or in a file."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cipherset.app.audit.files import check_free, put
from cipherset.app.sight.threats import Threats
from cipherset.evidence.views.threats.formats.dragon import dragon
from cipherset.evidence.views.threats.formats.markdown import markdown
from cipherset.evidence.views.threats.formats.pytm import pytm

FORMATS: Final[Mapping[str, Callable[[Threats], str]]] = MappingProxyType(
    {
        "markdown": lambda found: markdown(found.paths, found.now),
        "threat-dragon": lambda found: _text(dragon(found.paths, found.now)),
        "pytm": lambda found: _text(pytm(found.paths, found.now)),
    }
)


def write(found: Threats, form: str, target: Path, *, overwrite: bool) -> None:
    """Write one of ``FORMATS``, whole or not at all.

    Raises:
        UsageError: ``target_exists``, ``target_parent``.
        BackendError: ``disk_full``, ``no_permission`` or ``disk``.
    """
    check_free(target, overwrite=overwrite)
    put(target, FORMATS[form](found).encode(), overwrite=overwrite)


def _text(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"
