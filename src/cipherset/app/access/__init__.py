"""Who there is, which policies hold, and what was asked for and granted."""
