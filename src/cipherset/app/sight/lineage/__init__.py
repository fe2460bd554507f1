"""Lineage: traced, verified against what is there, and written for other people's tools."""
