"""Characters of texts, as every room must see them."""
