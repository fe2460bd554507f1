"""What is kept for longer than the limits say, and its end."""
