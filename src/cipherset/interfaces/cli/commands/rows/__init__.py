"""Rows: looked at, protected, measured."""
