"""Attacks on what there is, again and again: findings, regressions, and what was accepted."""
