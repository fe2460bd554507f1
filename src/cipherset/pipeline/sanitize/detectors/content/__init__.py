"""Detectors of what a text is about or is: topics, marks, an owner's terms, source code."""
