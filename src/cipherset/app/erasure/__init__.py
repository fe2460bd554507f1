"""Data subjects forgotten: found in what is sealed, taken out, and what came of them marked."""
