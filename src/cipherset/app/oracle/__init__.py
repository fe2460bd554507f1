"""The encryption oracle: rows that somebody brings, encrypted for training, counted as pairs."""
