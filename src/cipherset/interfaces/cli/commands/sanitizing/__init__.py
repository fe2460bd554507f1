"""Commands that take out of texts what must not leave, and put it back."""
