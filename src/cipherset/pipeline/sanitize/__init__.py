"""Take out of the text what must not leave."""
