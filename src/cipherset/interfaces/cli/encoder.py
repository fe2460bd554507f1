"""``cipherset encoder``: list and fetch encoders."""
