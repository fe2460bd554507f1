"""Sources to batches of records, with errors that name file, row and column."""
