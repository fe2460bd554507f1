"""One module a step; once it was released, a step is never changed."""
