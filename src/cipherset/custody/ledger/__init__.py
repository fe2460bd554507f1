"""Assets, runs, budgets and hash-chained events."""

from cipherset.custody.ledger.budgets import (
    EPSILON,
    MICRO_EPSILON,
    PAIRS_NOISE_FREE,
    PAIRS_NOISY,
    QUERIES,
    ROWS,
    Debit,
    Spent,
    debit,
    rate_kind,
    spent,
)
from cipherset.custody.ledger.chain import Event, Outcome, Verification
from cipherset.custody.ledger.database import copy_ledger
from cipherset.custody.ledger.heads import Head, Heads
from cipherset.custody.ledger.proofs import (
    Checkpoint,
    SignedCheckpoint,
    check_consistency,
    check_event,
    read_checkpoint,
    sign_checkpoint,
)
from cipherset.custody.ledger.records import Asset, Run, RunStatus
from cipherset.custody.ledger.store import Ledger
from cipherset.custody.ledger.transaction import Transaction

__all__ = [
    "EPSILON",
    "MICRO_EPSILON",
    "PAIRS_NOISE_FREE",
    "PAIRS_NOISY",
    "QUERIES",
    "ROWS",
    "Asset",
    "Checkpoint",
    "Debit",
    "Event",
    "Head",
    "Heads",
    "Ledger",
    "Outcome",
    "Run",
    "RunStatus",
    "SignedCheckpoint",
    "Spent",
    "Transaction",
    "Verification",
    "check_consistency",
    "check_event",
    "copy_ledger",
    "debit",
    "rate_kind",
    "read_checkpoint",
    "sign_checkpoint",
    "spent",
]
