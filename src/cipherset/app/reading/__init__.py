"""Rows of a source as vectors: sanitized, embedded, pooled, and known again."""
