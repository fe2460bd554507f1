"""The operations: the only place that composes rooms."""
