"""Text out of which is taken what must not leave, and the way back for who may go it."""
