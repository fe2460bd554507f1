"""AI that is in use, whether or not anyone registered it."""
