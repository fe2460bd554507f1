"""What the data flows through: ingest, sanitize, embed, minimize, encrypt, export, train."""
