"""Exports that go on into an object store."""
