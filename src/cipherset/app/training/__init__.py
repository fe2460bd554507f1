"""Rows to train on: filtered, indexed, with canaries among them; and what a model gave away."""
