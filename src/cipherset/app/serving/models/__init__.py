"""``predict`` as a service: deployed models kept open, run confined, answered by policy."""
