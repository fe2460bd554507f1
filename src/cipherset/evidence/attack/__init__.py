"""Adversaries; what each knows is what it is handed."""
