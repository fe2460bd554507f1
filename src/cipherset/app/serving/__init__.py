"""What the gateway does for its callers; each operation takes a session first."""
