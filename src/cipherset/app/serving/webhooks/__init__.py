"""A prediction past a threshold calls somebody: signed, without a word of the text."""
