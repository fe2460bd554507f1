"""Releases that keep an epsilon for the rows they were computed from: minimizers and drawn rows."""
