"""How good a model's answers to rows with known labels are."""
