"""What follows from the ledger: computed when asked for, never stored."""
