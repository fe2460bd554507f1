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
    "Debit",
    "Event",
    "Ledger",
    "Outcome",
    "Run",
    "RunStatus",
    "Spent",
    "Transaction",
    "Verification",
    "debit",
    "rate_kind",
    "spent",
]
