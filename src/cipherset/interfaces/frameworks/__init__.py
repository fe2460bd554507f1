"""Vector stores of other frameworks over a gateway's encrypted index; each needs its framework."""
