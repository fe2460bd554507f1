"""The gateway, called from Python: ``cipherset.Client``."""
