"""Sets of policies in files: written out, checked, tried on cases, explained."""
