"""One module per command: options in, an operation called, a table out."""
