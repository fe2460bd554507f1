"""``guard.toml`` of the workspace: what is done about what stands in prompts and in replies.

    classifier = true         the layer of the encoder too; what it costs is in its how-to
    [prompts]                 as docs/how-to/guard-prompts.md says
    [outputs]                 as docs/how-to/guard-outputs.md says
    [rows]                    a data set, and the key that its index is kept under
    [upstream]                how long a service is waited for; read when the gateway starts

What it leaves out is as in the shipped rules.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from cipherset.app.serving.relay.wire.upstream import DEFAULT_PATIENCE, Patience
from cipherset.core.errors import InputError
from cipherset.core.files import disk_errors
from cipherset.guard.outputs import OutputRules
from cipherset.guard.prompts import PromptRules, rules_over

RULES_FILE: Final = "guard.toml"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    classifier: bool = False
    prompts: Mapping[str, Any] = {}
    outputs: Mapping[str, Any] = {}
    rows: Mapping[str, str] = {}
    upstream: Patience = DEFAULT_PATIENCE


@dataclass(frozen=True, slots=True)
class GuardRules:
    """All of the file."""

    prompts: PromptRules
    outputs: OutputRules
    rows: Mapping[str, str] = field(default_factory=dict)
    has_classifier: bool = False
    patience: Patience = DEFAULT_PATIENCE


def read_guard_rules(home: Path) -> GuardRules:
    """The rules of a workspace; the shipped ones where there is no file.

    Raises:
        InputError: ``relay_rules``; ``guard_rules``, ``output_rules``: in its part.
        BackendError: it cannot be read.
    """
    path = home / RULES_FILE
    raw = b""
    with disk_errors(path):
        if path.exists():
            raw = path.read_bytes()
    try:
        told = _File.model_validate(tomllib.loads(raw.decode()))
    except (ValidationError, ValueError):
        raise InputError(
            f"{path} is not TOML, or has a section that there is not",
            code="relay_rules",
            hint="see docs/how-to/proxy.md for its sections",
        ) from None
    return GuardRules(
        rules_over(told.prompts, RULES_FILE),
        OutputRules.over(told.outputs),
        told.rows,
        told.classifier,
        told.upstream,
    )
