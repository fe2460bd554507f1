"""Sources to batches of records, with errors that name file, row and column."""

from cipherset.pipeline.ingest.consent import Consent
from cipherset.pipeline.ingest.pictures.decode import MOST_BYTES as MOST_IMAGE_BYTES
from cipherset.pipeline.ingest.pictures.decode import decoded
from cipherset.pipeline.ingest.pictures.folder import holds_images, read_image
from cipherset.pipeline.ingest.reader import Batch
from cipherset.pipeline.ingest.roles import joined_text
from cipherset.pipeline.ingest.source import BATCH_ROWS, Source, open_source, whole_name

__all__ = [
    "BATCH_ROWS",
    "MOST_IMAGE_BYTES",
    "Batch",
    "Consent",
    "Source",
    "decoded",
    "holds_images",
    "joined_text",
    "open_source",
    "read_image",
    "whole_name",
]
