"""Train models on data nobody can read: encrypted, minimized, measured training sets."""
