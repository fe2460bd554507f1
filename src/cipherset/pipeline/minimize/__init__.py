"""Keep only the directions that the purpose needs."""
