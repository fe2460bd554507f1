"""How the ledger's tables came to be what they are; read by Alembic, run when one is opened."""
