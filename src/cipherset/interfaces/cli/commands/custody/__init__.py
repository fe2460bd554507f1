"""Keys, people, policies, the ledger."""
