"""What lies on the desk: what needs attention, lists to look through, gauges; all of a picture."""
