"""The text columns that an export embeds: those its label needs, and always the same for a key."""

from dataclasses import dataclass
from typing import Final

from cipherset.app.exports.earlier.live import Live
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.fields.choose import Chosen, choose_columns
from cipherset.app.fields.rows import sample_rows
from cipherset.app.fields.trial import Trial
from cipherset.app.sanitizing.rules import keyed_rules
from cipherset.core.errors import InputError
from cipherset.core.protocols import Encoder, Progress
from cipherset.core.values import ColumnRoles
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import SanitizeRules

MEASURED_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Measuring:
    """By what the columns are measured: the same encoder and rules as the rows are read with."""

    encoder: Encoder
    rules: SanitizeRules
    seed: int
    progress: Progress


def needed_columns(
    owner: Owner,
    request: ProtectRequest,
    source: Source,
    encoder: Encoder | None,
    earlier: tuple[Live, ...],
) -> tuple[tuple[str, ...], Chosen | None]:
    """The text columns to embed, and what was measured, None where nothing was.

    A minimizer is fitted once, on texts of some columns, so what was chosen first for a version of
    a key holds for all its exports. Too few rows to tell keep every column.

    Raises:
        InputError: the source is not fit, or has no such column.
    """
    if encoder is None or request.all_fields:
        return request.roles.text, None
    before = _before(owner, request.roles.text, earlier)
    if before:
        return before, None
    rules = keyed_rules(request.rules, owner.key)
    measuring = Measuring(encoder, rules, request.seed, owner.progress)
    return measured_columns(source, request.roles, measuring)


def measured_columns(
    source: Source, roles: ColumnRoles, measuring: Measuring
) -> tuple[tuple[str, ...], Chosen | None]:
    """The text columns that the label needs, or may; all where there is one, no label, or a pool.

    Raises:
        InputError: the source is not fit, or has no such column.
    """
    text, label = roles.text, roles.label
    if label is None or len(text) == 1 or roles.pool is not None:
        return text, None
    try:
        rows = sample_rows(source, text, label, most=MEASURED_ROWS, seed=measuring.seed)
    except InputError as error:
        if error.code != "fields_rows":
            raise
        return text, None
    measuring.progress.start("measure which columns the label needs", None)
    trial = Trial(rows, measuring.encoder, measuring.rules, measuring.seed, measuring.progress)
    chosen = choose_columns(trial, text)
    measuring.progress.finish()
    return chosen.kept, chosen


def _before(owner: Owner, text: tuple[str, ...], earlier: tuple[Live, ...]) -> tuple[str, ...]:
    """What an earlier export under the key version embedded, if all of it is among ``text``."""
    for live in earlier:
        meta = live.state.meta
        made_under = (meta.key_id, meta.key_version)
        if made_under == (owner.key.key_id, owner.key.version) and set(meta.text) <= set(text):
            return tuple(column for column in text if column in meta.text)
    return ()
