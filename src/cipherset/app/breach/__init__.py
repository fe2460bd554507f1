"""What follows from a theft: whose rows, what a thief can get from it, and whom to tell."""
