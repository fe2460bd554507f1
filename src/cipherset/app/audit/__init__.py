"""The ledger, looked at: verified, listed, exported, vouched for."""
