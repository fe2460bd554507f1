"""What every request passes before it is read: sizes, times, numbers, places."""
