"""The relay: requests to an approved upstream service, guarded on the way there and back."""
