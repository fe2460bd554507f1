"""``calibrate``: what an export would be worth and would give away, on one's own data."""
