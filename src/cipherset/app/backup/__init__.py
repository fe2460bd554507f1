"""A copy of a whole workspace that is a workspace: taken while others work in it."""
