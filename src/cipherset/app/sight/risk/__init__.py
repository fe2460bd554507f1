"""Risk and exposure: what the picture lacks is gathered here, the rest is evidence's."""
