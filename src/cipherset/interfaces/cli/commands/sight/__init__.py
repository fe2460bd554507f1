"""Commands that look: what there is, where it came from, how exposed it is, who could get at it."""
