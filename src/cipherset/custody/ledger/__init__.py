"""Assets, runs and hash-chained events."""

from cipherset.custody.ledger.chain import Event, Outcome, Verification
from cipherset.custody.ledger.records import Asset, Run, RunStatus
from cipherset.custody.ledger.store import Ledger, Transaction

__all__ = ["Asset", "Event", "Ledger", "Outcome", "Run", "RunStatus", "Transaction", "Verification"]
