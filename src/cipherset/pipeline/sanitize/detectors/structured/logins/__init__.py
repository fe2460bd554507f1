"""What people and machines log in with: passwords, codes, keys and user names."""
