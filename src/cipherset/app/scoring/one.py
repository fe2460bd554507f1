"""One row that somebody types, as a plain vector."""

import json
from pathlib import Path

import pyarrow as pa

from cipherset.app import state
from cipherset.app.gateway import Gateway, encoder_of, image_encoder_of
from cipherset.app.reading.beside import with_cells
from cipherset.app.workspace import Session
from cipherset.core.errors import InputError
from cipherset.core.values import BESIDE, ROW, Records, Vectors
from cipherset.pipeline.ingest import joined_text, read_image
from cipherset.pipeline.ingest.cells import as_text
from cipherset.pipeline.sanitize import sanitize


def one_row(session: Session, gateway: Gateway, value: str) -> Vectors:
    """The plain vector of one text, or of the image at a path.

    Where columns stand beside it, ``value`` is a JSON object with both, by name.

    Raises:
        InputError: ``value_is_text``: the model takes vectors; ``value_columns``; the file is no
            image.
        BackendError: the encoder's weights are not there.
    """
    meta, columns = gateway.export.meta, gateway.export.meta.settings.columns
    row = pa.table({ROW: [0]})
    images = image_encoder_of(meta, session.cache)
    encoder = encoder_of(meta, session.cache)
    if columns and (images or encoder):
        value, cells = _parted(meta, value)
        row = row.append_column(BESIDE, pa.array([cells]))
    if images is not None:
        pixels = read_image(Path(value), images.side)
        return with_cells(Vectors(images.encode(pixels, progress=session.progress), row), columns)
    if encoder is None:
        raise InputError(
            "this model takes vectors, not text",
            code="value_is_text",
            hint="give a SOURCE with the recorded vector column",
        )
    clean = sanitize(Records([value], row), gateway.rules)
    values = encoder.encode(clean.texts, progress=session.progress)
    return with_cells(Vectors(values, clean.columns), columns)


def _parted(meta: state.Meta, value: str) -> tuple[str, str]:
    """What is embedded, and the cells beside it as they travel.

    Raises:
        InputError: ``value_columns``: other columns than the recorded ones, or no text in them.
    """
    embedded = meta.text if meta.image is None else (meta.image,)
    expected = {*embedded, *meta.settings.beside}
    try:
        given = json.loads(value)
    except (ValueError, RecursionError):
        given = None
    cells: dict[str, object] = given if isinstance(given, dict) else {}
    told = {name: as_text(cell) for name, cell in cells.items()}
    text = joined_text(told.get(name) for name in embedded)
    if told.keys() != expected or not text:
        raise InputError(
            f"the value is not a JSON object of the columns {', '.join(sorted(expected))}, or has "
            "no text",
            code="value_columns",
            hint="name each of them, and no other; null says that a value is missing",
        )
    return text, json.dumps([told[name] for name in meta.settings.beside])
