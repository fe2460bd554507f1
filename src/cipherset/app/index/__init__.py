"""Encrypted similarity search: build an index, keep it up to date, search it where the key is."""
