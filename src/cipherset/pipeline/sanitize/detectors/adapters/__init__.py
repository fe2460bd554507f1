"""Other engines behind our protocol: each needs an extra, and is imported only when it is used."""
