"""Readers of log lines, one module per family: each takes a line and says what it tells.

A reader returns what a line tells, which may be nothing, and raises ``ValueError`` for a line that
is none of its form.
"""
