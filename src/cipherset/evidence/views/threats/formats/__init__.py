"""The threat model in forms that other tools read."""
