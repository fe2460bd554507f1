"""Records that a law asks for, computed from the ledger: counts, digests and names of roles."""
