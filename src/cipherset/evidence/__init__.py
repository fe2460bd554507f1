"""What is known about what leaks."""
