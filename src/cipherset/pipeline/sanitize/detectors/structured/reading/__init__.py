"""How a text is read: character by character the same, its runs of digits, and its cue words."""
