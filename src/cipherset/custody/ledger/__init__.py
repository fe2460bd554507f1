"""Assets, runs and hash-chained events."""
