"""Translators without decisions."""
