"""The attacks: each on one kind of target, its result as lines."""
