"""What a vector says of its record: words, entities, attributes, and one figure that is proved."""
