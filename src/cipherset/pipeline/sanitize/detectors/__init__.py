"""What finds one kind of entity, or a few: each a ``Detector`` of ``spans``."""
