"""The filter of replies for a server: put together from what its owner keeps, and what it held."""
