"""What AI there is here beside our own: found, reported or told, and how it was reviewed."""
