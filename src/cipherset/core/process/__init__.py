"""What a process has once, whichever of its threads changes it."""
