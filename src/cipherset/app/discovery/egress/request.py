"""What ``discover --egress`` is asked: which logs, of which form, and which bodies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cipherset.core.errors import UsageError
from cipherset.evidence.discover.egress import FORMATS

COLUMNS: Final = ("host", "principal", "time", "bytes_up", "address")


@dataclass(frozen=True, slots=True)
class EgressRequest:
    """Logs and bodies to look into.

    ``form`` is theirs where it is not to be found out; ``columns`` maps ``host``, ``principal``,
    ``time``, ``bytes_up`` or ``address`` to the column that it is; ``services`` are lists beside
    the shipped one; ``name`` is the field of a body that holds its text, all text counts where it
    is None. ``principal`` is whose a log is that does not say.
    """

    logs: tuple[Path, ...] = ()
    bodies: tuple[Path, ...] = ()
    form: str | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    services: tuple[Path, ...] = ()
    name: str | None = None
    principal: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be asked.

        Raises:
            UsageError: ``egress_asked``.
        """
        wrong = ""
        if not self.logs and not self.bodies:
            wrong = "neither a log nor bodies were given"
        elif self.form is not None and self.form not in FORMATS:
            wrong = f"there is no form of that name: {', '.join(FORMATS)}"
        elif not set(self.columns) <= set(COLUMNS):
            wrong = f"a column is one of {', '.join(COLUMNS)}, as in host=dest_name"
        if wrong:
            raise UsageError(
                wrong,
                code="egress_asked",
                hint="see: cipherset discover --help",
            )
