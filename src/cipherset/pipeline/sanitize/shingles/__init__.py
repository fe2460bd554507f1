"""Which n-grams of words the rows hold, by keyed hashes: finds verbatim copies in other texts."""
