"""Vectors that were made before are not made again: a sealed cache per key version and encoder."""
