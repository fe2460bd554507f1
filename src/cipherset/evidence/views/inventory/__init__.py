"""Every AI asset there is, ours and found, with where it comes from and how it was reviewed."""
