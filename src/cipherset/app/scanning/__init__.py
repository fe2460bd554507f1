"""``scan``: what is in a source, column by column, and how sure that is."""
