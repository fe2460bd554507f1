"""What each adversary is handed, and the lines of the table that he makes of it."""
