"""Which columns, how much of their text and how many rows the label needs."""
