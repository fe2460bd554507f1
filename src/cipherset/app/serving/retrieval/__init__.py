"""Texts that may be put before a model: brought in by their owner, admitted for each caller."""
