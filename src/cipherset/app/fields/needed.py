"""The text columns that an export embeds: those its label needs, and always the same for a key."""

from cipherset.app.exports.earlier.live import Live
from cipherset.app.exports.request import Owner, ProtectRequest
from cipherset.app.fields.choose import Chosen, choose_columns
from cipherset.app.fields.rows import sample_rows
from cipherset.app.fields.trial import Trial
from cipherset.core.errors import InputError
from cipherset.core.protocols import Encoder
from cipherset.pipeline.ingest import Source
from cipherset.pipeline.sanitize import default_rules

MEASURED_ROWS = 1_000


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
    text, label = request.roles.text, request.roles.label
    if encoder is None or label is None or len(text) == 1 or request.all_fields:
        return text, None
    before = _before(owner, text, earlier)
    if before:
        return before, None
    try:
        rows = sample_rows(source, text, label, most=MEASURED_ROWS, seed=request.seed)
    except InputError as error:
        if error.code != "fields_rows":
            raise
        return text, None
    owner.progress.start("measure which columns the label needs", None)
    trial = Trial(rows, encoder, default_rules(), request.seed, owner.progress)
    chosen = choose_columns(trial, text)
    owner.progress.finish()
    return chosen.kept, chosen


def _before(owner: Owner, text: tuple[str, ...], earlier: tuple[Live, ...]) -> tuple[str, ...]:
    """What an earlier export under the key version embedded, if all of it is among ``text``."""
    for live in earlier:
        meta = live.state.meta
        made_under = (meta.key_id, meta.key_version)
        if made_under == (owner.key.key_id, owner.key.version) and set(meta.text) <= set(text):
            return tuple(column for column in text if column in meta.text)
    return ()
