"""What one file says: one module for each kind of file."""
