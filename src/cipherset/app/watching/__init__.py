"""The ledger, watched: what is unusual becomes an event, and stops what policy says it stops."""
