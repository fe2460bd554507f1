"""A workspace in which a team has worked for a while, to look at: small, invented, and real."""
