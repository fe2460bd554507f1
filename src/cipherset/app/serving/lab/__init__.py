"""The lab at the owner's side: models scored on sealed rows, and trained without seeing them."""
