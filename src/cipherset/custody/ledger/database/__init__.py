"""The database under a ledger: how it is opened and begun, what is recalled, how it fails."""

from cipherset.custody.ledger.database.engine import (
    begin_piece,
    counting,
    for_writing,
    is_in_transaction,
    keep_piece,
    keep_tail,
    open_engine,
    recalled,
    tail_of,
    undo_piece,
    writing,
)
from cipherset.custody.ledger.database.failures import read_failures, write_failures
from cipherset.custody.ledger.database.file import copy_ledger

__all__ = [
    "begin_piece",
    "copy_ledger",
    "counting",
    "for_writing",
    "is_in_transaction",
    "keep_piece",
    "keep_tail",
    "open_engine",
    "read_failures",
    "recalled",
    "tail_of",
    "undo_piece",
    "write_failures",
    "writing",
]
