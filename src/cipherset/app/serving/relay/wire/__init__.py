"""The way to a service and back, over a wire that nobody vouches for."""
