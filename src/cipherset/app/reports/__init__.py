"""The report for an auditor, computed from the ledger: each figure with the events behind it."""
