"""What is installed, reachable and well kept; and what to do where it is not."""
