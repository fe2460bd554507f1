"""Exports made before: the same one asked for again, and others that share rows."""
