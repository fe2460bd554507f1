"""The gateway: FastAPI before the operations; translators, no decisions."""
