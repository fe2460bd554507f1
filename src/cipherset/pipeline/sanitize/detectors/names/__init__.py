"""Detectors of people, places and organizations, by lists and cues that are read once: no model."""
