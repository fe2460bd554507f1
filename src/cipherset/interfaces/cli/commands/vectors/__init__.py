"""Commands about encrypted search."""
