"""Columns that join the vectors of their rows."""
