"""Labels in the ledger: written down, inherited, raised, and lowered only by a grant."""
