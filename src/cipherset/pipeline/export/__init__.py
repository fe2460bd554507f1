"""The cipherset directory: Parquet beside a signed manifest."""

from cipherset.pipeline.export.anonymity import k_anonymity
from cipherset.pipeline.export.layout import Layout
from cipherset.pipeline.export.read import Cipherset, open_cipherset, place_of
from cipherset.pipeline.export.send import check_free, send
from cipherset.pipeline.export.shuffle import fresh_ids
from cipherset.pipeline.export.split import Split
from cipherset.pipeline.export.write import CiphersetWriter, Written, write_manifest

__all__ = [
    "Cipherset",
    "CiphersetWriter",
    "Layout",
    "Split",
    "Written",
    "check_free",
    "fresh_ids",
    "k_anonymity",
    "open_cipherset",
    "place_of",
    "send",
    "write_manifest",
]
