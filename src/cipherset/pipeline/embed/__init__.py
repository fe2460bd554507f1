"""Texts to unit-norm vectors, by an encoder pinned by digest."""
