"""The pages, a folder for each group of the navigation.

A module has ``router(frame)``, which returns its routes, and ``ENTRY``, its place in the
navigation, or None where it has none.
"""
