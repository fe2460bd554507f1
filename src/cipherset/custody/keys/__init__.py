"""The key ring, its providers, and sealing under a key."""
