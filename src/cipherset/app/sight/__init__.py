"""Views over the ledger: gathered in one transaction, computed, never stored."""
